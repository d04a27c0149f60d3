/**
 * The daemon's pen: frames events, writes them in batches at the end of each event-loop turn, and puts them on the
 * disk at most 50 ms later. When the log takes nothing, it keeps what it has, tells the agent to wait, and goes on by
 * itself when there is space again.
 */
import type { AgentzError } from '../base/errors.js'
import type { Appender } from '../log/append.js'
import { MAX_LINE } from '../log/line.js'
import type { AgentEvent, SessionEvent } from '../session/events.js'
import { frame, framer } from '../session/frame.js'
import type { Mask } from '../session/mask.js'
import { isOutput } from '../session/state.js'

const COMMIT_MS = 50
const RETRY_MS = 500
/** So much may wait in memory before the agent has to. Characters. */
const HIGH_WATER = 1024 * 1024

export interface OutputHooks {
  /** After a write; `bytes` is how much, `plain` whether it was output alone. */
  onWritten(bytes: number, plain: boolean): void
  /** The log takes nothing now; undefined: it does again. */
  onBlocked(error: AgentzError | undefined): void
  /** What was appended may not be on the disk, and nothing can be promised any more. */
  onBroken(error: unknown): void
}

export class Output {
  readonly #appender: Appender
  readonly #epoch: number
  readonly #mask: Mask
  readonly #hooks: OutputHooks
  #lines: string[] = []
  #size = 0
  #plain = true
  // Two fields: to clear an immediate that is a timer spoils Node's count of immediates, and the process never ends.
  #turn: NodeJS.Immediate | undefined
  #retry: NodeJS.Timeout | undefined
  #blockedSince: number | undefined
  #syncing: Promise<void> | undefined
  #commitTimer: NodeJS.Timeout | undefined
  #waiting: (() => void)[] = []

  constructor(appender: Appender, epoch: number, mask: Mask, hooks: OutputHooks) {
    this.#appender = appender
    this.#epoch = epoch
    this.#mask = mask
    this.#hooks = hooks
  }

  /** Takes events; they are written together when this turn of the event loop ends. */
  emit(events: readonly AgentEvent[], by: SessionEvent['by']): void {
    const timestamp = new Date().toISOString()
    const lineOf = framer(by, this.#epoch, timestamp)
    for (const event of events) {
      let line = this.#mask.line(lineOf(event))
      if (line.length * 3 >= MAX_LINE && Buffer.byteLength(line) >= MAX_LINE) {
        const content = `a ${event.type} event of ${Buffer.byteLength(line)} bytes is longer than a line may be and is left out`
        line = frame({ type: 'system', content }, 'daemon', this.#epoch, timestamp)
      }
      this.#lines.push(line)
      this.#size += line.length
      if (!isOutput(event.type)) this.#plain = false
    }
    if (this.#blockedSince === undefined) this.#turn ??= setImmediate(() => this.flush())
  }

  /** Undefined while there is room; else settles when there is again. */
  full(): Promise<void> | undefined {
    if (this.#blockedSince === undefined && this.#size < HIGH_WATER) return undefined
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Emits, writes and syncs; resolves when it is all on the disk, however long the disk is full. */
  async commit(events: readonly AgentEvent[], by: SessionEvent['by']): Promise<void> {
    this.emit(events, by)
    this.flush()
    while (this.#lines.length > 0) {
      await this.full()
      // When the disk took the rest, a word about it was added, which has not been written yet.
      this.flush()
    }
    await this.#sync()
  }

  /** Writes what waits, now. */
  flush(): void {
    clearImmediate(this.#turn)
    clearTimeout(this.#retry)
    this.#turn = undefined
    this.#retry = undefined
    if (this.#lines.length > 0) this.#write()
    if (this.#lines.length === 0) for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #write(): void {
    let appended: ReturnType<Appender['append']>
    try {
      appended = this.#appender.append(this.#lines)
    } catch (error) {
      this.#hooks.onBroken(error)
      return
    }
    const { lines, bytes, error } = appended
    const plain = this.#plain && error === undefined
    this.#lines = lines === this.#lines.length ? [] : this.#lines.slice(lines)
    this.#size = this.#lines.reduce((sum, line) => sum + line.length, 0)
    if (error === undefined) this.#plain = true
    if (bytes > 0) this.#hooks.onWritten(bytes, plain)
    this.#commitTimer ??= setTimeout(() => {
      this.#commitTimer = undefined
      this.#sync().catch((failure) => this.#hooks.onBroken(failure))
    }, COMMIT_MS)
    if (error === undefined) this.#unblock()
    else this.#block(error)
  }

  #block(error: AgentzError): void {
    if (this.#blockedSince === undefined) this.#hooks.onBlocked(error)
    this.#blockedSince ??= performance.now()
    this.#retry = setTimeout(() => this.flush(), RETRY_MS)
  }

  #unblock(): void {
    if (this.#blockedSince === undefined) return
    const seconds = Math.round((performance.now() - this.#blockedSince) / 1000)
    this.#blockedSince = undefined
    this.#hooks.onBlocked(undefined)
    this.emit(
      [{ type: 'system', content: `the log could not be written for ${seconds} s; nothing is missing` }],
      'daemon',
    )
  }

  /** One sync at a time; who asks during one gets the next, which covers all that was written before. */
  #sync(): Promise<void> {
    const before = this.#syncing
    const next = (before ?? Promise.resolve()).then(() => this.#appender.sync())
    this.#syncing = next
    const clear = () => {
      if (this.#syncing === next) this.#syncing = undefined
    }
    next.then(clear, clear)
    return next
  }
}
