/** The sidecar log of a stream on the disk: read, appended to, and written anew when most of what it says is old. */
import { closeSync, constants, fsyncSync, openSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { dirname } from 'node:path'
import { errno } from '../base/errors.js'
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

/** Makes what was made, renamed or removed in a directory last. */
export function syncDirectory(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

export class Sidecar {
  readonly #path: string
  #log: Appender
  /** What it would take if it were written anew now, at least. */
  #least: number
  #seen: string

  /** @throws LOG_WRITE */
  constructor(path: string) {
    this.#path = path
    this.#log = new Appender(path, 0)
    this.#least = LARGE
    this.#seen = this.#now()
  }

  /** Whether it is as we left it; else another server has written to the stream. */
  get isOurs(): boolean {
    return this.#seen === this.#now()
  }

  /** When it was last written to or touched, in milliseconds. */
  get touchedAt(): number {
    return statSync(this.#path).mtimeMs
  }

  /** Notes that the stream was used, outside of the log. */
  touch(at: number): void {
    utimesSync(this.#path, at / 1000, at / 1000)
  }

  /** @throws LOG_WRITE; what was written then is to be taken back by a `void` */
  async append(lines: readonly Line[]): Promise<void> {
    const { error } = this.#log.append(text(lines))
    this.#seen = this.#now()
    if (error !== undefined) throw error
    await this.#log.sync()
  }

  /** Writes it anew if it is large. It is whole at each moment: the new one takes the place of the old one at once. */
  compact(meta: Meta): void {
    if (this.#log.size() < 2 * this.#least) return
    const fresh = `${this.#path}+`
    rmSync(fresh, { force: true })
    const log = new Appender(fresh, constants.O_CREAT | constants.O_EXCL)
    try {
      const { error } = log.append(text(snapshot(meta)))
      if (error !== undefined) throw error
      log.syncNow()
      const touched = this.touchedAt / 1000
      utimesSync(fresh, touched, touched)
      renameSync(fresh, this.#path)
      syncDirectory(dirname(this.#path))
    } catch (error) {
      log.close()
      throw error
    }
    this.#log.close()
    this.#log = log
    this.#least = Math.max(LARGE, log.size())
    this.#seen = this.#now()
  }

  close(): void {
    this.#log.close()
  }

  #now(): string {
    const stat = statSync(this.#path, { throwIfNoEntry: false })
    return stat === undefined ? '' : `${stat.ino} ${stat.size}`
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
