/** An agent that says nothing for too long is marked; nothing is ended for it. */
import type { AgentEvent } from '../session/events.js'

/** A timer of more than 24.8 days fires at once. */
const LONGEST_MS = 2 ** 31 - 1

export class Silence {
  readonly #seconds: number | undefined
  readonly #emit: (events: readonly AgentEvent[]) => void
  #timer: NodeJS.Timeout | undefined
  #stalled = false

  /** @param seconds how long it may be silent while it works; undefined: for ever */
  constructor(seconds: number | undefined, emit: (events: readonly AgentEvent[]) => void) {
    this.#seconds = seconds
    this.#emit = emit
  }

  /** Listens from now on, or no longer: an agent that waits for a person has nothing to say. */
  watch(works: boolean): void {
    if (this.#seconds === undefined) return
    const seconds = this.#seconds
    if (!works) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#end()
      return
    }
    if (this.#stalled) return
    const ms = Math.min(seconds * 1000, LONGEST_MS)
    this.#timer ??= setTimeout(() => {
      this.#stalled = true
      this.#emit([{ type: 'stalled', seconds }])
    }, ms)
  }

  /** It has said something. */
  broken(): void {
    this.#timer?.refresh()
    this.#end()
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  #end(): void {
    if (!this.#stalled) return
    this.#stalled = false
    this.#emit([{ type: 'stall_ended' }])
  }
}
