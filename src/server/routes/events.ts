/** Logs over HTTP, from any record on: followed as SSE, or with ?follow=0 once, as NDJSON. */
import { closeSync } from 'node:fs'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod/mini'
import { AgentzError } from '../../base/errors.js'
import { sessionLog } from '../../base/paths.js'
import { isAddress, openIfThere, openLog } from '../../log/read.js'
import { parseId } from '../../session/id.js'
import { parse } from '../../session/store.js'
import type { Context } from '../context.js'
import { recordStream } from '../ndjson.js'
import { linesEnd } from '../page.js'
import { sendSse } from '../sse.js'

const Offset = z.string().check(z.regex(/^(0|[1-9][0-9]{0,15}|tail)$/, 'must be a number of bytes, or tail'))
const Query = z.strictObject({ offset: z.optional(Offset), follow: z.optional(z.enum(['0', '1'])) })
const Header = z.object({ 'last-event-id': z.optional(Offset) })

export function eventRoutes(app: FastifyInstance, context: Context): void {
  app.get<{ Params: { id: string } }>('/v1/sessions/:id/events', async (request, reply) => {
    const id = parseId(request.params.id)
    const absent = new AgentzError('NOT_FOUND', `there is no session ${id}`)
    return sendEvents(context, request, reply, sessionLog(context.home, id), absent)
  })

  // The registry comes to be with the first session; until then it is an empty log.
  app.get('/v1/events', async (request, reply) => sendEvents(context, request, reply, context.home.registry))
}

function sendEvents(
  { feeds, streams }: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  path: string,
  absent?: AgentzError,
): FastifyReply {
  const { offset, follow } = parse(Query, request.query)
  const last = parse(Header, request.headers)['last-event-id']
  // EventSource repeats the query at each reconnect, so the header is the newer of both.
  const wanted = last ?? offset ?? '0'
  const field = last === undefined ? 'offset' : 'last-event-id'
  const fd = openIfThere(path)
  try {
    if (fd === undefined && absent !== undefined) throw absent
    const from = wanted === 'tail' ? wanted : Number(wanted)
    const valid = from === 'tail' || from === 0 || (fd !== undefined && isAddress(fd, from))
    if (!valid) {
      throw new AgentzError('BAD_INPUT', `${field}: ${wanted} is not the end of a line of this log`, {
        hint: 'Send the id of an event that you got from here, or 0 for all of them.',
      })
    }
    const signal = streams.open(reply.raw, request.admitted?.token)
    if (follow !== '0') {
      sendSse(reply, feeds.follow(path, from, signal))
      return reply
    }
    reply.type('application/x-ndjson')
    if (fd === undefined) return reply.send('')
    const own = openLog(path)
    const records = recordStream(own, from === 'tail' ? linesEnd(own) : from)
    signal.addEventListener('abort', () => records.destroy(), { once: true })
    return reply.send(records)
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
