/**
 * The server without its sockets. It keeps nothing between requests but the tails in use: every answer is read from the
 * files and the units anew, so two servers on one home say the same, and one that is started again has forgotten nothing.
 */
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify'
import { AgentzError } from '../base/errors.js'
import type { Context } from './context.js'
import { refuseConnection, sendError, sendNotFound } from './errors.js'
import { type Guard, guardOf } from './guard.js'
import { pathOf } from './path.js'
import { conversationRoutes } from './routes/conversation.js'
import { eventRoutes } from './routes/events.js'
import { healthRoute } from './routes/health.js'
import { sessionRoutes } from './routes/sessions.js'
import { registerSse } from './sse.js'

export interface AppOptions extends Context {
  readonly logger: FastifyBaseLogger
  readonly guard: Guard
}

const BODY_LIMIT = 1024 * 1024
/** Agents name their questions, and some names are long. */
const NAME_LENGTH = 1000
/** How long a client may take to send its request, in milliseconds. */
const REQUEST_MS = 10_000

export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { logger, streams } = options
  const door = options.guard.kind === 'unix' ? 'socket' : 'tcp'
  const app: FastifyInstance = Fastify({
    loggerInstance: logger,
    // Ours is one line a request, below.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_MS,
    // Node would look for slow senders only every 30 s.
    http: { headersTimeout: REQUEST_MS, connectionsCheckingInterval: 1000 },
    routerOptions: { maxParamLength: NAME_LENGTH },
    // A HEAD of a stream would never end.
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => {
      logAccess(request, reply, door)
      sendError(error, request, reply)
    },
    clientErrorHandler: refuseConnection,
  })
  const check = guardOf(options.guard)
  app.addHook('onRequest', async (request, reply) => {
    logAccess(request, reply, door)
    reply.headers({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' })
    check(request)
  })
  // A form or plain text is what a foreign page can send without asking first.
  app.removeContentTypeParser('text/plain')
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(body)
    } catch (error) {
      // Else it would be changed silently.
      done(new AgentzError('BAD_INPUT', 'the body of the request is not UTF-8', { cause: error }))
      return
    }
    parseJson(request, text, done)
  })
  app.setErrorHandler(sendError)
  app.setNotFoundHandler(sendNotFound)
  app.addHook('preClose', () => streams.end())
  await registerSse(app)
  healthRoute(app)
  sessionRoutes(app, options)
  conversationRoutes(app, options)
  eventRoutes(app, options)
  return app
}

/** One line a request, when it is over, however it ended: no query, body or header but the origin of who was refused. */
function logAccess(request: FastifyRequest, reply: FastifyReply, door: 'socket' | 'tcp'): void {
  reply.raw.once('close', () => {
    const { method } = request
    const status = reply.raw.statusCode
    const ms = Math.round(reply.elapsedTime)
    const route = request.routeOptions.url
    const origin = status < 400 ? undefined : request.headers.origin?.slice(0, 200)
    request.log.info({ method, path: pathOf(request), route, status, door, origin, ms }, 'request')
  })
}
