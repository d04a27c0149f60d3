/**
 * Following a log as it grows. fs.watch is a hint that shortens the wait; a slow poll by path is what is relied on,
 * because inotify runs out (EMFILE, ENOSPC), overflows silently, and says nothing of a file that was replaced.
 *
 * One watch per file, not per directory: on macOS the directory kind is blind to appends on an open descriptor.
 */
import { closeSync, type FSWatcher, fstatSync, statSync, watch } from 'node:fs'
import { errno } from '../base/errors.js'
import { openIfThere, readChunks } from './read.js'

const POLL_MS = 250
/** Where no watch can be had, the poll alone has to be quick enough for a person. */
const POLL_BLIND_MS = 50

export interface TailOptions {
  from: number
  signal: AbortSignal
  /** Milliseconds between polls, for tests. */
  poll?: number
}

export type TailItem =
  /** Whole lines, beginning at file offset `base`. The buffer is the receiver's until it asks for the next item. */
  | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly base: number }
  /** The file was truncated, replaced or deleted: what follows begins at offset 0 again. */
  | { readonly kind: 'reset'; readonly why: 'truncated' | 'replaced' | 'deleted' }

/**
 * Yields what is in the log from an offset on, and then what comes, until `signal` aborts. A file that does not exist yet is
 * waited for. Resources are freed on abort, also while the consumer never asks again.
 */
export async function* tail(path: string, options: TailOptions): AsyncGenerator<TailItem, void> {
  const { signal } = options
  const source = new Source(path, options.from)
  const bell = new Bell(path, options.poll)
  const free = () => {
    bell.close()
    source.close()
  }
  signal.addEventListener('abort', free, { once: true })
  try {
    while (!signal.aborted) {
      bell.arm()
      for (const item of source.read()) {
        yield item
        if (signal.aborted) return
      }
      await bell.rung()
    }
  } finally {
    signal.removeEventListener('abort', free)
    free()
  }
}

/** The open file and how far it was read. */
class Source {
  readonly #path: string
  #offset: number
  #fd: number | undefined

  constructor(path: string, from: number) {
    this.#path = path
    this.#offset = from
  }

  *read(): Generator<TailItem> {
    this.#fd ??= openIfThere(this.#path)
    if (this.#fd === undefined) return
    yield* this.#rest(this.#fd)
    const fate = this.#fate(this.#fd)
    if (fate === undefined) return
    // The old file may have got more between the read and the look: nothing of it is lost.
    if (fate !== 'truncated') yield* this.#rest(this.#fd)
    this.close()
    this.#offset = 0
    yield { kind: 'reset', why: fate }
    this.#fd = openIfThere(this.#path)
    if (this.#fd !== undefined) yield* this.#rest(this.#fd)
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }

  *#rest(fd: number): Generator<TailItem> {
    for (const { bytes, base } of readChunks(fd, this.#offset, fstatSync(fd).size)) {
      this.#offset = base + bytes.length
      yield { kind: 'bytes', bytes, base }
      if (this.#fd === undefined) return
    }
  }

  #fate(fd: number): 'truncated' | 'replaced' | 'deleted' | undefined {
    const open = fstatSync(fd)
    if (open.size < this.#offset) return 'truncated'
    try {
      const now = statSync(this.#path)
      return now.ino === open.ino && now.dev === open.dev ? undefined : 'replaced'
    } catch (error) {
      if (errno(error) === 'ENOENT') return 'deleted'
      throw error
    }
  }
}

/** Rings when the file may have changed. Armed before the read, so that a change during the read is not slept over. */
class Bell {
  readonly #path: string
  readonly #poll: number | undefined
  #watcher: FSWatcher | undefined
  #ring: (() => void) | undefined
  #pending = false
  #closed = false

  constructor(path: string, poll: number | undefined) {
    this.#path = path
    this.#poll = poll
  }

  arm(): void {
    this.#pending = false
    if (this.#watcher !== undefined || this.#closed) return
    try {
      this.#watcher = watch(this.#path, { persistent: false }, (event) => {
        // The file moved away: its watch is worth nothing to us, the poll finds the next one.
        if (event === 'rename') this.#unwatch()
        this.#wake()
      })
      this.#watcher.on('error', () => this.#unwatch())
    } catch {
      // No inotify instance, no watch, or no file yet: the poll serves.
      this.#watcher = undefined
    }
  }

  rung(): Promise<void> {
    if (this.#pending || this.#closed) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), this.#poll ?? (this.#watcher ? POLL_MS : POLL_BLIND_MS))
      this.#ring = () => {
        clearTimeout(timer)
        this.#ring = undefined
        resolve()
      }
    })
  }

  close(): void {
    this.#closed = true
    this.#unwatch()
    this.#wake()
  }

  #wake(): void {
    this.#pending = true
    this.#ring?.()
  }

  #unwatch(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }
}
