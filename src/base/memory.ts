/**
 * Memory that is used again and again. A fresh piece of some hundred KiB comes from the kernel, which makes it page by page as it is
 * touched; that takes several times as long as to read a file into it.
 */

/** Bytes; a larger piece is wanted seldom, and is not kept. */
const KEPT = 2 * 1024 * 1024

const nothing = Buffer.alloc(0)

export class Memory {
  #bytes = nothing

  /** So many bytes, with whatever is in them; those that were given before are overwritten. No pool has a part in them. */
  take(size: number): Buffer {
    if (size > KEPT) return Buffer.allocUnsafeSlow(size)
    if (this.#bytes.length < size) this.#bytes = Buffer.allocUnsafeSlow(size)
    return this.#bytes.subarray(0, size)
  }

  /** Keeps none of it for the next time. */
  free(): void {
    this.#bytes = nothing
  }
}

/** For those who need one for a moment each: so many are kept while nobody has them. */
const MOST_SPARE = 4

export class Memories {
  readonly #spare: Memory[] = []

  borrow(): Memory {
    return this.#spare.pop() ?? new Memory()
  }

  giveBack(memory: Memory): void {
    if (this.#spare.length < MOST_SPARE) this.#spare.push(memory)
  }
}
