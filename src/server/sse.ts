/**
 * Server-sent events, and the only file that knows fastify-sse-v2. Where its flaws are made up for:
 * - it has no backpressure for pushed messages: it gets an async iterable, always;
 * - it never ends the iterable when the client leaves: what the source holds is let go by a signal (streams.ts);
 * - an error of the source would end the process: the source catches its own and tells the client;
 * - it writes one message at a time and drops `id: 0`: see `comment` below.
 */
import { Readable } from 'node:stream'
import type { EventMessage, FastifyInstance, FastifyReply } from 'fastify'
import { FastifySSEPlugin } from 'fastify-sse-v2'
import { errorBody, fromFastify } from './errors.js'

/** How long a client that lost its connection waits, in milliseconds. */
const RETRY_MS = 1000

export async function registerSse(app: FastifyInstance): Promise<void> {
  await app.register(FastifySSEPlugin, { retryDelay: RETRY_MS })
}

/** Answers with frames as they come. The reply is the plugin's from here on. */
export function sendSse(reply: FastifyReply, frames: AsyncIterable<string>): void {
  reply.sse(messages(reply, frames))
}

/** The same for durable streams, whose clients and suite want another content type than the plugin gives, and no more events than theirs. */
export function sendFrames(reply: FastifyReply, frames: AsyncIterable<string>): FastifyReply {
  reply.headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' })
  return reply.send(Readable.from(texts(reply, frames), { objectMode: false }))
}

async function* texts(reply: FastifyReply, frames: AsyncIterable<string>): AsyncGenerator<string, void> {
  try {
    for await (const text of frames) yield text === '' ? ': nothing new\n\n' : `${text}\n\n`
  } catch (error) {
    // The client comes again from where it is, and is told then.
    reply.log.error({ err: error }, 'stream failed')
  }
}

async function* messages(reply: FastifyReply, frames: AsyncIterable<string>): AsyncGenerator<EventMessage, void> {
  try {
    // The plugin writes a comment as it is: behind an empty one, a whole batch of frames goes out as the one string that all
    // subscribers share, in one write.
    for await (const text of frames) yield { comment: text === '' ? ' nothing new' : `\n${text}` }
  } catch (thrown) {
    const error = fromFastify(thrown)
    reply.log.error({ err: error }, 'stream failed')
    yield { event: 'error', data: JSON.stringify(errorBody(error)) }
  }
}
