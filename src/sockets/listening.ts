/** One server at one address, or on a socket that is there already; and its end. */
import type { ListenOptions, Server, Socket } from 'node:net'

/** How long a connection that has said nothing yet may delay the end. */
const SILENT_MS = 2000

/** @throws as the system does */
export function startListening(server: Server, at: ListenOptions & { readonly fd?: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error) => {
      server.removeListener('error', settle).removeListener('listening', settle)
      if (error === undefined) resolve()
      else reject(error)
    }
    server.once('error', settle).once('listening', settle).listen(at)
  })
}

/** Resolves once no connection is left; at once if it never listened. */
export const stopListening = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

/**
 * Browsers connect ahead of what they may ask, and then would be waited for.
 * @returns ends the connections that go on saying nothing
 */
export function silentOf(server: Server): () => void {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const end = () => {
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy()
  }
  return () => void setTimeout(end, SILENT_MS).unref()
}
