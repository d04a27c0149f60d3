/**
 * Server-sent events, and the only file that knows fastify-sse-v2, which opens those of our own routes. The frames themselves are
 * bytes that all who follow a file share, and go to the response as they are: the plugin takes text alone, makes each message anew for
 * each client, knows no end of a client, and lets an error of its source end the process.
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { FastifySSEPlugin } from 'fastify-sse-v2'
import { errorBody } from '../base/hints.js'
import { type Frames, pump } from '../delivery/pump.js'
import { fromFastify } from './errors.js'

/** How long a client that lost its connection waits, in milliseconds. */
const RETRY_MS = 1000

export async function registerSse(app: FastifyInstance): Promise<void> {
  await app.register(FastifySSEPlugin, { retryDelay: RETRY_MS })
}

/** Answers with frames as they come. */
export function sendSse(reply: FastifyReply, frames: Frames): void {
  // It writes the head with this first message, which is none, and nothing more.
  reply.sse({})
  pump(reply.raw, frames, (thrown) => {
    const error = fromFastify(thrown)
    reply.log.error({ reqId: reply.request.id, err: error }, 'stream failed')
    reply.raw.write(`event: error\ndata: ${JSON.stringify(errorBody(error))}\n\n`)
  })
}

/** What is no events, but is sent like them. One that cannot be sent to its end has no end, so that nobody takes it for all. */
export function sendPieces(reply: FastifyReply, pieces: Frames): void {
  sendHead(reply)
  const told = (error: unknown) => {
    reply.log.error({ reqId: reply.request.id, err: error }, 'answer failed')
    reply.raw.destroy()
  }
  pump(reply.raw, pieces, told, 0)
}

/** From here on the response is written to as it is. */
export function sendHead(reply: FastifyReply): void {
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value)
  reply.raw.flushHeaders()
}
