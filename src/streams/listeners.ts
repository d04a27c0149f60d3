/** Who is told that a stream has grown, or is over. */

/** So many are told at once. The others come in the next turns of the event loop, lest whoever appends waits until many were served. */
const AT_ONCE = 8

export class Listeners {
  readonly #all = new Set<() => void>()
  /** A round is under way; those that it has told already may have to be told once more. */
  #isTelling = false
  #again = false

  get size(): number {
    return this.#all.size
  }

  /** @returns what takes it out again */
  add(listener: () => void): () => void {
    this.#all.add(listener)
    return () => this.#all.delete(listener)
  }

  /** Tells each at least once from now on; what happens twice within a round may be told once. */
  tell(): void {
    if (this.#isTelling) this.#again = true
    else this.#go([...this.#all], 0)
  }

  #go(all: readonly (() => void)[], from: number): void {
    this.#isTelling = true
    const to = from + AT_ONCE
    for (const listener of all.slice(from, to)) if (this.#all.has(listener)) listener()
    if (to < all.length) setImmediate(() => this.#go(all, to))
    else this.#end()
  }

  #end(): void {
    this.#isTelling = false
    if (!this.#again) return
    this.#again = false
    setImmediate(() => this.tell())
  }
}
