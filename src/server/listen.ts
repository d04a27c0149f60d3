/**
 * The server's ears: a Unix socket for programs of this user, and loopback TCP for browsers. Each has an app of its own,
 * since an app of Fastify listens once, and since the guard is then chosen where it is built: no request has to be asked by
 * which way it came. All share the tails and the cap.
 */
import type { FastifyInstance } from 'fastify'
import { type Config, readConfig } from '../base/config.js'
import { AgentzError, reason } from '../base/errors.js'
import { createLogger, type Logger } from '../base/logger.js'
import { ensureHome, type Home, serverSocket } from '../base/paths.js'
import { ensureToken } from '../base/token.js'
import type { Supervisor } from '../supervisor/supervisor.js'
import { buildApp } from './app.js'
import { type Sharing, unshared } from './context.js'
import { ownName } from './cookie.js'
import { listenTcp, listenUnix, portOf } from './ears.js'
import { Feeds } from './feed.js'
import { Streams } from './streams.js'

export interface ListenOptions {
  readonly home: Home
  readonly supervisor: Supervisor
  readonly config?: Config
  readonly logger?: Logger
  /** 127.0.0.1, ::1 or localhost; else as config.json says. */
  readonly host?: string
  /** 0 takes one that is free; else as config.json says. */
  readonly port?: number
  readonly sharing?: Sharing
  /** The path of the Unix socket, in a directory of this user's own. */
  readonly socket?: string
}

export interface Listening {
  readonly url: string
  readonly socketPath: string
  readonly feeds: Feeds
  readonly streams: Streams
  /** Ends all streams, answers what was asked, frees all sockets. */
  close(): Promise<void>
}

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** @throws BAD_INPUT for a host that is not loopback; SERVER_LISTEN; HOME_UNUSABLE */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { home, supervisor } = options
  const logger = options.logger ?? (await createLogger('server'))
  const { server } = options.config ?? readConfig(home)
  const host = options.host ?? server.host
  if (!loopback.has(host)) {
    throw new AgentzError('BAD_INPUT', `host: ${JSON.stringify(host)} is not a loopback address`, {
      hint: 'Listen on 127.0.0.1, and reach it from elsewhere through ssh -L.',
    })
  }
  ensureHome(home)
  // Whatever is wrong with it is said now, and not at the first request.
  ensureToken(home)
  const socketPath = options.socket ?? serverSocket(home)
  const token = () => ensureToken(home)
  const [feeds, streams] = [new Feeds(), new Streams(server.maxStreams, token)]
  const name = host === '::1' ? '[::1]' : host
  // Safari knows no names below .localhost.
  const page = (token: string) => (process.platform === 'darwin' ? name : ownName(token))
  const apps: FastifyInstance[] = []
  const port = () => portOf(apps[1])
  const addresses = () => ({ url: `http://${name}:${port()}`, page: `http://${page(token())}:${port()}` })
  const { sharing = unshared } = options
  const context = { home, supervisor, logger, feeds, streams, sharing, addresses }
  const close = async () => void (await Promise.all(apps.map((app) => app.close())))
  try {
    apps.push(await buildApp({ ...context, guard: { kind: 'unix' } }))
    await listenUnix(apps[0]!, socketPath)
    const build = (port: () => number) => buildApp({ ...context, guard: { kind: 'tcp', token, port, page } })
    apps.push(...(await listenTcp(build, host, options.port ?? server.port, server.maxStreams)))
  } catch (error) {
    await close()
    if (error instanceof AgentzError) throw error
    throw new AgentzError('SERVER_LISTEN', `cannot listen: ${reason(error)}`, { cause: error })
  }
  return { url: addresses().url, socketPath, feeds, streams, close }
}
