/** Requests over the server's Unix socket. The one part of the client that needs Node. */
import { request } from 'node:http'
import { homePaths, serverSocket } from '../base/paths.js'
import type { Answer, Request, Transport } from './transport.js'

/** Where `agentz serve` listens for whoever has this environment. */
export const usualSocket = (): string => serverSocket(homePaths())

export function overSocket(socketPath: string): Transport {
  return { where: socketPath, send: (asked) => send(socketPath, asked) }
}

function send(socketPath: string, { method = 'GET', path, headers, body, signal }: Request): Promise<Answer> {
  return new Promise((resolve, reject) => {
    // A connection each: one that was kept would be broken by a restart of the server just when it is used next.
    const sent = request({
      ...{ socketPath, method, path, agent: false },
      headers: { host: 'localhost', ...headers },
      ...(signal !== undefined && { signal }),
    })
    sent.once('error', reject)
    sent.once('response', (response) => resolve({ status: response.statusCode ?? 0, body: response }))
    sent.end(body)
  })
}
