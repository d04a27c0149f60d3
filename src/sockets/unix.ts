/** A Unix socket for programs of this user: in a directory of their own, and in nobody's way when it is gone. */
import { chmodSync, lstatSync, renameSync, rmSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { AgentzError, errno } from '../base/errors.js'
import { privateDirectory } from '../base/paths.js'
import { withLock } from '../log/lock.js'
import { startListening } from './listening.js'

/**
 * Listens at a path.
 * @returns takes the path away, unless another server has it by now
 * @throws SERVER_LISTEN, HOME_UNUSABLE
 */
export async function listenUnix(server: Server, path: string): Promise<() => Promise<void>> {
  privateDirectory(dirname(path))
  // Two that start at once would each take the other's socket for a left one.
  return await withLock(path, async () => {
    await refuseTaken(path)
    // Under its own name first, and then in one step: nobody finds the path without a server behind it.
    const fresh = join(dirname(path), `.${process.pid.toString(36)}`)
    rmSync(fresh, { force: true })
    await startListening(server, { path: fresh })
    // The directory lets nobody else in meanwhile.
    chmodSync(fresh, 0o600)
    const release = releaseOf(path, fresh)
    renameSync(fresh, path)
    return release
  })
}

/** What takes a path away, unless another server has it by then. @param now where its socket is meanwhile */
export function releaseOf(path: string, now = path): () => Promise<void> {
  const { ino } = lstatSync(now)
  return () =>
    withLock(path, () => {
      if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path, { force: true })
    })
}

/** A server that was killed leaves its socket behind. @throws SERVER_LISTEN if one answers, or it is no socket */
async function refuseTaken(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined) return
  if (!stat.isSocket()) throw new AgentzError('SERVER_LISTEN', `${path} is not a socket`)
  if (!(await answers(path))) return
  throw new AgentzError('SERVER_LISTEN', `another server listens on ${path}`, {
    hint: 'One is enough for everybody; use it, or end it.',
  })
}

/** Whether somebody listens there. */
export function answers(path: string): Promise<boolean> {
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
