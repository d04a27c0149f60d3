/**
 * /v1/stream/: durable streams. Bodies are bytes here, whatever they are said to be; and pages of other origins may ask, where
 * `agentz serve` was told so, here alone.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AgentzError, errno } from '../../base/errors.js'
import type { Streams } from '../../delivery/streams.js'
import { nameIn } from '../../streams/name.js'
import type { Context } from '../context.js'
import type { Part } from '../lazy.js'
import { Handler } from './handle.js'

const POLL_MS = 20_000
const METHODS = 'GET, HEAD, PUT, POST, DELETE'

const allowed = [
  ...['authorization', 'content-type', 'if-none-match', 'producer-epoch', 'producer-id', 'producer-seq'],
  ...['stream-closed', 'stream-expires-at', 'stream-fork-offset', 'stream-fork-sub-offset', 'stream-forked-from'],
  ...['stream-seq', 'stream-ttl'],
]
const exposed = [
  ...['content-type', 'etag', 'location', 'producer-epoch', 'producer-expected-seq', 'producer-received-seq'],
  ...['producer-seq', 'stream-closed', 'stream-cursor', 'stream-expires-at', 'stream-next-offset'],
  ...['stream-sse-data-encoding', 'stream-ttl', 'stream-up-to-date'],
].join(', ')

/**
 * One for all the doors of a server, each of which opens this part for itself: two on the same files would take each other for another server,
 * and who reads at one door would hear nothing of what was written at the other.
 */
const handlers = new WeakMap<Streams, { handler: Handler; doors: number }>()

export function open({ home, feeds, streams, sharing }: Context): Part {
  const opened = handlers.get(streams) ?? {
    handler: new Handler(home, feeds, { streams, pollMs: sharing.pollMs ?? POLL_MS }),
    doors: 0,
  }
  handlers.set(streams, opened)
  opened.doors++
  const { handler } = opened
  const share = ({ headers: { origin } }: FastifyRequest, reply: FastifyReply) => {
    const shared = sharing.public || (origin !== undefined && sharing.origins.includes(origin))
    if (!shared) return
    reply.headers({ 'cross-origin-resource-policy': 'cross-origin', vary: 'origin' })
    // A page of another origin says so, always.
    if (origin === undefined) return
    reply.headers({
      'access-control-allow-origin': sharing.public ? '*' : origin,
      'access-control-expose-headers': exposed,
    })
  }
  return {
    handle: (request, reply) => {
      share(request, reply)
      if (request.method !== 'OPTIONS') return handler.handle(nameIn(request.url), request, reply)
      const headers = { 'access-control-allow-methods': METHODS, 'access-control-max-age': '600' }
      return reply
        .code(204)
        .headers({ ...headers, 'access-control-allow-headers': allowed.join(', ') })
        .send()
    },
    failed: (error, request, reply) => {
      share(request, reply)
      reply.headers(factsOf(error))
      return inOurWords(error)
    },
    close: () => {
      if (--opened.doors > 0) return
      handlers.delete(streams)
      handler.close()
    },
  }
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
