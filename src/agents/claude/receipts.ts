/**
 * When claude has a message. It repeats one only after the model's first words, which can take minutes; its history has it a tenth of
 * a second after the turn's begin; of a slash command neither tells, and the turn's end has to do. Whichever comes first is the receipt.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { historyHolds, type Where } from './history.js'

const LOOK_MS = 100
/** The history may be where nobody finds it. */
const LOOKS = 20

export class Receipts {
  readonly #where: () => Where
  readonly #warn: (message: string, detail: unknown) => void
  /** What was written and is not known to be taken, by uuid. */
  readonly #waiting = new Map<string, () => void>()
  /** The message that the turn has begun with, as far as can be told. */
  #first: string | undefined
  #looks = 0

  constructor(where: () => Where, warn: (message: string, detail: unknown) => void) {
    this.#where = where
    this.#warn = warn
  }

  get waiting(): boolean {
    return this.#waiting.size > 0
  }

  /** Resolves when claude has the message. */
  of(uuid: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(uuid, resolve))
  }

  /** @returns whether somebody waited for it */
  taken(uuid: string): boolean {
    const resolve = this.#waiting.get(uuid)
    resolve?.()
    return this.#waiting.delete(uuid)
  }

  /** A turn has begun: with one or more of what was written. */
  async turnBegan(): Promise<void> {
    this.#first = this.#waiting.keys().next().value
    const running = this.#looks > 0
    this.#looks = LOOKS
    if (running) return
    try {
      for (; this.#looks > 0 && this.#waiting.size > 0; this.#looks--) {
        await delay(LOOK_MS, undefined, { ref: false })
        for (const uuid of [...this.#waiting.keys()]) {
          if (await historyHolds(this.#where(), uuid)) this.taken(uuid)
        }
      }
    } catch (error) {
      // The history is claude's, and may be unreadable; claude itself still tells.
      this.#warn('reading the history of claude', error)
    }
    this.#looks = 0
  }

  /** @returns as taken() */
  turnEnded(): boolean {
    return this.#first !== undefined && this.taken(this.#first)
  }
}
