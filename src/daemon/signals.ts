/** The signals that tell a daemon to stop. */
import { within } from '../agents/process.js'
import type { Cause } from '../session/events.js'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const
/** So much later than to its agent a signal that is meant for both comes to the daemon, at most. */
const LATE_MS = 250
/** How an agent ends by them, as its cause says: killed, with the exit status that stands for that, or quietly. */
const ENDS: readonly unknown[] = ['TERM', 'INT', 143, 130, 0]

export class Signals {
  readonly #come: Promise<void>

  constructor(stop: () => void) {
    this.#come = new Promise((resolve) => {
      const heard = () => {
        stop()
        resolve()
      }
      // Not once: a second one, from who keeps the daemon, would end it at once.
      for (const name of SIGNALS) process.on(name, heard)
    })
  }

  /**
   * Whether the agent ended by a signal that was sent to all processes of the session, as `systemctl kill` does: its death may be heard
   * of before the signal itself, which then tells why it ended.
   */
  async meant({ status }: Cause): Promise<boolean> {
    return ENDS.includes(status) && (await within(this.#come, LATE_MS))
  }
}
