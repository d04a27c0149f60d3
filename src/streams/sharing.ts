/** Who else may use durable streams over TCP, where `agentz serve` was told so; the sessions among them need the token all the same. */
import { isOwnIn } from './name.js'

export interface Sharing {
  /** Of pages that may send requests, with the token. */
  readonly origins: readonly string[]
  /** Everybody who reaches the port may, without one. */
  readonly public: boolean
  /** How long a poll waits, in milliseconds, for tests. */
  readonly pollMs?: number
}

export const unshared: Sharing = { origins: [], public: false }

/** To whom the stream of a request is open; undefined if it is as closed as everything else. */
export function sharedBy(
  url: string,
  origin: string | undefined,
  sharing: Sharing,
): 'everybody' | 'origin' | undefined {
  if (sharing.public && !isOwnIn(url)) return 'everybody'
  return origin !== undefined && sharing.origins.includes(origin) ? 'origin' : undefined
}
