/**
 * The log of a session as a file: its bytes as they are on disk, up to its last whole line, all of them or a piece; so a copy is
 * brought up to date by `curl -C -`, and whoever has it already is told so.
 */
import { closeSync, createReadStream, fstatSync } from 'node:fs'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AgentzError } from '../../base/errors.js'
import { sessionLog } from '../../base/paths.js'
import { isKnown } from '../../delivery/etag.js'
import { linesEnd, openIfThere } from '../../log/read.js'
import type { Context } from '../context.js'
import type { Part } from '../lazy.js'
import { pieceOf } from './range.js'

export const open = (context: Context): Part => ({
  handle: (request, reply) => download(context, request, reply),
  failed(error, _request, reply) {
    // An error is no log, and nobody keeps it as one.
    for (const name of ofTheLog) reply.removeHeader(name)
    if (!(error instanceof AgentzError && error.code === 'RANGE_ABSENT')) reply.removeHeader('content-range')
    reply.header('cache-control', 'no-store')
  },
})

const ofTheLog = ['content-disposition', 'content-length', 'etag', 'accept-ranges']

function download({ home, streams }: Context, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { id } = request.params as { id: string }
  const fd = openIfThere(sessionLog(home, id))
  if (fd === undefined) throw new AgentzError('NOT_FOUND', `there is no session ${id}`)
  let isLeft = true
  try {
    const size = linesEnd(fd)
    // What is there is never changed: another length is another log, and the same one is the same.
    const tag = `"${fstatSync(fd).ino}-${size}"`
    reply.headers({
      'content-type': 'application/x-ndjson',
      'content-disposition': `attachment; filename="${id}.ndjson"`,
      'cache-control': 'private, no-cache',
      'accept-ranges': 'bytes',
      etag: tag,
    })
    const { range, 'if-range': whose, 'if-none-match': known } = request.headers
    if (isKnown(known, tag)) return reply.code(304).send()
    const asked = request.method === 'HEAD' || (whose !== undefined && whose !== tag) ? undefined : range
    const piece = pieceOf(asked, size)
    if (piece === 'none') {
      reply.header('content-range', `bytes */${size}`)
      throw new AgentzError('RANGE_ABSENT', `${JSON.stringify(asked)} is not in the log, which has ${size} bytes`)
    }
    const { from, to } = piece ?? { from: 0, to: size }
    if (piece !== undefined) reply.code(206).header('content-range', `bytes ${from}-${to - 1}/${size}`)
    reply.header('content-length', to - from)
    if (request.method === 'HEAD' || to === from) return reply.send()
    const signal = streams.open(reply.raw, request.admitted?.token)
    const bytes = createReadStream('', { fd, start: from, end: to - 1 })
    isLeft = false
    signal.addEventListener('abort', () => bytes.destroy(), { once: true })
    return reply.send(bytes)
  } finally {
    if (isLeft) closeSync(fd)
  }
}
