/** What the routes work with. */
import type { Home } from '../base/paths.js'
import type { Supervisor } from '../supervisor/supervisor.js'
import type { Feeds } from './feed.js'
import type { Streams } from './streams.js'

export interface Addresses {
  readonly url: string
  readonly page: string
}

/** Who else may use durable streams over TCP; the sessions among them need the token all the same. */
export interface Sharing {
  /** Of pages that may send requests, with the token. */
  readonly origins: readonly string[]
  /** Everybody who reaches the port may, without one. */
  readonly public: boolean
  /** How long a poll waits, in milliseconds, for tests. */
  readonly pollMs?: number
}

export const unshared: Sharing = { origins: [], public: false }

/** What routes work with. */
export interface Context {
  readonly home: Home
  readonly supervisor: Supervisor
  /** Shared by all apps of a process: one tail per file, one cap. */
  readonly feeds: Feeds
  readonly streams: Streams
  readonly sharing: Sharing
  /** Where it listens on TCP, for programs; and for a browser, by the name that is ours alone. */
  readonly addresses: () => Addresses
}
