/**
 * Appending to a log: one write(2) on an O_APPEND descriptor for each batch of whole lines, which the kernel never
 * interleaves with another writer's.
 *
 * kill -9 can tear a line, and a torn tail would swallow the next writer's first line. So the first write after opening,
 * and after a short or failed write, begins with "\n"; a tail that lacks its newline is sealed first (line.ts).
 * fs.writeSync returns a short count without an error when the disk fills up midway: it is compared, always.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { AgentzError, reason } from '../base/errors.js'
import { MAX_LINE, NEWLINE, SEAL } from './line.js'
import { sync } from './sync.js'

const APPEND = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK

/** What became of a batch. `lines` were taken whole; with fewer than were given, `error` says why: append the rest again. */
export interface Appended {
  readonly lines: number
  readonly bytes: number
  readonly error?: AgentzError
}

export class Appender {
  readonly path: string
  readonly #fd: number
  #clean = false
  #broken: AgentzError | undefined

  /** Opens `path`, making it with mode 0600. @throws LOG_WRITE */
  constructor(path: string, flags: number = constants.O_CREAT) {
    this.path = path
    this.#fd = open(path, APPEND | flags)
  }

  /**
   * Appends lines, each a JSON object without a newline, in one write.
   * @throws LOG_TOO_LONG for a line over 1 MiB; LOG_WRITE for ever after a failed sync
   */
  append(lines: readonly string[]): Appended {
    if (this.#broken !== undefined) throw this.#broken
    for (const line of lines) refuseLong(line)
    const prefix = this.#clean ? '' : repair(this.#fd)
    const data = Buffer.from(`${prefix}${lines.join('\n')}\n`)
    this.#clean = false
    let count: number
    try {
      count = writeSync(this.#fd, data)
    } catch (error) {
      return { lines: 0, bytes: 0, error: failed(this.path, reason(error), error) }
    }
    if (count === data.length) {
      this.#clean = true
      return { lines: lines.length, bytes: count }
    }
    const error = failed(this.path, `only ${count} of ${data.length} bytes were written`)
    return { lines: wholeLines(data, prefix.length, count), bytes: count, error }
  }

  /** The size of the file now, in bytes. */
  size(): number {
    return fstatSync(this.#fd).size
  }

  /**
   * What is another one as soon as somebody else has written to the file, renamed it or put another name beside it; undefined if it has no
   * name any more. Of the open file, since to find one by its path takes several times as long.
   */
  stamp(): string | undefined {
    const { size, nlink, ctimeMs } = fstatSync(this.#fd)
    return nlink === 0 ? undefined : `${size} ${nlink} ${ctimeMs}`
  }

  /**
   * Puts what was appended on the disk. A failure is final: the kernel reports it once and then says OK, so retrying
   * would acknowledge lost data. Every later append fails.
   */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#broken !== undefined) return reject(this.#broken)
      sync(this.#fd, (error) => {
        if (error !== null) return reject(this.#breakWith(error))
        // Two at once: the kernel told the failure to the other one, and OK to this one.
        if (this.#broken !== undefined) return reject(this.#broken)
        resolve()
      })
    })
  }

  /** The same, before returning: for short-lived writers. */
  syncNow(): void {
    if (this.#broken !== undefined) throw this.#broken
    try {
      fdatasyncSync(this.#fd)
    } catch (error) {
      throw this.#breakWith(error)
    }
  }

  /**
   * The address of a line that was appended when the file had at least `from` bytes. The kernel does not tell where
   * O_APPEND has put it, and a daemon may write its output at the same moment: it is looked for.
   */
  addressOf(line: string, from: number): number {
    const added = Buffer.alloc(this.size() - from)
    readSync(this.#fd, added, 0, added.length, from)
    const wanted = Buffer.from(`${line}\n`)
    return from + added.indexOf(wanted) + wanted.length
  }

  close(): void {
    closeSync(this.#fd)
  }

  #breakWith(error: unknown): AgentzError {
    this.#broken = failed(this.path, `fdatasync: ${reason(error)}`, error)
    return this.#broken
  }
}

/**
 * Appends one line as a one-shot writer; it is on the disk when this returns.
 * @returns the line's address, whoever else appended meanwhile
 * @throws LOG_WRITE, LOG_TOO_LONG
 */
export function appendOnce(path: string, line: string): number {
  return writeOnce(new Appender(path), line)
}

/**
 * Makes a new log whose first line is `line`; it and the directory entry are on the disk when this returns. One that
 * could not be written is taken away again.
 * @throws LOG_WRITE, also if the file exists; LOG_TOO_LONG
 */
export function createLog(path: string, line: string): number {
  refuseLong(line)
  const appender = new Appender(path, constants.O_CREAT | constants.O_EXCL)
  let size: number
  try {
    size = writeOnce(appender, line)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  }
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
  return size
}

function writeOnce(appender: Appender, line: string): number {
  try {
    const before = appender.size()
    const { error } = appender.append([line])
    if (error !== undefined) throw error
    appender.syncNow()
    return appender.addressOf(line, before)
  } finally {
    appender.close()
  }
}

/** What has to come before the first record of this writer. */
function repair(fd: number): string {
  const size = fstatSync(fd).size
  if (size === 0) return ''
  const last = Buffer.alloc(1)
  readSync(fd, last, 0, 1, size - 1)
  return last[0] === NEWLINE ? '\n' : SEAL
}

function wholeLines(data: Buffer, from: number, to: number): number {
  let lines = 0
  for (let at = data.indexOf(NEWLINE, from); at >= 0 && at < to; at = data.indexOf(NEWLINE, at + 1)) lines++
  return lines
}

function open(path: string, flags: number): number {
  try {
    const fd = openSync(path, flags, 0o600)
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.uid !== process.getuid?.()) {
      closeSync(fd)
      throw new Error('it is not a regular file of this user')
    }
    // The umask cannot widen this, but an older file may be wider.
    if ((stat.mode & 0o777) !== 0o600) fchmodSync(fd, 0o600)
    return fd
  } catch (error) {
    throw failed(path, reason(error), error)
  }
}

function refuseLong(line: string): void {
  // A UTF-16 unit is at most 3 bytes of UTF-8: count exactly only where it may matter.
  if (line.length * 3 < MAX_LINE || Buffer.byteLength(line) < MAX_LINE) return
  throw new AgentzError('LOG_TOO_LONG', `a log line of ${Buffer.byteLength(line)} bytes is longer than ${MAX_LINE}`)
}

function failed(path: string, why: string, cause?: unknown): AgentzError {
  return new AgentzError('LOG_WRITE', `cannot append to ${path}: ${why}`, { cause })
}
