/** Where the server listens: a Unix socket that it makes, and the two loopback addresses. */
import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { AgentzError, errno } from '../base/errors.js'
import { privateDirectory } from '../base/paths.js'
import { withLock } from '../log/lock.js'

/** How often another port is tried where any would do, and somebody has the same one at the other address. */
const TRIES = 10
/** Connections over TCP beside streams. Any user of the machine can open some, and must not use up what the socket needs. */
const SPARE_CONNECTIONS = 256
/** What a machine without IPv6 says. There nobody else has that address either. */
const absent = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

export function portOf(app: FastifyInstance | undefined): number {
  const address = app?.server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

type Build = (port: () => number) => Promise<FastifyInstance>

/**
 * Both loopback addresses are ours, or none. Browsers look for localhost, and for names below it, at ::1 and at 127.0.0.1: whoever
 * had the other one would be taken for us, and be told tokens, cookies and login codes.
 * @param build makes an app that asks for its port by the function that it gets
 * @returns one app for each address, that of `host` first. @throws as the system does
 */
export async function listenTcp(build: Build, host: string, port: number, streams: number): Promise<FastifyInstance[]> {
  const addresses = host === '::1' ? ['::1', '127.0.0.1'] : ['127.0.0.1', '::1']
  for (let tries = 1; ; tries++) {
    try {
      return await listenAt(addresses, build, port, streams + SPARE_CONNECTIONS)
    } catch (error) {
      // Any port would do, and this one somebody else has at the other address.
      if (port !== 0 || tries === TRIES || errno(error) !== 'EADDRINUSE') throw error
    }
  }
}

async function listenAt(addresses: string[], build: Build, port: number, most: number): Promise<FastifyInstance[]> {
  const apps: FastifyInstance[] = []
  for (const host of addresses) {
    const app = await build(() => portOf(apps[0]))
    app.server.maxConnections = most
    try {
      await app.listen({ host, port: portOf(apps[0]) || port })
      apps.push(app)
    } catch (error) {
      await app.close()
      if (apps.length > 0 && absent.has(errno(error) ?? '')) continue
      await Promise.all(apps.map((each) => each.close()))
      throw error
    }
  }
  return apps
}

/** @throws SERVER_LISTEN, HOME_UNUSABLE */
export async function listenUnix(app: FastifyInstance, path: string): Promise<void> {
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
