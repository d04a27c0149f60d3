/**
 * The doorbell of a daemon: a stream socket that carries no data. Whoever appended to a session's file rings, and the
 * daemon reads its file. It costs no inotify instance, of which a machine has 128, and no polling.
 */
import { rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { dirname } from 'node:path'
import { privateDirectory } from '../base/paths.js'

/** A daemon whose loop is busy still answers a connect; what takes longer than this is no doorbell. */
const RING_TIMEOUT_MS = 1000

/** Rings. @returns whether a daemon listened; its slow poll finds what was appended all the same */
export function ring(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const done = (heard: boolean) => {
      socket.destroy()
      resolve(heard)
    }
    socket.setTimeout(RING_TIMEOUT_MS, () => done(false))
    socket.once('connect', () => done(true))
    socket.once('error', () => done(false))
  })
}

/** Listens; `onRing` is called for each ring. @returns how to stop; stopping removes the socket */
export async function listen(path: string, onRing: () => void): Promise<() => void> {
  privateDirectory(dirname(path))
  rmSync(path, { force: true })
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.destroy()
    onRing()
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  return () => void server.close()
}
