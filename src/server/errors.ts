/** Every error leaves as {"error":{"code","message","hint"}} with the status of the one table in base/errors. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AgentzError, errno, toAgentzError } from '../base/errors.js'
import { errorBody } from '../base/hints.js'

/** The path alone: a query does not belong in logs and errors. */
const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? ''

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
  if (error.http >= 500) request.log.error({ reqId: request.id, err: error, path: pathOf(request) }, 'request failed')
  request.refused = error.code
  if (error.code === 'UNAUTHORIZED') reply.header('www-authenticate', 'Bearer')
  reply.code(error.http).send(errorBody(error))
}

export function sendNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const message = `there is no ${request.method} ${pathOf(request).slice(0, 200)}`
  const hint = 'What there is, `GET /docs` shows, and `GET /openapi.json` tells programs.'
  sendError(new AgentzError('NOT_FOUND', message, { hint }), request, reply)
}
