/** The sidecar log of a stream on the disk: read, appended to, and written anew when most of what it says is old. */
import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { dirname } from 'node:path'
import { AgentzError, errno, reason } from '../base/errors.js'
import { Appender } from '../log/append.js'
import { foldLog } from '../log/fold.js'
import { type Line, type Meta, MetaFold, snapshot } from './meta.js'

/** Bytes from which on it may be written anew; so reading one takes as long as it takes to read twice that. */
const LARGE = 64 * 1024

const text = (lines: readonly Line[]): string[] => lines.map((line) => JSON.stringify(line))

/** @returns undefined if there is none, or one whose first record was never whole: nothing was acknowledged then */
export function readSidecar(path: string): MetaFold | undefined {
  const fold = new MetaFold()
  try {
    foldLog(path, 0, (record) => fold.add(record))
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined
    throw error
  }
  return fold.meta === undefined ? undefined : fold
}

/** Where a sidecar is written anew, before it takes the place of the old one. */
export const besides = (path: string): string => `${path}+`

/** Makes what was made, renamed or removed in a directory last. @throws LOG_WRITE */
export function syncDirectory(path: string): void {
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
    fsyncSync(fd)
  } catch (error) {
    throw new AgentzError('LOG_WRITE', `cannot sync the directory ${path}: ${reason(error)}`, { cause: error })
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

export class Sidecar {
  readonly #path: string
  #log: Appender
  /** What it would take if it were written anew now, at least. */
  #least: number
  #seen: string | undefined
  /** The last sync has failed. */
  #broken = false
  /** How many wait for theirs. */
  #syncing = 0
  /** It has taken the place of another one, which a power loss would bring back. */
  #unplaced = false

  /** @throws LOG_WRITE */
  constructor(path: string) {
    this.#path = path
    this.#log = new Appender(path, 0)
    this.#least = LARGE
    this.#seen = this.#log.stamp()
  }

  /** Whether it is as we left it; else another server has written to the stream. */
  get isOurs(): boolean {
    return this.#seen !== undefined && this.#seen === this.#log.stamp()
  }

  /** When it was last written to or touched, in milliseconds. */
  get touchedAt(): number {
    return statSync(this.#path).mtimeMs
  }

  /** Notes that the stream was used, outside of the log. @returns whether there is a sidecar; one that takes no note keeps its old one */
  touch(at: number): boolean {
    const { isOurs } = this
    try {
      utimesSync(this.#path, at / 1000, at / 1000)
      if (isOurs) this.#seen = this.#log.stamp()
      return true
    } catch (error) {
      return errno(error) !== 'ENOENT'
    }
  }

  /** @throws LOG_WRITE; what was written then is to be taken back by a `void` */
  async append(lines: readonly Line[]): Promise<void> {
    if (this.#unplaced) this.#place()
    if (this.#broken && this.#syncing === 0) this.#open()
    const { error } = this.#log.append(text(lines))
    this.#seen = this.#log.stamp()
    if (error !== undefined) throw error
    this.#syncing++
    try {
      await this.#log.sync()
    } catch (error) {
      this.#broken = true
      throw error
    } finally {
      this.#syncing--
    }
  }

  /**
   * Writes it anew if it is large, and nobody waits for a line of his own in it, of which `meta` does not know yet. It is whole at each
   * moment: the new one takes the place of the old one at once.
   */
  compact(meta: Meta): void {
    if (this.#syncing > 0 || this.#log.size() < 2 * this.#least) return
    const fresh = besides(this.#path)
    rmSync(fresh, { force: true })
    const log = new Appender(fresh, constants.O_CREAT | constants.O_EXCL)
    try {
      const { error } = log.append(text(snapshot(meta)))
      if (error !== undefined) throw error
      log.syncNow()
      const touched = this.touchedAt / 1000
      utimesSync(fresh, touched, touched)
      renameSync(fresh, this.#path)
    } catch (error) {
      log.close()
      throw error
    }
    this.#log.close()
    this.#log = log
    this.#least = Math.max(LARGE, log.size())
    this.#seen = this.#log.stamp()
    this.#unplaced = true
    this.#place()
  }

  /** Nothing is told of by it before its name is on the disk. @throws LOG_WRITE */
  #place(): void {
    syncDirectory(dirname(this.#path))
    this.#unplaced = false
  }

  close(): void {
    this.#log.close()
  }

  /** A log takes nothing after a failed sync. What that was for counts no more, so that the next line may be told of to another one. */
  #open(): void {
    const log = new Appender(this.#path, 0)
    this.#log.close()
    this.#log = log
    this.#broken = false
  }
}

/** Makes the sidecar of a new stream: from when this returns on, the stream is there. @throws LOG_WRITE */
export function createSidecar(path: string, meta: Meta): void {
  const log = new Appender(path, constants.O_CREAT | constants.O_EXCL)
  try {
    const { error } = log.append(text(snapshot(meta)))
    if (error !== undefined) throw error
    log.syncNow()
    syncDirectory(dirname(path))
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    log.close()
  }
}
