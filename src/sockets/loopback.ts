/**
 * Both loopback addresses are ours, or none. Browsers look for localhost, and for names below it, at ::1 and at 127.0.0.1: whoever had
 * the other one would be taken for us, and be told tokens, cookies and login codes.
 */
import { createServer, type Server } from 'node:net'
import { networkInterfaces } from 'node:os'
import { AgentzError, errno } from '../base/errors.js'
import { startListening, stopListening } from './listening.js'

/** How often another port is tried where any would do, and somebody has the same one at the other address. */
const TRIES = 10
/** What a machine without IPv6 says. There nobody else has that address either. */
const absent = new Set(['EADDRNOTAVAIL', 'EAFNOSUPPORT'])

export const loopback: readonly string[] = ['127.0.0.1', '::1']

/** Those of this machine: some have no IPv6. */
export function presentLoopback(): readonly string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? [])
  return loopback.filter((address) => all.some((each) => each.address === address))
}

/** @throws BAD_INPUT for what others than this machine could reach */
export function requireLoopback(host: string): void {
  if (host === 'localhost' || loopback.includes(host)) return
  throw new AgentzError('BAD_INPUT', `host: ${JSON.stringify(host)} is not a loopback address`, {
    hint: 'Listen on 127.0.0.1, and reach it from elsewhere through ssh -L.',
  })
}

/** The port of a server that listens on TCP; else 0. */
export function portOf(server: Server | undefined): number {
  const address = server?.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/**
 * @param servers the second one is for the address that is not `host`, and does not listen where the machine has none
 * @param port 0 takes one that is free at both
 * @throws as the system does; neither listens then
 */
export async function listenLoopback(servers: readonly [Server, Server], host: string, port: number): Promise<void> {
  const addresses = host === '::1' ? loopback.toReversed() : loopback
  for (let tries = 1; ; tries++) {
    try {
      await listenAt(addresses, servers, port)
      return
    } catch (error) {
      // Any port would do, and this one somebody else has at the other address.
      if (port !== 0 || tries === TRIES || errno(error) !== 'EADDRINUSE') throw error
    }
  }
}

async function listenAt(addresses: readonly string[], [first, second]: readonly [Server, Server], port: number) {
  await startListening(first, { host: addresses[0], port })
  try {
    await startListening(second, { host: addresses[1], port: portOf(first) })
  } catch (error) {
    if (absent.has(errno(error) ?? '')) return
    await stopListening(first)
    throw error
  }
}

/** The second address of a server: what comes in there is as if it had come by the first. */
export function otherDoor(server: Server): Server {
  const options = { allowHalfOpen: true, noDelay: true }
  return createServer(options, (socket) => server.emit('connection', socket)).on('drop', () => server.emit('drop'))
}
