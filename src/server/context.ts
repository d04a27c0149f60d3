/** What the routes work with. */
import type { Home } from '../base/paths.js'
import type { Feeds } from '../delivery/feed.js'
import type { Streams } from '../delivery/streams.js'
import type { Sharing } from '../streams/sharing.js'
import type { Supervisor } from '../supervisor/supervisor.js'

export interface Addresses {
  readonly url: string
  readonly page: string
}

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
