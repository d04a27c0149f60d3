/** Which stream a request is about, and whose it is. Light, since the guard asks it of each request. */
import type { FastifyRequest } from 'fastify'
import { AgentzError } from '../../base/errors.js'

export const PREFIX = '/v1/stream/'

/** @throws BAD_INPUT, NOT_FOUND */
export function nameOf({ url }: Pick<FastifyRequest, 'url'>): string {
  const [path = ''] = url.split('?', 1)
  // A router may take a path that is spelled otherwise for the same.
  if (!path.startsWith(PREFIX)) throw new AgentzError('NOT_FOUND', `streams are at ${PREFIX} alone`)
  try {
    return decodeURIComponent(path.slice(PREFIX.length))
  } catch (error) {
    throw new AgentzError('BAD_INPUT', 'the path of the request is not UTF-8', { cause: error })
  }
}

/** Logs of ours, and what the protocol keeps for itself. */
export const isOwn = (name: string): boolean => name.startsWith('sessions/') || name.startsWith('__')

/** Whether it is of no client. */
export function isOwnRequest(request: Pick<FastifyRequest, 'url'>): boolean {
  try {
    return isOwn(nameOf(request))
  } catch {
    // Whatever it is, it is not for everybody; the handler says what is wrong.
    return true
  }
}
