/** One who follows a log, from an address on. Who has kept up is sent what all are sent; who is behind reads into memory of its own. */
import { Memory } from '../base/memory.js'
import type { Framed } from './frames.js'
import type { Frame, Frames } from './pump.js'

export interface Found extends Framed, Frame {
  /** Of another file, which begins at 0. */
  readonly generation?: number
}

export interface Followed {
  /** What comes at an address of a file; undefined if there is nothing yet. @throws */
  framesAt(at: number, generation: number, memory: Memory): Found | undefined
}

export class Follower implements Frames {
  readonly #followed: Followed
  readonly #signal: AbortSignal
  readonly #memory = new Memory()
  #at: number
  #generation: number
  #wake: (() => void) | undefined

  constructor(followed: Followed, at: number, generation: number, signal: AbortSignal) {
    this.#followed = followed
    this.#at = at
    this.#generation = generation
    this.#signal = signal
  }

  next(): Frame | 'wait' | 'end' {
    while (!this.#signal.aborted) {
      const found = this.#followed.framesAt(this.#at, this.#generation, this.#memory)
      if (found === undefined) {
        this.#memory.free()
        return 'wait'
      }
      this.#at = found.to
      this.#generation = found.generation ?? this.#generation
      if (found.bytes.length > 0) return found
    }
    return 'end'
  }

  onMore(wake: () => void): void {
    this.#wake = wake
  }

  wake(): void {
    this.#wake?.()
  }

  leave(): void {
    this.#wake = undefined
  }
}
