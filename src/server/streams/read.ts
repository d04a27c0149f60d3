/** GET and HEAD of a stream. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AgentzError } from '../../base/errors.js'
import { Memories } from '../../base/memory.js'
import { isKnown } from '../../delivery/etag.js'
import { pump } from '../../delivery/pump.js'
import type { Streams } from '../../delivery/streams.js'
import { isPlace, pageOf, type Source } from '../../streams/source.js'
import { sendHead } from '../sse.js'
import { asArray } from './body.js'
import { cursorAfter } from './cursor.js'
import { isText } from './frames.js'
import { header, type Reading, readingOf, spelled } from './headers.js'
import { Events, grown } from './live.js'

/** Bytes of one answer: what a client that stands still costs. */
const CHUNK = 1024 * 1024

const nothing = Buffer.alloc(0)
const memories = new Memories()

export interface Live {
  readonly streams: Streams
  /** How long a poll waits, in milliseconds. */
  readonly pollMs: number
}

export async function sendStream(source: Source, live: Live, request: FastifyRequest, reply: FastifyReply) {
  const reading = readingOf(request)
  const from = reading.from === 'now' ? source.end : reading.from
  if (!isPlace(source, from)) {
    throw new AgentzError('BAD_INPUT', `offset: this stream has no ${spelled(from)}`, {
      hint: 'Send an offset that you got from this stream, or -1 for all of it.',
    })
  }
  if (reading.live === 'sse') return sendEvents(source, from, reading, live, request, reply)
  if (reading.live === 'long-poll') {
    const signal = live.streams.open(reply.raw, request.admitted?.token)
    if (from === source.end) await grown(source, from, live.pollMs, signal)
    // If it was deleted, or another server writes to it now, the next request is told so.
    if (from === source.end || source.gone) return sendNothing(source, reading, reply)
  }
  const now = reading.from === 'now' && reading.live === undefined
  const memory = memories.borrow()
  reply.raw.once('close', () => memories.giveBack(memory))
  const { bytes: read, to } = now ? { bytes: nothing, to: from } : pageOf(source, from, CHUNK, memory)
  const upToDate = to >= source.end
  const closed = source.closed && upToDate
  const tag = `"${source.id}:${from}:${to}${closed ? ':c' : ''}"`
  reply.headers({
    'content-type': source.contentType,
    'stream-next-offset': spelled(to),
    ...(upToDate && { 'stream-up-to-date': 'true' }),
    ...(closed && { 'stream-closed': 'true' }),
    ...(reading.live !== undefined && { 'stream-cursor': String(cursorAfter(reading.cursor)) }),
    // May be kept, and has to be asked about: closure changes the tag.
    ...(!now && { etag: tag, 'cache-control': 'private, no-cache' }),
  })
  if (!now && isKnown(header(request, 'If-None-Match'), tag)) return reply.code(304).send()
  return reply.send(source.json ? asArray(source.linesOf(read, from), read) : read)
}

async function sendEvents(
  source: Source,
  from: number,
  { cursor }: Reading,
  { streams }: Live,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const signal = streams.open(reply.raw, request.admitted?.token)
  if (!isText(source)) reply.header('stream-sse-data-encoding', 'base64')
  // Its clients and suite want another content type than the plugin for events gives, and no more events than theirs.
  reply.headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform' })
  // An event is one piece of the connection then, and not three around it: there is nothing behind the last one that would have to be told.
  reply.raw.useChunkedEncodingByDefault = false
  sendHead(reply)
  // The client comes again from where it is, and is told then.
  const told = (error: unknown) => reply.log.error({ reqId: reply.request.id, err: error }, 'stream failed')
  pump(reply.raw, new Events(source, from, cursor, signal), told)
  // Its files stay open for as long as it goes on.
  await new Promise((resolve) => {
    if (reply.raw.closed) resolve(undefined)
    else reply.raw.once('close', resolve)
  })
  return reply
}

function sendNothing({ end, closed }: Source, { cursor }: Reading, reply: FastifyReply): FastifyReply {
  const rest = closed ? { 'stream-closed': 'true' } : { 'stream-cursor': String(cursorAfter(cursor)) }
  return reply
    .code(204)
    .headers({ 'stream-next-offset': spelled(end), 'stream-up-to-date': 'true', ...rest })
    .send()
}
