/** Logs over HTTP, from any record on: followed as SSE, or with ?follow=0 once, as NDJSON. */
import { closeSync, fstatSync } from 'node:fs'
import type { FastifyInstance, FastifyReply } from 'fastify'
import * as z from 'zod/mini'
import { AgentzError } from '../../base/errors.js'
import { sessionLog } from '../../base/paths.js'
import { isKnown } from '../../delivery/etag.js'
import { Records } from '../../delivery/ndjson.js'
import { isAddress, linesEnd, openIfThere } from '../../log/read.js'
import type { Context } from '../context.js'
import { ById, typed } from '../declared.js'
import type { Admission } from '../guard.js'
import { sendPieces, sendSse } from '../sse.js'

const Offset = z.string().check(z.regex(/^(0|[1-9][0-9]{0,15}|tail)$/, 'must be a number of bytes, or tail'))
const Query = z.strictObject({ offset: z.optional(Offset), follow: z.optional(z.enum(['0', '1'])) })
const Header = z.object({ 'last-event-id': z.optional(Offset), 'if-none-match': z.optional(z.string()) })

type Asked = z.output<typeof Query>

export function eventRoutes(app: FastifyInstance, context: Context): void {
  const one = typed(app)
  const schema = { querystring: Query, headers: Header }
  one.get('/v1/sessions/:id/events', { schema: { params: ById, ...schema } }, async (request, reply) => {
    const { id } = request.params
    const absent = new AgentzError('NOT_FOUND', `there is no session ${id}`)
    return sendEvents(context, request, reply, sessionLog(context.home, id), absent)
  })

  // The registry comes to be with the first session; until then it is an empty log.
  one.get('/v1/events', { schema }, async (request, reply) =>
    sendEvents(context, request, reply, context.home.registry),
  )
}

function sendEvents(
  { feeds, streams }: Context,
  request: { query: Asked; headers: z.output<typeof Header>; admitted: Admission | undefined },
  reply: FastifyReply,
  path: string,
  absent?: AgentzError,
): FastifyReply {
  const { offset, follow } = request.query
  const last = request.headers['last-event-id']
  // EventSource repeats the query at each reconnect, so the header is the newer of both.
  const wanted = last ?? offset ?? '0'
  const field = last === undefined ? 'offset' : 'last-event-id'
  let fd = openIfThere(path)
  try {
    if (fd === undefined && absent !== undefined) throw absent
    const from = wanted === 'tail' ? wanted : Number(wanted)
    const valid = from === 'tail' || from === 0 || (fd !== undefined && isAddress(fd, from))
    if (!valid) {
      throw new AgentzError('BAD_INPUT', `${field}: ${wanted} is not the end of a line of this log`, {
        hint: 'Send the id of an event that you got from here, or 0 for all of them.',
      })
    }
    if (follow !== '0') {
      sendSse(reply, feeds.follow(path, from, streams.open(reply.raw, request.admitted?.token)))
      return reply
    }
    reply.type('application/x-ndjson')
    if (fd === undefined) return reply.send('')
    const end = linesEnd(fd)
    const start = from === 'tail' ? end : from
    // As for the log as a file; weak, since lines that come meanwhile are sent along.
    const tag = `"${fstatSync(fd).ino}-${start}-${end}"`
    reply.headers({ etag: `W/${tag}`, 'cache-control': 'private, no-cache', vary: 'last-event-id' })
    if (isKnown(request.headers['if-none-match'], tag)) return reply.code(304).send()
    const signal = streams.open(reply.raw, request.admitted?.token)
    const records = new Records(fd, start, signal)
    fd = undefined
    sendPieces(reply, records)
    return reply
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}
