/**
 * Sockets that were there before us: those of a socket unit of systemd (sd_listen_fds(3)), which listen while no server runs, and hold who
 * comes in meanwhile; or those of a server whose place we take.
 */
import { fstatSync, lstatSync, readFileSync } from 'node:fs'
import type { Server } from 'node:net'
import { dirname } from 'node:path'
import { AgentzError, reason } from '../base/errors.js'
import { privateDirectory } from '../base/paths.js'
import { startListening } from './listening.js'
import { loopback, portOf, presentLoopback } from './loopback.js'
import { releaseOf } from './unix.js'

/** The first of them. */
const FIRST = 3

export interface Inherited {
  readonly fds: readonly number[]
  /** By a server that ends then: what is to be taken away at the end is ours. Else a unit's. */
  readonly fromServer: boolean
}

/** What LISTEN_FDNAMES says where it was a server; systemd has the name of the unit there. */
export const FROM_SERVER = 'agentz-predecessor'

/**
 * The descriptors that this process was handed, if any. The variables that say so are taken out of `env`: they are for us alone, and no
 * child may take them for its own.
 * @throws SERVER_LISTEN
 */
export function inheritedSockets(env: NodeJS.ProcessEnv = process.env, pid = process.pid): Inherited | undefined {
  const { LISTEN_FDS: count, LISTEN_PID: owner, LISTEN_FDNAMES: names } = env
  for (const name of ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']) delete env[name]
  // Handed to somebody else, who forgot to take them out.
  if (count === undefined || owner !== String(pid)) return undefined
  if (!/^[0-9]{1,3}$/.test(count)) throw unfit(`LISTEN_FDS is ${JSON.stringify(count.slice(0, 80))}, and not a number`)
  const fds = Array.from({ length: Number(count) }, (_, at) => FIRST + at)
  return fds.length === 0 ? undefined : { fds, fromServer: names === FROM_SERVER }
}

/**
 * Listens on inherited sockets. Each is looked at, since what comes by the Unix socket is asked for no token.
 * @param usual where a server of ours has its Unix socket
 * @returns the path of the Unix socket, and what takes it away
 * @throws SERVER_LISTEN, HOME_UNUSABLE
 */
export async function listenInherited(
  { fds, fromServer }: Inherited,
  unix: Server,
  tcp: readonly Server[],
  usual: string,
): Promise<{ path: string; release: () => Promise<void> }> {
  const paths = unixSockets()
  const pathOf = (fd: number): string | undefined => paths.get(inodeOf(fd))
  const [first, ...others] = fds.filter((fd) => pathOf(fd) !== undefined)
  const rest = fds.filter((fd) => pathOf(fd) === undefined)
  if (first === undefined || others.length > 0)
    throw unfit(`${others.length > 0 ? 'more than one' : 'none'} is a Unix socket`)
  if (rest.length > tcp.length) throw unfit(`there are ${fds.length} of them`)
  // The kernel knows the name that it had first, which for one of ours is another.
  const path = checkPath(fromServer ? usual : (pathOf(first) ?? ''))
  for (const [at, fd] of rest.entries()) await startOn(tcp[at]!, fd)
  checkLoopback(tcp.slice(0, rest.length))
  await startOn(unix, first)
  return { path, release: fromServer ? releaseOf(path) : async () => undefined }
}

async function startOn(server: Server, fd: number): Promise<void> {
  await startListening(server, { fd }).catch((error) => {
    throw unfit(`descriptor ${fd} cannot listen: ${reason(error)}`)
  })
}

function checkPath(path: string): string {
  if (!path.startsWith('/')) throw unfit(`the Unix socket has no path: ${JSON.stringify(path)}`)
  privateDirectory(dirname(path))
  if ((lstatSync(path).mode & 0o077) !== 0) throw unfit(`others may use ${path}`)
  return path
}

function checkLoopback(tcp: readonly Server[]): void {
  const found = tcp.map((server) => {
    const address = server.address()
    return typeof address === 'object' && address !== null ? address.address : 'something else than TCP'
  })
  const foreign = found.find((address) => !loopback.includes(address))
  if (foreign !== undefined) throw unfit(`${foreign} is not a loopback address`)
  const missing = presentLoopback().filter((address) => !found.includes(address))
  if (missing.length > 0) throw unfit(`${missing.join(' and ')} is not among them`)
  if (new Set(tcp.map(portOf)).size > 1) throw unfit('their ports differ')
}

/** Node does not tell the path of a socket that it has not made; the kernel does, by its inode. */
function unixSockets(): Map<number, string> {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n')
  return new Map(
    lines.flatMap((line) => {
      const [, inode, path] = /^(?:\S+ +){6}(\d+) ?(.*)$/.exec(line) ?? []
      return inode === undefined ? [] : [[Number(inode), path ?? ''] as const]
    }),
  )
}

function inodeOf(fd: number): number {
  try {
    const stat = fstatSync(fd)
    if (stat.isSocket()) return stat.ino
  } catch (error) {
    throw unfit(`descriptor ${fd} cannot be used: ${reason(error)}`)
  }
  throw unfit(`descriptor ${fd} is not a socket`)
}

const unfit = (why: string): AgentzError =>
  new AgentzError('SERVER_LISTEN', `cannot listen on the sockets that were handed over: ${why}`, {
    hint: 'They have to be those of units/agentz-server.socket: a Unix socket, and one port of 127.0.0.1 and of [::1].',
  })
