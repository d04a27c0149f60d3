/** The logs of sessions, and the registry, as streams that can be read: the very same files, and the same offsets. */
import { closeSync, fstatSync, lstatSync } from 'node:fs'
import type { Memory } from '../../base/memory.js'
import type { Feeds } from '../../delivery/feed.js'
import { recordsOf } from '../../delivery/page.js'
import { linesEnd, openIfThere, readAt } from '../../log/read.js'
import { Listeners } from '../../streams/listeners.js'
import { ROOM, type Source } from '../../streams/source.js'

/** Those that are read now; each is opened, and followed, once. */
export class Logs {
  readonly #open = new Map<string, LogSource>()
  readonly #feeds: Feeds

  constructor(feeds: Feeds) {
    this.#feeds = feeds
  }

  /** @returns undefined if there is no such log. @throws as the system does */
  async use<T>(path: string, work: (source: Source) => Promise<T>): Promise<T> {
    // One whose file was replaced is kept by those alone who still read it.
    const known = this.#open.get(path)
    const source = known?.isCurrent() ? known : new LogSource(path, this.#feeds)
    this.#open.set(path, source)
    source.users++
    try {
      source.look()
      return await work(source)
    } finally {
      if (--source.users === 0) {
        if (this.#open.get(path) === source) this.#open.delete(path)
        source.close()
      }
    }
  }
}

class LogSource implements Source {
  readonly contentType = 'application/json'
  readonly json = true
  readonly closed = false
  gone = false
  end = 0
  users = 0
  readonly #path: string
  readonly #feeds: Feeds
  readonly #listeners = new Listeners()
  #fd: number | undefined
  #follow: AbortController | undefined

  constructor(path: string, feeds: Feeds) {
    this.#path = path
    this.#feeds = feeds
  }

  get id(): string {
    return this.#fd === undefined ? '0' : String(fstatSync(this.#fd).ino)
  }

  /** Whether its file is the one of that name now; who waits for more of another one is told that there will be none. */
  isCurrent(): boolean {
    if (!this.gone && this.#fd !== undefined) {
      this.gone = fstatSync(this.#fd).ino !== lstatSync(this.#path, { throwIfNoEntry: false })?.ino
      if (this.gone) this.#listeners.tell()
    }
    return !this.gone
  }

  look(): void {
    this.#fd ??= openIfThere(this.#path)
    if (this.#fd !== undefined) this.end = Math.max(this.end, linesEnd(this.#fd))
  }

  read(from: number, most: number, memory: Memory): Buffer {
    return this.#fd === undefined ? Buffer.alloc(0) : readAt(this.#fd, from, most, memory, ROOM)
  }

  linesOf(bytes: Buffer, from: number): Buffer {
    return recordsOf({ bytes, from, to: from + bytes.length })
  }

  onGrowth(listener: () => void): () => void {
    if (this.#follow === undefined) this.#watch()
    return this.#listeners.add(listener)
  }

  close(): void {
    this.#follow?.abort()
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  /** By the one tail that the events of the session have, too; as long as somebody uses it, since most who wait will wait again. */
  #watch(): void {
    const follow = new AbortController()
    const told = (end: number | undefined) => {
      if (end === undefined) this.gone = true
      else {
        this.#fd ??= openIfThere(this.#path)
        this.end = Math.max(this.end, end)
      }
    }
    const now = this.#feeds.watch(this.#path, follow.signal, (end) => {
      told(end)
      this.#listeners.tell()
    })
    this.#follow = follow
    told(now)
  }
}
