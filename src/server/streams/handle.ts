/** The durable-streams protocol, version 1.0: what is done with a stream by each method. Loaded with the first request for one. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { AgentzError } from '../../base/errors.js'
import { type Home, sessionLog } from '../../base/paths.js'
import type { Feeds } from '../../delivery/feed.js'
import { parseId } from '../../session/id.js'
import type { Taken } from '../../streams/batch.js'
import { linesOf } from '../../streams/messages.js'
import { isOwn } from '../../streams/name.js'
import { Refusal } from '../../streams/refusal.js'
import { mediaType, type Source } from '../../streams/source.js'
import { Store } from '../../streams/store.js'
import type { Stream } from '../../streams/stream.js'
import { askedOf, header, producerOf, spelled, wantsClosed } from './headers.js'
import { Logs } from './logs.js'
import { type Live, sendStream } from './read.js'
import { stateOf } from './state.js'

export class Handler {
  readonly #home: Home
  readonly #live: Live
  readonly #store: Store
  readonly #logs: Logs

  constructor(home: Home, feeds: Feeds, live: Live) {
    this.#home = home
    this.#live = live
    this.#store = new Store(home)
    this.#logs = new Logs(feeds)
  }

  close(): void {
    this.#store.close()
  }

  async handle(name: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { method } = request
    const reads = method === 'GET' || method === 'HEAD'
    if (isOwn(name)) {
      if (reads) return this.#withLog(name, (source) => this.#read(source, request, reply))
      reply.header('allow', 'GET, HEAD')
      throw new AgentzError('STREAM_FIXED', `${JSON.stringify(name)} cannot be written over HTTP`)
    }
    if (method === 'PUT') return await this.#create(name, request, reply)
    if (method === 'DELETE') {
      await this.#store.delete(name)
      return reply.code(204).send()
    }
    return await this.#store.use(name, async (stream) => {
      if (method !== 'HEAD') stream.touch()
      return reads ? this.#read(stream, request, reply) : this.#append(stream, request, reply)
    })
  }

  async #read(source: Source, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (request.method === 'GET') return await sendStream(source, this.#live, request, reply)
    return reply.headers(headersOf(source)).send()
  }

  async #withLog<T>(name: string, work: (source: Source) => Promise<T>): Promise<T> {
    const [, id] = /^sessions\/([^/]+)$/.exec(name) ?? []
    if (name === REGISTRY) return await this.#logs.use(this.#home.registry, work)
    if (name === STATE) return await this.#logs.use(this.#home.registry, (log) => work(stateOf(this.#home, log)))
    if (id === undefined) throw new AgentzError('NOT_FOUND', `there is no stream ${JSON.stringify(name)}`)
    return await this.#logs.use(sessionLog(this.#home, parseId(id)), async (source) => {
      if (source.id === NONE) throw new AgentzError('NOT_FOUND', `there is no session ${id}`)
      return await work(source)
    })
  }

  async #create(name: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const asked = askedOf(request)
    if (asked.fork !== undefined && isOwn(asked.fork.from)) {
      throw new AgentzError('STREAM_FIXED', `${JSON.stringify(asked.fork.from)} cannot be forked`)
    }
    const body = bodyOf(request)
    const lines = (json: boolean) => (json && body.length > 0 ? linesOf(body) : body)
    const { stream, isNew } = await this.#store.create(name, asked, lines)
    if (isNew) reply.code(201).header('location', `http://${request.headers.host}${request.url.split('?', 1)[0]}`)
    stream.touch()
    return reply.headers(headersOf(stream)).send()
  }

  async #append(stream: Stream, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const [producer, close, seq] = [producerOf(request), wantsClosed(request), header(request, 'Stream-Seq')]
    const body = bodyOf(request)
    if (body.length === 0 && !close) {
      throw new AgentzError('BAD_INPUT', 'the body is empty', {
        hint: 'Send what is to be added, or Stream-Closed: true.',
      })
    }
    const bytes = body.length === 0 || stream.closed ? body : contentOf(stream, body, header(request, 'Content-Type'))
    const taken = await stream.append({ bytes, close, producer, seq })
    const { end, closed } = taken
    reply.headers({ 'stream-next-offset': spelled(end), ...(closed && { 'stream-closed': 'true' }), ...claimOf(taken) })
    const isNews = taken.isNew && producer !== undefined && body.length > 0
    return reply.code(isNews ? 200 : 204).send()
  }
}

const REGISTRY = '__registry__'
/** The same as a table. */
const STATE = '__state__'
/** The identity of a log that is not there. */
const NONE = '0'

const bodyOf = ({ body }: FastifyRequest): Buffer => (Buffer.isBuffer(body) ? body : Buffer.alloc(0))

function contentOf(stream: Stream, body: Buffer, contentType: string | undefined): Buffer {
  if (!contentType) throw new AgentzError('BAD_INPUT', 'Content-Type: must be sent with a body')
  if (mediaType(contentType) !== mediaType(stream.contentType)) {
    const why = `the content type of the stream is ${stream.contentType}, and not ${contentType}`
    throw new Refusal('CONFLICT', why, 'Send what has the type of the stream.')
  }
  if (!stream.json) return body
  const lines = linesOf(body)
  if (lines.length > 0) return lines
  throw new AgentzError('BAD_INPUT', 'the array holds no message')
}

const claimOf = ({ producer }: Taken) =>
  producer && { 'producer-epoch': String(producer.epoch), 'producer-seq': String(producer.seq) }

function headersOf(source: Source): Record<string, string> {
  const { ttl, expiresAt } = 'meta' in source ? (source as Stream).meta : { ttl: undefined, expiresAt: undefined }
  return {
    'content-type': source.contentType,
    'stream-next-offset': spelled(source.end),
    ...(source.closed && { 'stream-closed': 'true' }),
    ...(ttl !== undefined && { 'stream-ttl': String(ttl) }),
    ...(expiresAt !== undefined && { 'stream-expires-at': expiresAt }),
  }
}
