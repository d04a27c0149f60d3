/**
 * The log of access: one line a request when it is over, however it ended, and one for each refusal. It holds the pattern of the route
 * and the session's id, but no query, body, token, cookie or code, and no path of the client's own making: secrets get lost in those.
 */
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Answered, answered } from '../base/channels.js'
import type { ErrorCode } from '../base/errors.js'
import { isId } from '../session/id.js'
import { callerOf } from '../sockets/caller.js'
import type { Admission } from './guard.js'

declare module 'fastify' {
  interface FastifyRequest {
    admitted: Admission | undefined
    /** The code of the error that it was answered with. */
    refused: string | undefined
  }
}

export function decorateRequests(app: FastifyInstance): void {
  app.decorateRequest('admitted', undefined)
  app.decorateRequest('refused', undefined)
}

/** @param door which of the two ways it came */
export function logAccess(door: 'unix' | 'tcp', request: FastifyRequest, reply: FastifyReply): void {
  reply.raw.once('close', () => {
    const { method, admitted, refused } = request
    const { id } = (request.params ?? {}) as { id?: unknown }
    // A client that left, or never sent its request to its end, was answered nothing.
    const status = reply.raw.headersSent ? reply.raw.statusCode : null
    const [route, ms] = [request.routeOptions.url ?? null, Math.round(reply.elapsedTime)]
    const line = {
      ...{ reqId: request.id, method, route, status, ms, door, by: admitted?.by },
      ...(isId(id) && { session: id }),
      ...(refused !== undefined && { refused, ...callerOf(request.headers) }),
    }
    if (answered.hasSubscribers && status !== null) {
      const seconds = reply.elapsedTime / 1000
      answered.publish({ method, route: route ?? 'none', status, seconds } satisfies Answered)
    }
    // Who was kept out is worth a look even where nobody wants to see each request.
    request.log[admitted === undefined ? 'warn' : 'info'](line, 'request')
  })
}

/** What was no HTTP, or one connection too many, never becomes a request. @param status null where nothing was answered */
export function logNoRequest(
  door: 'unix' | 'tcp',
  logger: FastifyBaseLogger,
  status: number | null,
  refused: ErrorCode,
): void {
  logger.warn({ method: null, route: null, status, door, refused }, 'request')
}
