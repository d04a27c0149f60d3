/** What a request about a stream asks for, in its headers and its query. */
import type { FastifyRequest } from 'fastify'
import { AgentzError } from '../../base/errors.js'
import type { Asked } from '../../streams/create.js'
import { isTime, type Tuple } from '../../streams/meta.js'
import { nameIn, PREFIX } from '../../streams/name.js'

const whole = /^(0|[1-9]\d*)$/
/** Characters of what a client names itself, and of its sequence. */
const LONGEST = 1000

const bad = (name: string, why: string) => new AgentzError('BAD_INPUT', `${name}: ${why}`)

export function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name.toLowerCase()]
  if (Array.isArray(value)) throw bad(name, 'was sent twice')
  if (value !== undefined && value.length > LONGEST) throw bad(name, `is longer than ${LONGEST} characters`)
  return value
}

function number(request: FastifyRequest, name: string): number | undefined {
  const value = header(request, name)
  if (value === undefined) return undefined
  if (whole.test(value) && Number.isSafeInteger(Number(value))) return Number(value)
  throw bad(name, 'must be a whole number, without sign, point or leading zeros')
}

export const wantsClosed = (request: FastifyRequest): boolean =>
  header(request, 'Stream-Closed')?.toLowerCase() === 'true'

/** @throws BAD_INPUT unless there are all three headers of a producer, or none */
export function producerOf(request: FastifyRequest): Tuple | undefined {
  const id = header(request, 'Producer-Id')
  const [epoch, seq] = [number(request, 'Producer-Epoch'), number(request, 'Producer-Seq')]
  if (id === undefined && epoch === undefined && seq === undefined) return undefined
  if (id === undefined || epoch === undefined || seq === undefined) {
    throw bad('Producer-Id, Producer-Epoch, Producer-Seq', 'must be sent together')
  }
  if (id === '') throw bad('Producer-Id', 'must not be empty')
  return [id, epoch, seq]
}

export function askedOf(request: FastifyRequest): Asked {
  const [ttl, expiresAt] = [number(request, 'Stream-TTL'), header(request, 'Stream-Expires-At')]
  if (ttl !== undefined && expiresAt !== undefined) throw bad('Stream-TTL', 'cannot go with Stream-Expires-At')
  if (expiresAt !== undefined && !isTime(expiresAt)) {
    throw bad('Stream-Expires-At', 'must be a time as 2030-01-31T12:00:00Z')
  }
  const contentType = header(request, 'Content-Type') || undefined
  return { contentType, ttl, expiresAt, closed: wantsClosed(request), fork: forkOf(request) }
}

function forkOf(request: FastifyRequest): Asked['fork'] {
  const path = header(request, 'Stream-Forked-From')
  const [place, sub] = [header(request, 'Stream-Fork-Offset'), number(request, 'Stream-Fork-Sub-Offset')]
  if (path === undefined) {
    if (place === undefined && sub === undefined) return undefined
    throw bad('Stream-Fork-Offset, Stream-Fork-Sub-Offset', 'need Stream-Forked-From')
  }
  if (!path.startsWith(PREFIX)) {
    throw bad('Stream-Forked-From', `must be the path of a stream of this server, such as ${PREFIX}name`)
  }
  const offset = place === undefined ? undefined : parseOffset('Stream-Fork-Offset', place)
  return { from: nameIn(path, 'Stream-Forked-From'), ...(offset !== undefined && { offset }), ...(sub && { sub }) }
}

/** 16 digits, as in our answers, so that they sort as text; a second part of noughts is what others have. */
export const spelled = (offset: number): string => String(offset).padStart(16, '0')

function parseOffset(name: string, text: string): number {
  const [, first, second] = /^(\d{16})(?:_(\d{16}))?$/.exec(text) ?? []
  if (first === undefined || Number(second ?? 0) > 0)
    throw bad(name, `${JSON.stringify(text)} is no offset of a stream`)
  return Number(first)
}

export interface Reading {
  readonly from: number | 'now'
  readonly live: 'long-poll' | 'sse' | undefined
  readonly cursor: number | undefined
}

/** @throws BAD_INPUT */
export function readingOf(request: FastifyRequest): Reading {
  const { offset, live, cursor } = request.query as Record<string, unknown>
  if (live !== undefined && live !== 'long-poll' && live !== 'sse') throw bad('live', 'must be long-poll or sse')
  if (offset === undefined && live !== undefined) throw bad('offset', `must be sent with live=${live}`)
  const known = typeof cursor === 'string' && whole.test(cursor) ? Number(cursor) : undefined
  if (offset === undefined || offset === '-1') return { from: 0, live, cursor: known }
  if (offset === 'now') return { from: 'now', live, cursor: known }
  if (typeof offset !== 'string') throw bad('offset', 'was sent twice')
  return { from: parseOffset('offset', offset), live, cursor: known }
}
