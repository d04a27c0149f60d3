/**
 * One open stream. Appends that come while others are on their way to the disk share the next write and sync. What was
 * decided about them - producers, sequence, closure, and for raw bytes where they stand - goes to the sidecar first, then their
 * bytes go to the file; only then does anybody see them, or hear that they were taken.
 */
import { errno } from '../base/errors.js'
import type { Memory } from '../base/memory.js'
import { readAt } from '../log/read.js'
import { Batch, type Job, type Taken, takeJobs } from './batch.js'
import { DataFile } from './data.js'
import type { Wanted } from './decide.js'
import { Listeners } from './listeners.js'
import { apply, type Line, type Meta } from './meta.js'
import { Refusal } from './refusal.js'
import { readSidecar, Sidecar } from './sidecar.js'
import { isJson, ROOM, type Source } from './source.js'

export interface Files {
  readonly meta: string
  readonly data: (json: boolean) => string
}

export class Stream implements Source {
  readonly json: boolean
  #meta: Meta
  readonly #files: Files
  readonly #data: DataFile
  readonly #sidecar: Sidecar
  readonly #listeners = new Listeners()
  readonly #queue: Job[] = []
  #running = false
  /** It was looked at since the last append, and is ours. */
  #isSeen = false
  #end = 0
  /** Where an append began that the sidecar tells of and that has not happened. */
  #void: number | undefined
  #users = 0
  #gone = false
  #closed = false
  #usedAt: number
  #notedAt: number

  /** @returns undefined if there is none. @throws STREAM_GONE if its bytes are lost */
  static open(files: Files): Stream | undefined {
    const meta = readSidecar(files.meta)?.meta
    return meta === undefined ? undefined : new Stream(files, meta)
  }

  private constructor(files: Files, meta: Meta) {
    this.#files = files
    this.#meta = meta
    this.json = isJson(meta.contentType)
    this.#data = openData(files.data(this.json), meta.name)
    this.#sidecar = new Sidecar(files.meta)
    try {
      this.#load()
    } catch (error) {
      this.#free()
      throw error
    }
    this.#usedAt = this.#notedAt = this.#sidecar.touchedAt
  }

  get meta(): Readonly<Meta> {
    return this.#meta
  }
  get id(): string {
    return this.#meta.id
  }
  get contentType(): string {
    return this.#meta.contentType
  }
  get end(): number {
    return this.#end
  }
  get closed(): boolean {
    return this.#meta.closed
  }
  get gone(): boolean {
    return this.#gone
  }

  /** Whether nobody reads or writes it now. */
  get idle(): boolean {
    return this.#users === 0 && !this.#running && this.#listeners.size === 0
  }

  read(from: number, most: number, memory: Memory): Buffer {
    return readAt(this.#data.fd, from, most, memory, ROOM)
  }

  linesOf(bytes: Buffer): Buffer {
    return bytes
  }

  onGrowth(listener: () => void): () => void {
    const leave = this.#listeners.add(listener)
    return () => {
      leave()
      this.touch()
    }
  }

  /** Keeps its files open for as long as `work` takes. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#users++
    try {
      return await work()
    } finally {
      this.#users--
      if (this.#closed && this.#users === 0) this.#free()
    }
  }

  /** Somebody reads or writes: its time to live begins anew. Nothing is written for a stream that has none. */
  touch(now = Date.now()): void {
    const { ttl } = this.#meta
    if (ttl === undefined || this.#gone) return
    this.#usedAt = now
    // Of the time to live a twentieth may be lost with the server.
    if (Math.abs(now - this.#notedAt) < ttl * 50) return
    this.#notedAt = now
    // Whoever calls has no use for an error, and some of them nobody who would hear it.
    if (!this.#sidecar.touch(now)) this.retire()
  }

  expired(now = Date.now()): boolean {
    const { ttl, expiresAt } = this.#meta
    if (expiresAt !== undefined && now >= Date.parse(expiresAt)) return true
    return ttl !== undefined && this.#listeners.size === 0 && now >= this.#usedAt + ttl * 1000
  }

  /** @throws Refusal, LOG_WRITE: nothing of it is there then */
  append(wanted: Wanted): Promise<Taken> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ wanted, resolve, reject })
      void this.#run()
    })
  }

  /** Notes a fork, before it is made. @throws LOG_WRITE */
  async noteFork(id: string, name: string): Promise<void> {
    await this.#sidecar.append([{ type: 'forked', id, name }])
    this.#meta.forks.set(id, name)
  }

