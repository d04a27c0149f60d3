/**
 * The server's two ears: a Unix socket for programs of this user, and loopback TCP for browsers. Each has an app of its own,
 * since an app of Fastify listens once, and since the guard is then chosen where it is built: no request has to be asked by
 * which way it came. Both share the tails and the cap.
 */
import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { type Config, readConfig } from '../base/config.js'
import { AgentzError, errno, reason } from '../base/errors.js'
import { createLogger, type Logger } from '../base/logger.js'
import { ensureHome, type Home, privateDirectory, serverSocket } from '../base/paths.js'
import { ensureToken } from '../base/token.js'
import { withLock } from '../log/lock.js'
import type { Supervisor } from '../supervisor/supervisor.js'
import { buildApp } from './app.js'
import { ownName } from './cookie.js'
import { Feeds } from './feed.js'
import { Streams } from './streams.js'

export interface ListenOptions {
  readonly home: Home
  readonly supervisor: Supervisor
  readonly config?: Config
  readonly logger?: Logger
  /** 127.0.0.1, ::1 or localhost; else as config.json says. */
  readonly host?: string
  /** 0 takes any free one; else as config.json says. */
  readonly port?: number
  /** The path of the Unix socket, in a directory of this user's own. */
  readonly socket?: string
}

export interface Listening {
  readonly url: string
  readonly socketPath: string
  readonly feeds: Feeds
  readonly streams: Streams
  /** Ends all streams, answers what was asked, frees both sockets. */
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
  const [feeds, streams] = [new Feeds(), new Streams(server.maxStreams)]
  const [token, port] = [() => ensureToken(home), () => portOf(tcp)]
  const name = host === '::1' ? '[::1]' : host
  // Safari knows no names below .localhost.
  const pageName = () => (process.platform === 'darwin' ? name : ownName(token()))
  const addresses = () => ({ url: `http://${name}:${port()}`, page: `http://${pageName()}:${port()}` })
  const context = { home, supervisor, logger, feeds, streams, addresses }
  const unix = await buildApp({ ...context, guard: { kind: 'unix' } })
  const tcp = await buildApp({ ...context, guard: { kind: 'tcp', token, port } })
  const close = async () => void (await Promise.all([unix.close(), tcp.close()]))
  try {
    await listenUnix(unix, socketPath)
    await tcp.listen({ host, port: options.port ?? server.port })
  } catch (error) {
    await close()
    if (error instanceof AgentzError) throw error
    throw new AgentzError('SERVER_LISTEN', `cannot listen: ${reason(error)}`, { cause: error })
  }
  return { url: addresses().url, socketPath, feeds, streams, close }
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function listenUnix(app: FastifyInstance, path: string): Promise<void> {
  privateDirectory(dirname(path))
  // Two that start at once would each take the other's socket for a left one.
  await withLock(path, async () => {
    await removeStale(path)
    await app.listen({ path })
    // The directory lets nobody else in meanwhile.
    chmodSync(path, 0o600)
  })
}

/** A server that was killed leaves its socket behind. @throws SERVER_LISTEN if one answers, or it is no socket */
async function removeStale(path: string): Promise<void> {
  try {
    if (!lstatSync(path).isSocket()) throw new AgentzError('SERVER_LISTEN', `${path} is not a socket`)
  } catch (error) {
    if (errno(error) === 'ENOENT') return
    throw error
  }
  if (await answers(path)) {
    throw new AgentzError('SERVER_LISTEN', `another server listens on ${path}`, {
      hint: 'One is enough for everybody; use it, or end it.',
    })
  }
  rmSync(path, { force: true })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => {
      if (errno(error) === 'ECONNREFUSED' || errno(error) === 'ENOENT') resolve(false)
      else reject(error)
    })
  })
}
