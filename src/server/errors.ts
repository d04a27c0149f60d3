/** Every error leaves as {"error":{"code","message","hint"}} with the status of the one table in base/errors. */
import type { Socket } from 'node:net'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AgentzError, errno, toAgentzError } from '../base/errors.js'
import { byRoute } from './hints.js'
import { pathOf } from './path.js'

export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string }
}

export function errorBody({ code, message, hint }: AgentzError): ErrorBody {
  return { error: { code, message, hint: byRoute(hint) } }
}

/** Fastify's own refusals in the words of the table. What it does not blame on the client is a defect. */
export function fromFastify(error: unknown): AgentzError {
  if (error instanceof AgentzError || !(error instanceof Error)) return toAgentzError(error)
  const status = (error as Error & { statusCode?: number }).statusCode ?? 500
  switch (errno(error)) {
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new AgentzError('NOT_JSON', 'the body of a request must be JSON and say so', { cause: error })
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new AgentzError('BODY_TOO_LARGE', 'the body of the request is larger than 1 MiB', { cause: error })
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new AgentzError('BAD_ID', 'the path holds a name that is too long for an id', { cause: error })
    default:
      if (status < 400 || status >= 500) return toAgentzError(error)
      return new AgentzError('BAD_INPUT', error.message, { cause: error })
  }
}

export function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = fromFastify(thrown)
  if (error.http >= 500) request.log.error({ err: error, path: pathOf(request) }, 'request failed')
  request.refused = error.code
  if (error.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer')
  reply.code(error.http).send(errorBody(error))
}

export function sendNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const message = `there is no ${request.method} ${pathOf(request).slice(0, 200)}`
  const hint = 'What there is, `GET /docs` shows, and `GET /openapi.json` tells programs.'
  sendError(new AgentzError('NOT_FOUND', message, { hint }), request, reply)
}

/**
 * What was no HTTP at all never becomes a request; it gets the same words. Nor does one that is not sent to its end in time.
 * @returns the status that was answered; undefined where there is nobody, or nothing, to be told
 */
export function refuseConnection(error: Error, socket: Socket): number | undefined {
  // Browsers connect ahead, and then may have nothing to ask.
  if (errno(error) === 'ECONNRESET' || !socket.writable || socket.bytesRead === 0) {
    socket.destroy()
    return undefined
  }
  const isLate = errno(error) === 'ERR_HTTP_REQUEST_TIMEOUT'
  const why = isLate ? 'the request was not sent to its end in time' : `this is not an HTTP request: ${error.message}`
  const body = JSON.stringify(errorBody(new AgentzError('BAD_INPUT', why)))
  const head = ['HTTP/1.1 400 Bad Request', 'Content-Type: application/json; charset=utf-8', 'Connection: close']
  // Whoever does not read it must not keep the connection.
  const timer = setTimeout(() => socket.destroy(), 1000)
  socket.once('close', () => clearTimeout(timer))
  socket.end(`${head.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  return 400
}
