/**
 * /v1/stream/: durable streams. What does the work is loaded with the first request. Bodies are bytes here, whatever they are
 * said to be; and pages of other origins may ask, where `agentz serve` was told so, here alone.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AgentzError, errno } from '../../base/errors.js'
import type { Context } from '../context.js'
import { sendError } from '../errors.js'
import type { Handler } from '../streams/handle.js'
import { nameOf } from '../streams/name.js'

const BODY_LIMIT = 32 * 1024 * 1024
const POLL_MS = 20_000
const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE']

const allowed = [
  ...['authorization', 'content-type', 'if-none-match', 'producer-epoch', 'producer-id', 'producer-seq'],
  ...['stream-closed', 'stream-expires-at', 'stream-fork-offset', 'stream-fork-sub-offset', 'stream-forked-from'],
  ...['stream-seq', 'stream-ttl'],
]
const exposed = [
  ...['content-type', 'etag', 'location', 'producer-epoch', 'producer-expected-seq', 'producer-received-seq'],
  ...['producer-seq', 'stream-closed', 'stream-cursor', 'stream-expires-at', 'stream-next-offset'],
  ...['stream-sse-data-encoding', 'stream-ttl', 'stream-up-to-date'],
]

export function streamRoutes(app: FastifyInstance, { home, streams, sharing }: Context): void {
  let handler: Promise<Handler> | undefined
  const load = async () => {
    const { Handler } = await import('../streams/handle.js')
    return new Handler(home, { streams, pollMs: sharing.pollMs ?? POLL_MS })
  }
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (_, body, done) => done(null, body))
    scope.addHook('onRequest', async (request, reply) => {
      const { origin } = request.headers
      const shared = sharing.public || (origin !== undefined && sharing.origins.includes(origin))
      reply.header('cross-origin-resource-policy', shared ? 'cross-origin' : 'same-origin')
      if (!shared) return
      reply.headers({
        'access-control-allow-origin': sharing.public ? '*' : origin,
        'access-control-expose-headers': exposed.join(', '),
        vary: 'origin',
      })
    })
    scope.setErrorHandler((error, request, reply) => {
      reply.headers(factsOf(error))
      sendError(inOurWords(error), request, reply)
    })
    scope.addHook('onClose', async () => (await handler?.catch(() => undefined))?.close())
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      handler ??= load()
      // A directory that cannot be used now may be put right.
      handler.catch(() => {
        handler = undefined
      })
      return await (await handler).handle(nameOf(request), request, reply)
    }
    const config = { streams: true as const }
    scope.route({ method: METHODS, url: '/v1/stream/*', config, bodyLimit: BODY_LIMIT, handler: answer })
    scope.options('/v1/stream/*', { config }, async (_, reply) => {
      const headers = { 'access-control-allow-methods': METHODS.join(', '), 'access-control-max-age': '600' }
      return reply
        .code(204)
        .headers({ ...headers, 'access-control-allow-headers': allowed.join(', ') })
        .send()
    })
  })
}

/** Fastify's refusals of bodies, which are other ones here. */
function inOurWords(error: unknown): unknown {
  const code = errno(error)
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return new AgentzError('BAD_INPUT', 'Content-Type: is not one', { cause: error })
  }
  if (code !== 'FST_ERR_CTP_BODY_TOO_LARGE') return error
  const hint = 'Send it in several appends.'
  return new AgentzError('BODY_TOO_LARGE', 'the body of the request is larger than 32 MiB', { hint, cause: error })
}

/** What a client has to know beside the sentence. */
function factsOf(error: unknown): Record<string, string> {
  const { facts } = error as { facts?: Record<string, unknown> }
  const names = {
    closed: 'stream-closed',
    end: 'stream-next-offset',
    epoch: 'producer-epoch',
    expected: 'producer-expected-seq',
    received: 'producer-received-seq',
  }
  const known = Object.entries(names).filter(([fact]) => facts?.[fact] !== undefined)
  return Object.fromEntries(
    known.map(([fact, name]) => [
      name,
      fact === 'end' ? String(facts?.[fact]).padStart(16, '0') : String(facts?.[fact]),
    ]),
  )
}
