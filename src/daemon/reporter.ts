/** Tells the registry what the session's file already says: one at a time, in order, until each is written. */
import { setTimeout as delay } from 'node:timers/promises'
import { toAgentzError } from '../base/errors.js'
import type { QuietLogger } from '../base/logger.js'
import type { Home } from '../base/paths.js'
import type { RegistryEvent } from '../session/events.js'
import { frame } from '../session/frame.js'
import type { LifeEvent } from '../session/lifecycle.js'
import type { Mask } from '../session/mask.js'
import { appendRegistry } from '../session/registry.js'
import type { SessionState } from '../session/state.js'
import { isLive, needsAnswer, type Status } from '../session/status.js'

const RETRY_MS = 500
const LOOK_MS = 200
const USAGE_MS = 2_000

export class Reporter {
  readonly #home: Home
  readonly #id: string
  readonly #epoch: number
  readonly #mask: Mask
  readonly #log: QuietLogger
  #queue: Promise<void> = Promise.resolve()
  #told: Status = 'running'
  #timer: NodeJS.Timeout | undefined
  #state: (() => SessionState) | undefined
  #stalled: number | undefined
  #usageTold = 0

  constructor(home: Home, id: string, epoch: number, mask: Mask, log: QuietLogger) {
    this.#home = home
    this.#id = id
    this.#epoch = epoch
    this.#mask = mask
    this.#log = log
  }

  /** Queues a life-cycle event. */
  report(event: LifeEvent): void {
    const record = JSON.parse(this.#mask.line(frame(event, 'daemon', this.#epoch))) as RegistryEvent
    this.#queue = this.#queue.then(() => this.#untilWritten(record))
  }

  /** From now on, tells changes of the status that last: a question at once, all else when it stands for a moment. */
  follow(state: () => SessionState): void {
    this.#state = state
    // A question that an earlier daemon has left open waits already.
    this.look()
  }

  /** The state may have changed. */
  look(): void {
    const state = this.#state?.()
    if (state === undefined || !isLive(state.status)) return
    if (state.status !== this.#told && needsAnswer(state.status)) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#tell(state)
    } else if (this.#differs(state)) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        const then = this.#state?.()
        if (then !== undefined && isLive(then.status) && this.#differs(then)) this.#tell(then)
      }, LOOK_MS)
    }
  }

  /** Tokens alone are told now and then. */
  #differs({ status, stalled, usage }: SessionState): boolean {
    if (status !== this.#told || stalled !== this.#stalled) return true
    return usage.output > 0 && performance.now() - this.#usageTold > USAGE_MS
  }

  /** Resolves when the registry has it all. */
  done(): Promise<void> {
    clearTimeout(this.#timer)
    return this.#queue
  }

  #tell({ status, stalled, usage }: SessionState): void {
    this.#told = status
    this.#stalled = stalled
    this.#usageTold = performance.now()
    const silent = stalled === undefined ? {} : { stalled }
    this.report({ type: 'session_updated', sessionId: this.#id, status, ...silent, usage })
  }

  async #untilWritten(record: RegistryEvent): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await appendRegistry(this.#home, record)
        return
      } catch (thrown) {
        const error = toAgentzError(thrown)
        if (error.code !== 'LOG_WRITE' && error.code !== 'LOCK_BUSY') throw error
        if (attempt === 0) this.#log.error({ err: error }, 'the registry cannot be written; trying on')
        await delay(RETRY_MS)
      }
    }
  }
}