  /** Its forks need the name, and nobody the bytes. @throws LOG_WRITE */
  bury(): Promise<void> {
    return this.use(async () => {
      // From now on nothing is appended: what stood behind the record would say that the deletion does not count.
      this.#meta.deleted = true
      try {
        await this.#sidecar.append([{ type: 'deleted' }])
      } catch (error) {
        this.#meta.deleted = false
        // It may be in the log all the same; the next append says that it does not count.
        this.#void ??= this.#end
        throw error
      }
      this.#data.cut(0)
      this.retire()
    })
  }

  /** Looks whether another server has changed it since; this one is of no use then. */
  isCurrent(): boolean {
    if (!this.#gone && !this.#running && !this.#data.broken) {
      this.#isSeen = this.#isOurs()
      if (!this.#isSeen) this.retire()
    }
    return !this.#gone
  }

  /** It is another stream's name from now on, or nobody's. */
  retire(): void {
    this.#gone = true
    this.close()
    this.#listeners.tell()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    if (this.#users === 0) this.#free()
  }

  /** Leaves the stream to another server, and says nothing of what has become of the last append. @throws LOCK_BUSY */
  #yield(): never {
    this.retire()
    throw new Refusal('LOCK_BUSY', 'another server writes to this stream', 'Try again; one server should do so.')
  }

  #isOurs(): boolean {
    return this.#sidecar.isOurs && this.#data.size === this.#end
  }

  #free(): void {
    this.#data.close()
    this.#sidecar.close()
  }

  /** Makes of the two files what was acknowledged, and nothing else. */
  #load(): void {
    const fold = readSidecar(this.#files.meta)
    if (fold?.meta === undefined) throw lost(this.#meta.name, 'its sidecar is gone')
    const { size } = this.#data
    const { pending } = fold
    this.#void = fold.end(size) ? pending?.from : undefined
    this.#meta = fold.meta
    if (this.#meta.deleted) return
    const { to } = this.#meta
    if (size < to) throw lost(this.#meta.name, `${to - size} bytes of its file ${this.#data.path} are missing`)
    // Bytes that the sidecar does not know of are none of a torn append, of which it is told before: it was put back from a copy.
    this.#end = this.#void ?? (this.json ? Math.max(to, this.#data.linesEnd()) : size)
    if (this.#end < size) this.#data.cut(this.#end)
  }

  async #run(): Promise<void> {
    if (this.#running) return
    this.#running = true
    await this.use(async () => {
      while (this.#queue.length > 0) await this.#commit(takeJobs(this.#queue))
      // At once: whoever comes next, and finds it running, relies on the look above.
      this.#running = false
    })
  }

  async #commit(jobs: readonly Job[]): Promise<void> {
    try {
      if (this.#gone || this.#meta.deleted) {
        throw new Refusal('NOT_FOUND', 'the stream was deleted meanwhile', 'Create it again.')
      }
      if (this.#data.broken) throw this.#data.broken
      // Whoever asked to append has looked in this turn of the event loop, unless he had to wait for others.
      const isOurs = this.#isSeen || this.#isOurs()
      this.#isSeen = false
      if (!isOurs) this.#yield()
      const batch = new Batch(this.#meta, this.#end, this.json, jobs)
      await this.#write(batch)
      batch.resolve()
    } catch (error) {
      // Those that were refused already stay so.
      for (const { reject } of jobs) reject(error)
      return
    }
    this.#listeners.tell()
  }

  async #write({ from, to, bytes, record }: Batch): Promise<void> {
    if (record === undefined && to === from) return
    const lines: Line[] = this.#void === undefined ? [] : [{ type: 'void', from: this.#void }]
    if (record !== undefined) {
      lines.push(record)
      // Until its bytes are there.
      this.#void = from
    }
    if (lines.length > 0) {
      await this.#sidecar.append(lines)
      if (!this.#isOurs()) this.#yield()
    }
    if (to > from) {
      this.#data.append(bytes.length === 1 && bytes[0] !== undefined ? bytes[0] : Buffer.concat(bytes), from)
      await this.#data.sync(from)
      // Another server that opened it while this was written may have taken it for torn, and away.
      if (this.#data.size !== to) this.#yield()
    }
    this.#void = undefined
    this.#end = to
    if (record === undefined) return
    apply(this.#meta, record)
    try {
      this.#sidecar.compact(this.#meta)
    } catch {
      // It is large, and true all the same: the append is on the disk, and the next one tries again.
    }
  }
}

function openData(path: string, name: string): DataFile {
  try {
    return new DataFile(path)
  } catch (error) {
    if (errno(error) === 'ENOENT') throw lost(name, `its file ${path} is gone`)
    throw error
  }
}

const lost = (name: string, why: string) =>
  new Refusal(
    'STREAM_GONE',
    `the stream ${JSON.stringify(name)} cannot be read: ${why}`,
    'Delete it, and create it anew.',
  )
