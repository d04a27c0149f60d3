/**
 * The streams of a home: created, forked, deleted and expired one at a time, opened when they are asked for. A stream is there
 * from when its sidecar is, and gone when that is, so it is written last and removed first.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { AgentzError, reason } from '../base/errors.js'
import { type Home, privateDirectory, streamData, streamMeta, streamsDirectory } from '../base/paths.js'
import { type Asked, differences, newMeta, planFork } from './create.js'
import { DataFile } from './data.js'
import type { Fork } from './meta.js'
import { keyOf } from './name.js'
import { Refusal } from './refusal.js'
import { besides, createSidecar, readSidecar, syncDirectory } from './sidecar.js'
import { isJson, piecesOf } from './source.js'
import { type Files, Stream } from './stream.js'

/** So many stay open while nobody asks for them. */
const MOST_OPEN = 200
/** Bytes of no stream are removed when they have not been written to for so long. */
const SWEEP_MS = 60_000

export class Store {
  readonly #home: Home
  readonly #open = new Map<string, Stream>()
  /** The last change of which streams there are; each waits for the one before. */
  #turn: Promise<unknown> = Promise.resolve()

  /** @throws HOME_UNUSABLE */
  constructor(home: Home) {
    this.#home = home
    privateDirectory(streamsDirectory(home))
    this.#sweep()
  }

  /** Works with a stream that is there. @throws NOT_FOUND, STREAM_GONE */
  async use<T>(name: string, work: (stream: Stream) => Promise<T>): Promise<T> {
    const key = keyOf(name)
    let stream = this.#load(key)
    if (stream?.expired() || stream?.meta.deleted) stream = await this.#exclusively(() => this.#findNow(key))
    if (stream === undefined) throw absent(name)
    if (stream.meta.deleted) throw buried(name)
    return await stream.use(() => work(stream))
  }

