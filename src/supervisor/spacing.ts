/** The pause between two sessions that a recover starts. Pure. */

/**
 * As asked for, more or less by half, so that agents do not act in step; longer where a start has taken longer than the quickest one, so
 * that a busy machine is left to others for as long.
 */
export class Spacing {
  #quickest = Number.POSITIVE_INFINITY
  #late = 0
  readonly #askedMs: number

  constructor(askedMs: number) {
    this.#askedMs = askedMs
  }

  /** A start has taken so long. */
  took(ms: number): void {
    this.#quickest = Math.min(this.#quickest, ms)
    this.#late = ms - this.#quickest
  }

  /** @param chance from 0 to 1 */
  next(chance: number): number {
    return Math.max(this.#askedMs, this.#late) * (0.5 + chance)
  }
}
