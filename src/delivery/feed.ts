/**
 * One tail per file, whatever the number of subscribers. What comes is read once and its frames are built once, for all who
 * have kept up. Who is behind, at the start or because their connection is slow, reads the file at their own pace until they
 * have caught up: the file is the buffer, and nobody is buffered for.
 */
import { closeSync, fstatSync } from 'node:fs'
import { setImmediate as otherWork } from 'node:timers/promises'
import { type Delivered, delivered } from '../base/channels.js'
import { linesEnd, openIfThere } from '../log/read.js'
import { tail } from '../log/tail.js'
import { framesOf, resetFrame } from './frames.js'
import { cutPage, PAGE, readPage } from './page.js'

/** Proxies and clients give up on silent connections after 30 s and more. */
const HEARTBEAT_MS = 15_000
/** Bytes of frames that are kept for subscribers who are a moment late. */
const RECENT = 16 * PAGE
const nothing = Buffer.alloc(0)

interface Frames {
  readonly bytes: Buffer
  readonly to: number
}

/** @param end where its last line ends; undefined if what comes is another file, or cannot be read */
export type Watcher = (end: number | undefined) => void

/** The files that are followed now. */
export class Feeds {
  readonly #feeds = new Map<string, Feed>()
  readonly #heartbeat: number

  constructor(options: { heartbeat?: number } = {}) {
    this.#heartbeat = options.heartbeat ?? HEARTBEAT_MS
  }

  /** How many files are followed. */
  get size(): number {
    return this.#feeds.size
  }

  /**
   * Frames of the log from an address, or from its end, until `signal` aborts; an empty one is a heartbeat. What is held
   * for the subscriber is let go on abort, also if it never asks again.
   */
  follow(path: string, from: number | 'tail', signal: AbortSignal): AsyncGenerator<Buffer, void> {
    return this.#join(path, signal, (feed) => feed.join(from, signal))
  }

  /** Tells of each growth of a log until `signal` aborts. @returns what would be told of it as it is */
  watch(path: string, signal: AbortSignal, listener: Watcher): ReturnType<Feed['watch']> {
    return this.#join(path, signal, (feed) => feed.watch(signal, listener))
  }

  #join<T>(path: string, signal: AbortSignal, join: (feed: Feed) => T): T {
    const feed = this.#feeds.get(path) ?? new Feed(path, this.#heartbeat)
    this.#feeds.set(path, feed)
    const leave = () => {
      if (feed.leave(signal)) this.#feeds.delete(path)
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
  readonly #members = new Set<AbortSignal>()
  readonly #watchers = new Map<AbortSignal, Watcher>()
  readonly #waiting = new Map<AbortSignal, (beat: boolean) => void>()
  readonly #heart: NodeJS.Timeout
  /** Frames by where they begin, the oldest first. */
  readonly #recent = new Map<number, Frames>()
  #kept = 0
  /** One descriptor for all who read for themselves. */
  #fd: number | undefined
  /** How far the file was read: where those who have kept up are. */
  #position: number
  /** Counts files: one more after each reset. */
  #generation = 0
  #why = ''
  #failure: unknown

  constructor(path: string, heartbeat: number) {
    this.#path = path
    // The registry before the first session is not there; the tail waits for it.
    this.#fd = openIfThere(path)
    this.#position = this.#fd === undefined ? 0 : linesEnd(this.#fd)
    this.#heart = setInterval(() => this.#wake(true), heartbeat).unref()
    void this.#run()
  }

  join(from: number | 'tail', signal: AbortSignal): AsyncGenerator<Buffer, void> {
    this.#members.add(signal)
    return this.#frames(from === 'tail' ? this.#position : from, this.#generation, signal)
  }

  watch(signal: AbortSignal, listener: Watcher): number | undefined {
    this.#watchers.set(signal, listener)
    return this.#failure === undefined ? this.#position : undefined
  }

  /** @returns whether that was the last one; the feed is closed then */
  leave(signal: AbortSignal): boolean {
    this.#members.delete(signal)
    this.#watchers.delete(signal)
    this.#waiting.get(signal)?.(false)
    this.#waiting.delete(signal)
    if (this.#members.size > 0 || this.#watchers.size > 0) return false
    this.#stop.abort()
    clearInterval(this.#heart)
    this.#close()
    return true
  }

  async *#frames(from: number, known: number, signal: AbortSignal): AsyncGenerator<Buffer, void> {
    let at = from
    let generation = known
    while (!signal.aborted) {
      if (this.#failure !== undefined) throw this.#failure
      if (generation !== this.#generation) {
        generation = this.#generation
        at = 0
        yield resetFrame(this.#why)
        continue
      }
      const shared = this.#recent.get(at)
      const frames = shared ?? this.#read(at)
      if (frames !== undefined) {
        at = frames.to
        if (frames.bytes.length > 0) yield frames.bytes
        // A long way to go, beside others who are waiting for their turn.
        if (shared === undefined) await otherWork()
      } else if (await this.#woken(signal)) yield nothing
    }
  }

  #read(at: number): Frames | undefined {
    if (this.#fd === undefined || at >= this.#position) return undefined
    const page = readPage(this.#fd, at, this.#position)
    return page === undefined ? undefined : { bytes: framesOf(page.bytes, at), to: page.to }
  }

  /** Resolves when there is something new, with true if it is only time for a heartbeat. */
  #woken(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => this.#waiting.set(signal, resolve))
  }

  #wake(beat: boolean): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const resolve of waiting) resolve(beat)
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    try {
      for await (const item of tail(this.#path, { from: this.#position, signal })) {
        if (item.kind === 'bytes') this.#share(item.bytes, item.base)
        else this.#reset(item.why)
        this.#wake(false)
        for (const tell of [...this.#watchers.values()]) tell(item.kind === 'bytes' ? this.#position : undefined)
        if (item.kind === 'bytes' && delivered.hasSubscribers) this.#tell(item.bytes.length)
        // Subscribers send it before the next piece is read, however much there is.
        await otherWork()
      }
    } catch (error) {
      // Each subscriber tells its client, and leaves.
      this.#failure = error
      this.#wake(false)
      for (const tell of [...this.#watchers.values()]) tell(undefined)
    }
  }

  #share(bytes: Buffer, base: number): void {
    this.#fd ??= openIfThere(this.#path)
    // Whoever comes later reads the file.
    for (let start = 0; start < bytes.length && this.#members.size > 0; ) {
      const end = cutPage(bytes, start)
      const frames = framesOf(bytes.subarray(start, end), base + start)
      this.#recent.set(base + start, { bytes: frames, to: base + end })
      this.#kept += frames.length
      start = end
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
