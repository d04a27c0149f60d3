/** Tells the registry what the session's file already says: one at a time, in order, until each is written. */
import { setTimeout as delay } from 'node:timers/promises'
import { toAgentzError } from '../base/errors.js'
import type { QuietLogger } from '../base/logger.js'
import type { Home } from '../base/paths.js'
import type { RegistryEvent } from '../session/events.js'
import { frame } from '../session/frame.js'
import type { LifeEvent } from '../session/lifecycle.js'
import { appendRegistry } from '../session/registry.js'
import { isLive, needsAnswer, type Status } from '../session/status.js'

const RETRY_MS = 500
const LOOK_MS = 200

export class Reporter {
  readonly #home: Home
  readonly #id: string
  readonly #epoch: number
  readonly #log: QuietLogger
  #queue: Promise<void> = Promise.resolve()
  #told: Status = 'running'
  #timer: NodeJS.Timeout | undefined
  #status: (() => Status) | undefined

  constructor(home: Home, id: string, epoch: number, log: QuietLogger) {
    this.#home = home
    this.#id = id
    this.#epoch = epoch
    this.#log = log
  }

  /** Queues a life-cycle event. */
  report(event: LifeEvent): void {
    const record = JSON.parse(frame(event, 'daemon', this.#epoch)) as RegistryEvent
    this.#queue = this.#queue.then(() => this.#untilWritten(record))
  }

  /** From now on, tells changes of the status that last: a question at once, all else when it stands for a moment. */
  follow(status: () => Status): void {
    this.#status = status
  }

  /** The state may have changed. */
  look(): void {
    const now = this.#status?.()
    if (now === undefined || now === this.#told || !isLive(now)) return
    if (needsAnswer(now)) {
      clearTimeout(this.#timer)
      this.#timer = undefined
      this.#tell(now)
    } else {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        const then = this.#status?.()
        if (then !== undefined && then !== this.#told && isLive(then)) this.#tell(then)
      }, LOOK_MS)
    }
  }

  /** Resolves when the registry has it all. */
  done(): Promise<void> {
    clearTimeout(this.#timer)
    return this.#queue
  }

  #tell(status: Status): void {
    this.#told = status
    this.report({ type: 'session_updated', sessionId: this.#id, status })
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
