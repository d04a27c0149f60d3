/**
 * Another server in the place of this one, without a connection refused: it is started on the sockets of this one, and this one stops only
 * when it listens. Until then the kernel hands those who come to either, from one queue. As nginx does it, by the same signal.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Server } from 'node:net'
import { AgentzError, reason } from '../base/errors.js'
import { FROM_SERVER } from './inherited.js'

/** How long it may take to listen, in milliseconds. */
const START_MS = 30_000

/**
 * @param servers that listen; the Unix socket is one of them. Those that do not are left out
 * @param argv the program, as it is on the disk now
 * @returns the process id of who listens, too, from now on
 * @throws SERVER_LISTEN if nobody does: all is as before
 */
export async function startSuccessor(
  servers: readonly Server[],
  argv: readonly string[] = [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
): Promise<number> {
  const fds = servers.filter(({ listening }) => listening).map(fdOf)
  const env = { ...process.env, LISTEN_FDS: String(fds.length), LISTEN_FDNAMES: FROM_SERVER }
  // Who starts a process knows its id too late to tell it in the environment; the shell has it, and becomes the server.
  const child = spawn('/bin/sh', ['-c', 'LISTEN_PID=$$ exec "$@"', 'sh', ...argv], {
    env,
    stdio: ['ignore', 'inherit', 'inherit', ...fds, 'ipc'],
  })
  try {
    await listens(child)
  } catch (error) {
    child.kill('SIGKILL')
    throw new AgentzError('SERVER_LISTEN', `cannot start another server in the place of this one: ${reason(error)}`, {
      cause: error,
      hint: 'This one goes on. See what the other one said, above.',
    })
  } finally {
    if (child.connected) child.disconnect()
  }
  child.unref()
  return child.pid as number
}

/** Tells whoever started this process on its sockets that it listens. */
export function tellPredecessor(): void {
  process.send?.('listening', () => process.disconnect())
}

function listens(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`it does not listen after ${START_MS / 1000} s`)), START_MS)
    child.once('message', () => resolve()).once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`it ended, ${signal ?? `exit code ${code}`}`)))
    for (const end of ['message', 'error', 'exit']) child.once(end, () => clearTimeout(late))
  })
}

/** Node tells the descriptor of what it listens on to nobody, and takes nothing else to hand it to a child. */
const fdOf = (server: Server): number => (server as unknown as { _handle: { fd: number } })._handle.fd
