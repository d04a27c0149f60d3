/** What of an agent's stderr says nothing to anybody. */
import type { Profile } from './profile.js'

/** The protocol's SDK, inside the agent, prints each request that fails. Whoever asked is told of it by the answer. */
const DUMP = /^Error handling (request|notification) \{/

export class Stderr {
  readonly #profile: Profile
  #inDump = false
  #isOver = false

  constructor(profile: Profile) {
    this.#profile = profile
  }

  /** It was asked to end. */
  end(): void {
    this.#isOver = true
  }

  isNoise(line: string): boolean {
    if (this.#isOver && this.#profile.mutters === true) return true
    if (DUMP.test(line)) this.#inDump = true
    if (!this.#inDump) return this.#profile.noise?.test(line) === true
    // A dump ends with its only line that is a brace and nothing else.
    if (line === '}') this.#inDump = false
    return true
  }
}
