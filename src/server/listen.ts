/**
 * The server's ears: a Unix socket for programs of this user, and loopback TCP for browsers. Each has an app of its own: the guard is
 * then chosen where it is built, and no request has to be asked by which way it came. Both share the tails and the cap.
 */
import type { Server } from 'node:net'
import { type Config, readConfig } from '../base/config.js'
import { ownName } from '../base/cookie.js'
import { AgentzError, reason } from '../base/errors.js'
import { createServerLogger, type Logger } from '../base/logger.js'
import { ensureHome, type Home, serverSocket } from '../base/paths.js'
import { tokenOf } from '../base/token.js'
import { Feeds } from '../delivery/feed.js'
import { Streams } from '../delivery/streams.js'
import type { Idle } from '../sockets/idle.js'
import { type Inherited, listenInherited } from '../sockets/inherited.js'
import { silentOf } from '../sockets/listening.js'
import { listenLoopback, otherDoor, portOf, requireLoopback } from '../sockets/loopback.js'
import { listenUnix } from '../sockets/unix.js'
import { type Sharing, unshared } from '../streams/sharing.js'
import type { Supervisor } from '../supervisor/supervisor.js'
import { buildApp } from './app.js'

export interface ListenOptions {
  readonly home: Home
  readonly supervisor: Supervisor
  readonly config?: Config
  readonly logger?: Logger
  /** 127.0.0.1, ::1 or localhost. It and the port are else as config.json says. */
  readonly host?: string
  readonly port?: number
  readonly sharing?: Sharing
  /** The path of the Unix socket, in a directory of this user's own. */
  readonly socket?: string
  /** Sockets that listen already, instead of these addresses. */
  readonly inherited?: Inherited
  readonly idle?: Idle
}

export interface Listening {
  readonly url: string
  readonly socketPath: string
  readonly feeds: Feeds
  readonly streams: Streams
  /** What listens, for who is to listen too. */
  readonly servers: readonly Server[]
  /** Ends all streams, answers what was asked, frees all sockets; but those that a successor has. */
  close(succeeded?: boolean): Promise<void>
}

/** Connections at each address of TCP, beside streams: any user can open some. Those over the socket, our own user's, are not counted. */
const SPARE_CONNECTIONS = 256

/** @throws BAD_INPUT for a host that is not loopback; SERVER_LISTEN; HOME_UNUSABLE */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { home, supervisor, sharing = unshared, inherited } = options
  const logger = options.logger ?? (await createServerLogger())
  const { server } = options.config ?? readConfig(home)
  const host = options.host ?? server.host
  requireLoopback(host)
  ensureHome(home)
  const token = tokenOf(home)
  // Whatever is wrong with it is said now, and not at the first request.
  token()
  const [feeds, streams] = [new Feeds(), new Streams(server.maxStreams, token)]
  const name = host === '::1' ? '[::1]' : host
  // Safari knows no names below .localhost.
  const page = (token: string) => (process.platform === 'darwin' ? name : ownName(token))
  let known = 0
  // A server that has stopped listening does not tell any more, and still has to answer.
  const port = () => {
    known ||= portOf(tcp.server)
    return known
  }
  const addresses = () => ({ url: `http://${name}:${port()}`, page: `http://${page(token())}:${port()}` })
  const context = { home, supervisor, logger, feeds, streams, sharing, addresses }
  const unix = await buildApp({ ...context, guard: { kind: 'unix' } })
  const tcp = await buildApp({ ...context, guard: { kind: 'tcp', token, port, page } })
  const other = otherDoor(tcp.server)
  for (const door of [tcp.server, other]) door.maxConnections = server.maxStreams + SPARE_CONNECTIONS
  for (const app of [unix, tcp]) options.idle?.watch(app.server)
  let socketPath = options.socket ?? serverSocket(home)
  let release = async (): Promise<void> => undefined
  const silent = [unix, tcp].map((app) => silentOf(app.server))
  const close = async (succeeded = false) => {
    other.close()
    for (const end of silent) end()
    await Promise.all([unix.close(), tcp.close()])
    if (!succeeded) await release()
  }
  try {
    await Promise.all([unix.ready(), tcp.ready()])
    if (inherited !== undefined) {
      ;({ path: socketPath, release } = await listenInherited(inherited, unix.server, [tcp.server, other], socketPath))
    } else {
      release = await listenUnix(unix.server, socketPath)
      await listenLoopback([tcp.server, other], host, options.port ?? server.port)
    }
  } catch (error) {
    await close()
    if (error instanceof AgentzError) throw error
    throw new AgentzError('SERVER_LISTEN', `cannot listen: ${reason(error)}`, { cause: error })
  }
  return { url: addresses().url, socketPath, feeds, streams, servers: [unix.server, tcp.server, other], close }
}
