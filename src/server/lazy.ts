/**
 * Parts of the server that are loaded with the first request for one of their routes, so that nobody pays for what nobody asks.
 *
 * Each part has a folder of its own in src/server. To add one: a row in the table below, and in its folder a module whose `open`
 * makes what answers. Nothing else of the server imports from that folder (types aside), nor does one part from another: the
 * architecture test holds both. Guard, access log, headers and error bodies are those of all routes, before the part is loaded;
 * which of the routes a request is for stands in `request.routeOptions.url`.
 */
import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest, FastifySchema } from 'fastify'
import type { Context } from './context.js'
import { ById, type Declared, NoQuery, Nothing, PageOf } from './declared.js'
import { sendError } from './errors.js'

/** What a part answers with. */
export interface Part {
  /** As a handler of Fastify does: what it returns is the answer. */
  handle(request: FastifyRequest, reply: FastifyReply): unknown
  /** Of requests that were let in, where more is said than the words of the table: adds headers, or returns another error. */
  failed?(error: unknown, request: FastifyRequest, reply: FastifyReply): unknown
  /** When the server ends. */
  close?(): void | Promise<void>
}

interface Lazy {
  readonly urls: readonly string[]
  /** GET, if they are not said. */
  readonly methods?: readonly Declared['method'][]
  /** For the guard: which of them need no token. */
  readonly config?: Partial<FastifyContextConfig>
  /** As of every route; what has none looks at its requests itself. */
  readonly schema?: FastifySchema
  /** Bodies are bytes, whatever they are said to be, of so many at most. Else they are JSON, as everywhere. */
  readonly bytes?: number
  load(): Promise<{ open(context: Context): Part | Promise<Part> }>
}

const none = { querystring: NoQuery }
const table: readonly Lazy[] = [
  {
    urls: ['/v1/stream/*'],
    methods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'OPTIONS'],
    config: { streams: true },
    bytes: 32 * 1024 * 1024,
    load: () => import('./streams/part.js'),
  },
  { urls: ['/openapi.json'], config: { open: true }, schema: none, load: () => import('./api/part.js') },
  { urls: ['/docs'], config: { open: true, page: true }, schema: none, load: () => import('./api/part.js') },
  {
    urls: ['/v1/cancel', '/v1/freeze', '/v1/thaw'],
    methods: ['POST'],
    schema: { ...none, body: Nothing },
    load: () => import('./fleet/part.js'),
  },
  {
    urls: ['/v1/sessions/:id/log'],
    methods: ['GET', 'HEAD'],
    schema: { ...none, params: ById },
    load: () => import('./download/part.js'),
  },
  { urls: ['/metrics'], schema: none, load: () => import('./metrics/part.js') },
  { urls: ['/', '/login', '/s/:id'], config: { open: true, page: true }, load: () => import('./viewer/part.js') },
  { urls: ['/viewer/:file'], config: { open: true }, load: () => import('./viewer/part.js') },
  { urls: ['/v1/agents'], schema: none, load: () => import('./viewer/data.js') },
  { urls: ['/v1/sessions/:id/page'], schema: PageOf, load: () => import('./viewer/data.js') },
]

/** The routes of all parts. None is loaded yet. */
export function lazyRoutes(app: FastifyInstance, context: Context): void {
  for (const lazy of table) void app.register(async (scope) => routesOf(scope, lazy, context))
}

function routesOf(
  scope: FastifyInstance,
  { urls, methods = ['GET'], config, schema, bytes, load }: Lazy,
  context: Context,
): void {
  let part: Promise<Part> | undefined
  let open: Part | undefined
  const loaded = (): Promise<Part> => {
    if (part !== undefined) return part
    const loading = load().then(async (module) => {
      open = await module.open(context)
      return open
    })
    // What cannot be had now, such as a directory, may be put right.
    loading.catch(() => {
      part = undefined
    })
    part = loading
    return loading
  }
  if (bytes !== undefined) {
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: bytes }, (_, body, done) => done(null, body))
  }
  scope.setErrorHandler(async (error, request, reply) => {
    // Nothing is loaded for somebody who was kept out; and if it cannot be loaded, that is what went wrong.
    const ready = request.admitted === undefined ? undefined : await loaded().catch(() => undefined)
    sendError(ready?.failed?.(error, request, reply) ?? error, request, reply)
    return reply
  })
  scope.addHook('onClose', async () => (await part?.catch(() => undefined))?.close?.())
  for (const url of urls) {
    scope.route({
      url,
      method: [...methods],
      config: { ...config },
      ...(schema !== undefined && { schema }),
      ...(bytes !== undefined && { bodyLimit: bytes }),
      handler: (request, reply) =>
        open === undefined ? loaded().then((ready) => ready.handle(request, reply)) : open.handle(request, reply),
    })
  }
}
