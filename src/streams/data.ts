/** The bytes of a stream: one file, written by one server at a time, read by anybody. Its length is the offset that comes next. */
import { closeSync, constants, fchmodSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { AgentzError, errno, reason } from '../base/errors.js'
import { linesEnd } from '../log/read.js'
import { sync } from '../log/sync.js'

const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK

const unusable = (path: string, why: string, cause?: unknown) =>
  new AgentzError('HOME_UNUSABLE', `cannot use ${path}: ${why}`, { hint: `See what is there: ls -l ${path}`, cause })

export class DataFile {
  readonly path: string
  readonly fd: number
  #broken: AgentzError | undefined

  /** @throws ENOENT, or EEXIST where it is to be made, as the system does; LOG_WRITE if it cannot be; HOME_UNUSABLE for what else is there */
  constructor(path: string, make = false) {
    this.path = path
    try {
      this.fd = openSync(path, FLAGS | (make ? constants.O_CREAT | constants.O_EXCL : 0), 0o600)
    } catch (error) {
      if (errno(error) === 'ENOENT' || errno(error) === 'EEXIST') throw error
      if (make) throw new AgentzError('LOG_WRITE', `cannot make ${path}: ${reason(error)}`, { cause: error })
      throw unusable(path, errno(error) === 'ELOOP' ? 'it is a symbolic link' : reason(error), error)
    }
    const stat = fstatSync(this.fd)
    if (!stat.isFile() || stat.uid !== process.getuid?.()) {
      closeSync(this.fd)
      throw unusable(path, 'it is not a regular file of this user')
    }
    if ((stat.mode & 0o777) !== 0o600) fchmodSync(this.fd, 0o600)
  }

  /** -1 if the file has no name any more: what is appended to it then is seen by nobody who opens it. */
  get size(): number {
    const { nlink, size } = fstatSync(this.fd)
    return nlink === 0 ? -1 : size
  }

  /** Why nothing can be appended any more, as long as it is open: what was not synced could not be taken back. */
  get broken(): AgentzError | undefined {
    return this.#broken
  }

  /** Appends all of it, or nothing. @param from how long the file is now. @throws LOG_WRITE */
  append(bytes: Buffer, from = this.size): void {
    if (this.#broken !== undefined) throw this.#broken
    let why: unknown
    try {
      const count = writeSync(this.fd, bytes)
      if (count === bytes.length) return
      why = new Error(`only ${count} of ${bytes.length} bytes were written`)
    } catch (error) {
      why = error
    }
    this.cut(from)
    throw this.#failed(why)
  }

  /**
   * A failed sync is never tried again: the kernel tells it once, and OK to the next one. What it was for is taken back, so that it has to
   * be written anew.
   * @param synced how long the file was before. @throws LOG_WRITE
   */
  async sync(synced: number): Promise<void> {
    if (this.#broken !== undefined) throw this.#broken
    try {
      await new Promise<void>((resolve, reject) => {
        sync(this.fd, (error) => (error === null ? resolve() : reject(error)))
      })
    } catch (error) {
      this.#broken = this.#failed(error)
      this.cut(synced)
      this.#broken = undefined
      throw this.#failed(error)
    }
  }

  /** Takes back what nobody was told of. */
  cut(size: number): void {
    ftruncateSync(this.fd, size)
  }

  /** Where the last whole line ends. */
  linesEnd(): number {
    return linesEnd(this.fd)
  }

  close(): void {
    closeSync(this.fd)
  }

  #failed(why: unknown): AgentzError {
    return new AgentzError('LOG_WRITE', `cannot append to ${this.path}: ${reason(why)}`, { cause: why })
  }
}
