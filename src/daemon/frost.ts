/** The daemon's part in being frozen: the watchdog is lifted before, and set again after, and both are in the files. */
import type { LifeEvent } from '../session/lifecycle.js'
import type { Notify } from './notify.js'

/** A daemon that still runs so long after it said so was not frozen, or is no longer. */
const COMES_MS = 10_000

export class Frost {
  readonly #sessionId: string
  readonly #notify: Pick<Notify, 'lift'>
  readonly #tell: (event: LifeEvent) => Promise<void>
  #timer: NodeJS.Timeout | undefined
  #turn: Promise<void> = Promise.resolve()

  /** @param tell writes an event to both files */
  constructor(sessionId: string, notify: Pick<Notify, 'lift'>, tell: (event: LifeEvent) => Promise<void>) {
    this.#sessionId = sessionId
    this.#notify = notify
    this.#tell = tell
  }

  /** Gets ready; whoever asked for it freezes us when the files say so. */
  freeze(): Promise<void> {
    return this.#next(true)
  }

  thaw(): Promise<void> {
    return this.#next(false)
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  /** One after the other: a thaw that follows at once must not be overtaken. */
  #next(frozen: boolean): Promise<void> {
    this.#turn = this.#turn.then(() => this.#set(frozen))
    return this.#turn
  }

  async #set(frozen: boolean): Promise<void> {
    clearTimeout(this.#timer)
    await this.#notify.lift(frozen)
    await this.#tell({ type: frozen ? 'session_frozen' : 'session_thawed', sessionId: this.#sessionId })
    if (frozen) this.#timer = setTimeout(() => void this.thaw(), COMES_MS)
  }
}
