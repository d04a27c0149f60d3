/**
 * One tail per file, whatever the number of subscribers. What comes is read once and its frames are built once, for all who
 * have kept up. Who is behind, at the start or because their connection is slow, reads the file at their own pace until they
 * have caught up: the file is the buffer, and nobody is buffered for.
 */
import { closeSync, fstatSync } from 'node:fs'
import { setImmediate as otherWork } from 'node:timers/promises'
import { type Delivered, delivered } from '../base/channels.js'
import type { Memory } from '../base/memory.js'
import { linesEnd, openIfThere } from '../log/read.js'
import { tail } from '../log/tail.js'
import { Follower, type Found } from './follower.js'
import { type Framed, framesIn, framesOf, GAP, resetFrame } from './frames.js'
import { readPage } from './page.js'
import type { Frames } from './pump.js'

/** Bytes of frames that are kept for subscribers who are a moment late. */
const RECENT = 1024 * 1024

/** @param end where its last line ends; undefined if what comes is another file, or cannot be read */
export type Watcher = (end: number | undefined) => void

/** The files that are followed now. */
export class Feeds {
  readonly #feeds = new Map<string, Feed>()

  /** How many files are followed. */
  get size(): number {
    return this.#feeds.size
  }

  /** Frames of the log from an address, or from its end, until `signal` aborts. What is held for them is let go then. */
  follow(path: string, from: number | 'tail', signal: AbortSignal): Frames {
    return this.#join(path, signal, (feed) => feed.join(from, signal))
  }

  /** Tells of each growth of a log until `signal` aborts. @returns what would be told of it as it is */
  watch(path: string, signal: AbortSignal, listener: Watcher): ReturnType<Feed['watch']> {
    return this.#join(path, signal, (feed) => feed.watch(signal, listener))
  }

  #join<T>(path: string, signal: AbortSignal, join: (feed: Feed) => T): T {
    // What one could not read another one may: those who still have it are told, and nobody comes to them.
    const known = this.#feeds.get(path)
    const feed = known === undefined || known.hasFailed ? new Feed(path) : known
    this.#feeds.set(path, feed)
    const leave = () => {
      if (feed.leave(signal) && this.#feeds.get(path) === feed) this.#feeds.delete(path)
    }
    const joined = join(feed)
    if (signal.aborted) leave()
    else signal.addEventListener('abort', leave, { once: true })
    return joined
  }
}

class Feed {
  readonly #path: string
  readonly #stop = new AbortController()
  readonly #members = new Map<AbortSignal, Follower>()
  readonly #watchers = new Map<AbortSignal, Watcher>()
  /** Frames by where they begin, the oldest first. */
  readonly #recent = new Map<number, Framed>()
  #kept = 0
  /** One descriptor for all who read for themselves. */
  #fd: number | undefined
  /** How far the file was read: where those who have kept up are. */
  #position: number
  /** Counts files: one more after each reset. */
  #generation = 0
  #why = ''
  #failure: unknown

  constructor(path: string) {
    this.#path = path
    // The registry before the first session is not there; the tail waits for it.
    this.#fd = openIfThere(path)
    this.#position = this.#fd === undefined ? 0 : linesEnd(this.#fd)
    void this.#run()
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  join(from: number | 'tail', signal: AbortSignal): Frames {
    const follower = new Follower(this, from === 'tail' ? this.#position : from, this.#generation, signal)
    this.#members.set(signal, follower)
    return follower
  }

  watch(signal: AbortSignal, listener: Watcher): number | undefined {
    this.#watchers.set(signal, listener)
    return this.#failure === undefined ? this.#position : undefined
  }

  /** @returns whether that was the last one; the feed is closed then */
  leave(signal: AbortSignal): boolean {
    const follower = this.#members.get(signal)
    this.#members.delete(signal)
    this.#watchers.delete(signal)
    follower?.wake()
    if (this.#members.size > 0 || this.#watchers.size > 0) return false
    this.#stop.abort()
    this.#close()
    return true
  }

  /** @throws why the file cannot be read */
  framesAt(at: number, known: number, memory: Memory): Found | undefined {
    if (this.#failure !== undefined) throw this.#failure
    const generation = this.#generation
    if (known !== generation) return { bytes: resetFrame(this.#why), to: 0, generation }
    const shared = this.#recent.get(at)
    if (shared !== undefined || this.#fd === undefined || at >= this.#position) return shared
    const page = readPage(this.#fd, at, this.#position, memory, GAP)
    return page && { ...framesIn(page), isLent: true }
  }

  #wake(): void {
    for (const follower of [...this.#members.values()]) follower.wake()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    try {
      for await (const item of tail(this.#path, { from: this.#position, signal })) {
        if (item.kind === 'bytes') this.#share(item.bytes, item.base)
        else this.#reset(item.why)
        this.#wake()
        for (const tell of [...this.#watchers.values()]) tell(item.kind === 'bytes' ? this.#position : undefined)
        if (item.kind === 'bytes' && delivered.hasSubscribers) this.#tell(item.bytes.length)
        // Subscribers send it before the next piece is read, however much there is.
        await otherWork()
      }
    } catch (error) {
      // Each subscriber tells its client, and leaves.
      this.#failure = error
      this.#wake()
      for (const tell of [...this.#watchers.values()]) tell(undefined)
    }
  }

  #share(bytes: Buffer, base: number): void {
    this.#fd ??= openIfThere(this.#path)
    // Whoever comes later reads the file.
    for (let at = base; at < base + bytes.length && this.#members.size > 0; ) {
      const framed = framesOf(bytes.subarray(at - base), at)
      this.#recent.set(at, framed)
      this.#kept += framed.bytes.length
      at = framed.to
    }
    this.#position = base + bytes.length
    for (const [from, { bytes: frames }] of this.#recent) {
      if (this.#kept <= RECENT) break
      this.#recent.delete(from)
      this.#kept -= frames.length
    }
  }

  #tell(bytes: number): void {
    if (this.#fd === undefined) return
    const seconds = Math.max(0, (Date.now() - fstatSync(this.#fd).mtimeMs) / 1000)
    delivered.publish({ bytes, followers: this.#members.size + this.#watchers.size, seconds } satisfies Delivered)
  }

  #reset(why: string): void {
    this.#close()
    this.#recent.clear()
    this.#kept = 0
    this.#position = 0
    this.#generation++
    this.#why = why
  }

  #close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}
