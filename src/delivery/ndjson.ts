/** A log as application/x-ndjson: the bytes of its records as they are on disk, up to where the log ended at the request. */
import { closeSync, fstatSync } from 'node:fs'
import { Memory } from '../base/memory.js'
import { readPage, recordsOf } from './page.js'
import type { Frame, Frames } from './pump.js'

export class Records implements Frames {
  readonly #fd: number
  readonly #to: number
  readonly #signal: AbortSignal
  readonly #memory = new Memory()
  #at: number

  /** @param fd an open log, which is closed with this @param signal aborts when the rest is not to be sent */
  constructor(fd: number, from: number, signal: AbortSignal) {
    this.#fd = fd
    this.#at = from
    this.#signal = signal
    this.#to = fstatSync(fd).size
  }

  /** @throws if the rest is not to be sent, or cannot be read */
  next(): Frame | 'end' {
    for (;;) {
      this.#signal.throwIfAborted()
      const page = readPage(this.#fd, this.#at, this.#to, this.#memory)
      if (page === undefined) return 'end'
      this.#at = page.to
      const bytes = recordsOf(page)
      if (bytes.length > 0) return { bytes, isLent: true }
    }
  }

  /** All that is to come is there. */
  onMore(): void {}

  leave(): void {
    closeSync(this.#fd)
  }
}
