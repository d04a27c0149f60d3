/** The logs of sessions, and the registry, as streams that can be read: the very same files, and the same offsets. */
import { closeSync, fstatSync } from 'node:fs'
import { openIfThere } from '../../log/read.js'
import { tail } from '../../log/tail.js'
import { readAt } from '../../streams/data.js'
import type { Source } from '../../streams/source.js'
import { linesEnd, recordsOf } from '../page.js'

/** Those that are read now; each is opened, and followed, once. */
export class Logs {
  readonly #open = new Map<string, LogSource>()

  /** @returns undefined if there is no such log. @throws as the system does */
  async use<T>(path: string, work: (source: Source) => Promise<T>): Promise<T> {
    const source = this.#open.get(path) ?? new LogSource(path)
    this.#open.set(path, source)
    source.users++
    try {
      source.look()
      return await work(source)
    } finally {
      if (--source.users === 0) {
        this.#open.delete(path)
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
  readonly #listeners = new Set<() => void>()
  #fd: number | undefined
  #follow: AbortController | undefined

  constructor(path: string) {
    this.#path = path
  }

  get id(): string {
    return this.#fd === undefined ? '0' : String(fstatSync(this.#fd).ino)
  }

  look(): void {
    this.#fd ??= openIfThere(this.#path)
    if (this.#fd !== undefined) this.end = Math.max(this.end, linesEnd(this.#fd))
  }

  async read(from: number, most: number): Promise<Buffer> {
    return this.#fd === undefined ? Buffer.alloc(0) : readAt(this.#fd, from, most)
  }

  linesOf(bytes: Buffer, from: number): Buffer {
    return recordsOf({ bytes, from, to: from + bytes.length })
  }

  onGrowth(listener: () => void): () => void {
    this.#listeners.add(listener)
    if (this.#follow === undefined) void this.#run()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      this.#follow?.abort()
      this.#follow = undefined
    }
  }

  close(): void {
    this.#follow?.abort()
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  async #run(): Promise<void> {
    const follow = new AbortController()
    this.#follow = follow
    try {
      for await (const item of tail(this.#path, { from: this.end, signal: follow.signal })) {
        if (item.kind === 'bytes') {
          this.#fd ??= openIfThere(this.#path)
          this.end = Math.max(this.end, item.base + item.bytes.length)
        } else this.gone = true
        for (const wake of [...this.#listeners]) wake()
      }
    } catch {
      // It cannot be read any more: who asks again is told why.
      this.gone = true
      for (const wake of [...this.#listeners]) wake()
    }
  }
}
