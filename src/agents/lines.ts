/**
 * The lines of a child's output. The only file that knows split2, and the place that makes up for its flaws: it takes
 * time with the square of a line's length, it knows no limit but dropping the whole line, and a reader pays for an
 * object-mode event a line. So it is handed whole lines only, none longer than the cap, and its mapper consumes them.
 */
import type { Readable } from 'node:stream'
import split2 from 'split2'
import { NEWLINE } from '../log/line.js'
import { TEXT_BUDGET } from './cut.js'

const CR = 0x0d
const NEWLINE_BYTES = Buffer.of(NEWLINE)
/** Bytes; a chunk that is larger shows that there is more where it came from. */
const SMALL = 16 * 1024
/** A child that writes byte by byte must not cost an object a byte. */
const MAX_PIECES = 1024

export interface LineOptions {
  /** Bytes of a line that are kept (up to 3 more, to end the character); the rest is counted. */
  readonly cap?: number
  /** Called when the lines that one read brought have been delivered. */
  delivered?(): void
  /** Asked after each chunk: while it is pending, the source is paused. */
  full?(): Promise<void> | undefined
  /**
   * Milliseconds of rest after a small chunk. A child that writes a line at a time wakes us for each, which costs more than what is
   * done with it; what comes meanwhile is read at once.
   */
  readonly rest?: number
}

/**
 * Calls `onLine` for each line of `source`, its "\n" or "\r\n" taken off, with the number of bytes that the cap took
 * from it. Empty lines are lines; a last line needs no newline; invalid UTF-8 becomes U+FFFD.
 * @returns when the source has ended, or was destroyed, and every line was delivered
 * @throws what reading from the source, or a callback, throws
 */
export function readLines(
  source: Readable,
  onLine: (line: string, missingBytes: number) => void,
  options: LineOptions = {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    const pending = new PendingLine(options.cap ?? TEXT_BUDGET)
    let missing = 0
    let isCut = false
    const splitter = split2('\n', (line: string) => {
      const crlf = !isCut && line.charCodeAt(line.length - 1) === CR
      onLine(crlf ? line.slice(0, -1) : line, missing)
    })
    // Nothing is ever pushed, so a write has gone through the mapper when it returns: `missing` belongs to that line.
    const deliver = (newline: boolean) => {
      const line = pending.take(newline)
      missing = line.missing
      isCut = line.isCut
      splitter.write(line.bytes)
    }
    const deliverWhole = (bytes: Buffer) => {
      missing = 0
      isCut = false
      splitter.write(bytes)
    }

    const take = (chunk: Buffer) => {
      let at = 0
      const last = chunk.lastIndexOf(NEWLINE)
      while (at <= last) {
        if (pending.isEmpty && last - at <= pending.cap) {
          deliverWhole(chunk.subarray(at, last + 1))
          at = last + 1
        } else {
          const newline = chunk.indexOf(NEWLINE, at)
          pending.add(chunk.subarray(at, newline))
          deliver(true)
          at = newline + 1
        }
      }
      if (at < chunk.length) pending.add(chunk.subarray(at))
      options.delivered?.()
      const wait = options.full?.()
      const rest = chunk.length < SMALL ? options.rest : undefined
      if (wait === undefined && rest === undefined) return
      source.pause()
      if (wait !== undefined) wait.then(() => source.resume(), fail)
      else setTimeout(() => source.resume(), rest)
    }
    const finish = () => {
      if (splitter.writableEnded || splitter.destroyed) return
      if (!pending.isEmpty) deliver(false)
      splitter.end()
    }
    const fail = (error: unknown) => {
      source.destroy()
      reject(error)
    }
    source.on('data', (chunk: Buffer) => {
      try {
        take(chunk)
      } catch (error) {
        fail(error)
      }
    })
    source.once('end', finish)
    source.once('close', finish)
    source.once('error', fail)
    splitter.once('finish', () => {
      try {
        options.delivered?.()
        resolve()
      } catch (error) {
        fail(error)
      }
    })
    splitter.once('error', fail)
  })
}

/** The start of a line whose end has not been read yet: what is kept of it, and how much is not. */
class PendingLine {
  readonly cap: number
  #pieces: Buffer[] = []
  #kept = 0
  #dropped = 0
  #last = 0

  constructor(cap: number) {
    this.cap = cap
  }

  get isEmpty(): boolean {
    return this.#kept === 0
  }

  add(bytes: Buffer): void {
    if (bytes.length === 0) return
    let keep = this.#dropped > 0 ? 0 : Math.min(bytes.length, Math.max(0, this.cap - this.#kept))
    if (this.#dropped === 0) {
      const most = this.cap + 3 - this.#kept
      while (keep < bytes.length && keep < most && isContinuation(bytes[keep])) keep++
    }
    if (keep > 0) this.#pieces.push(bytes.subarray(0, keep))
    this.#kept += keep
    this.#dropped += bytes.length - keep
    this.#last = bytes[bytes.length - 1] ?? 0
    if (this.#pieces.length > MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)]
  }

  /** Takes the line out. The "\r" of its end is no part of it, so neither of what is missing. */
  take(newline: boolean): { bytes: Buffer; missing: number; isCut: boolean } {
    const isCut = this.#dropped > 0
    const missing = isCut && this.#last === CR ? this.#dropped - 1 : this.#dropped
    const bytes = Buffer.concat(newline ? [...this.#pieces, NEWLINE_BYTES] : this.#pieces)
    this.#pieces = []
    this.#kept = 0
    this.#dropped = 0
    this.#last = 0
    return { bytes, missing, isCut }
  }
}

/** Whether a byte goes on with a UTF-8 character that another one began. */
const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80