  /**
   * @param body what the bytes of a first message are, by the type of content
   * @returns the stream, and whether it is new. @throws CONFLICT, NOT_FOUND, BAD_INPUT, LOG_WRITE
   */
  create(name: string, asked: Asked, body: (json: boolean) => Buffer): Promise<{ stream: Stream; isNew: boolean }> {
    const key = keyOf(name)
    return this.#exclusively(async () => {
      const existing = await this.#findNow(key)
      if (existing !== undefined) {
        const why = differences(existing.meta, asked)
        if (why === undefined) return { stream: existing, isNew: false }
        throw new Refusal('CONFLICT', `there is another stream ${JSON.stringify(name)}: ${why}`, 'Take another name.')
      }
      const id = randomBytes(9).toString('base64url')
      if (asked.fork === undefined) return { stream: await this.#make(key, id, name, asked, body), isNew: true }
      const { from } = asked.fork
      const source = await this.#findNow(keyOf(from))
      if (source === undefined) throw absent(from)
      if (source.meta.deleted) throw new Refusal('CONFLICT', `${JSON.stringify(from)} was deleted`, 'Fork another one.')
      return { stream: await source.use(() => this.#make(key, id, name, asked, body, source)), isNew: true }
    })
  }

  /** It never comes back from when this returns on. @throws NOT_FOUND, STREAM_GONE */
  delete(name: string): Promise<void> {
    const key = keyOf(name)
    return this.#exclusively(async () => {
      let stream: Stream | undefined
      try {
        stream = await this.#findNow(key)
      } catch (error) {
        // Its bytes are lost, and its name shall be free.
        if (error instanceof Refusal && error.code === 'STREAM_GONE') return this.#erase(key)
        throw error
      }
      if (stream === undefined) throw absent(name)
      if (stream.meta.deleted) throw buried(name)
      await this.#remove(key, stream)
    })
  }

  close(): void {
    for (const stream of this.#open.values()) stream.close()
    this.#open.clear()
  }

  /** As it is after what is over has been removed. */
  async #findNow(key: string): Promise<Stream | undefined> {
    const stream = this.#load(key)
    if (stream === undefined) return undefined
    const over = stream.meta.deleted ? !this.#hasForks(stream) : stream.expired()
    if (!over) return stream
    await this.#remove(key, stream)
    return this.#load(key)
  }

  #load(key: string): Stream | undefined {
    const known = this.#open.get(key)
    if (known?.isCurrent()) {
      // The last used are last.
      this.#open.delete(key)
      this.#open.set(key, known)
      return known
    }
    const stream = Stream.open(this.#files(key))
    if (stream === undefined) return undefined
    this.#open.set(key, stream)
    for (const [other, { idle }] of this.#open) {
      if (this.#open.size <= MOST_OPEN) break
      if (!idle || other === key) continue
      this.#open.get(other)?.close()
      this.#open.delete(other)
    }
    return stream
  }

  async #make(
    key: string,
    id: string,
    name: string,
    asked: Asked,
    body: (json: boolean) => Buffer,
    source?: Stream,
  ): Promise<Stream> {
    const inherited = source === undefined ? 0 : await planFork(source, asked)
    const fork: Fork | undefined = source && { ...(asked.fork as Fork), id: source.id }
    const meta = newMeta(id, name, asked, fork, source?.meta)
    const bytes = body(isJson(meta.contentType))
    const { meta: metaPath, data: dataPath } = this.#files(key)
    this.#erase(key)
    const data = new DataFile(dataPath(isJson(meta.contentType)), true)
    try {
      if (source !== undefined) for await (const piece of piecesOf(source, 0, inherited)) data.append(piece)
      if (bytes.length > 0) data.append(bytes)
      await data.sync(0)
      await source?.noteFork(id, name)
      createSidecar(metaPath, { ...meta, to: inherited + bytes.length })
    } catch (error) {
      rmSync(data.path, { force: true })
      throw error
    } finally {
      data.close()
    }
    return this.#load(key) as Stream
  }

  async #remove(key: string, stream: Stream): Promise<void> {
    if (this.#hasForks(stream)) return stream.bury()
    const { fork } = stream.meta
    this.#erase(key)
    stream.retire()
    this.#open.delete(key)
    if (fork === undefined) return
    // Kept for this fork alone, perhaps.
    const source = this.#load(keyOf(fork.from))
    if (source?.id === fork.id && source.meta.deleted) await this.#findNow(keyOf(fork.from))
  }

  /** The sidecar first: without it the rest is nothing. @throws LOG_WRITE */
  #erase(key: string): void {
    const { meta, data } = this.#files(key)
    const remove = (path: string) => {
      try {
        rmSync(path, { force: true })
      } catch (error) {
        throw new AgentzError('LOG_WRITE', `cannot remove ${path}: ${reason(error)}`, { cause: error })
      }
    }
    remove(meta)
    syncDirectory(streamsDirectory(this.#home))
    for (const path of [data(true), data(false), besides(meta)]) remove(path)
  }

  #hasForks({ meta }: Stream): boolean {
    return [...meta.forks].some(([id, name]) => {
      const fork = this.#open.get(keyOf(name))
      if (fork !== undefined && !fork.gone) return fork.id === id && !fork.expired()
      return readSidecar(this.#files(keyOf(name)).meta)?.meta?.id === id
    })
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  /** Bytes without a sidecar are of a stream that was never made, or that was deleted; a sidecar beside another one never took its place. */
  #sweep(): void {
    const directory = streamsDirectory(this.#home)
    for (const name of readdirSync(directory)) {
      const path = join(directory, name)
      const [key = ''] = /^([a-z0-9_%-]+)\.(ndjson|bin)$/.exec(name)?.slice(1) ?? []
      const isLost = key !== '' && isOld(path) && !existsSync(streamMeta(this.#home, key))
      if (isLost || name.endsWith(besides('.meta.ndjson'))) rmSync(path, { force: true })
    }
  }

  #files(key: string): Files {
    return { meta: streamMeta(this.#home, key), data: (json) => streamData(this.#home, key, json) }
  }
}

/** Another server that has still to end may be about to make it. */
function isOld(path: string): boolean {
  const at = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs
  return at !== undefined && Math.abs(Date.now() - at) > SWEEP_MS
}

const absent = (name: string) =>
  new Refusal('NOT_FOUND', `there is no stream ${JSON.stringify(name)}`, 'Create it with PUT.')
const buried = (name: string) =>
  new Refusal('STREAM_GONE', `the stream ${JSON.stringify(name)} was deleted`, 'It has forks; use one of them.')
