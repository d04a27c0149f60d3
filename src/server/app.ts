/**
 * The server without its sockets. It keeps nothing between requests but the tails in use: every answer is read from the
 * files and the units anew, so two servers on one home say the same, and one that is started again has forgotten nothing.
 */
import type { Socket } from 'node:net'
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { onAll } from '../base/headers.js'
import { utf8 } from '../base/utf8.js'
import { refuseConnection } from '../sockets/refuse.js'
import { inTurn } from '../sockets/turn.js'
import { decorateRequests, logAccess, logNoRequest } from './access.js'
import type { Context } from './context.js'
import { declareRoutes } from './declared.js'
import { sendError, sendNotFound } from './errors.js'
import { type Guard, guardOf } from './guard.js'
import { lazyRoutes } from './lazy.js'
import { conversationRoutes } from './routes/conversation.js'
import { eventRoutes } from './routes/events.js'
import { healthRoute } from './routes/health.js'
import { loginRoutes } from './routes/login.js'
import { sessionRoutes } from './routes/sessions.js'
import { registerSse } from './sse.js'

export interface AppOptions extends Context {
  readonly logger: FastifyBaseLogger
  readonly guard: Guard
  /** In milliseconds, for tests. */
  readonly requestTimeout?: number
}

const BODY_LIMIT = 1024 * 1024
/** Agents name their questions, and some names are long. */
const NAME_LENGTH = 1000
/** How long a client may take to send its request, in milliseconds, and how often that is looked at. */
const [REQUEST_MS, LOOK_MS] = [10_000, 1000]

export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { home, logger, streams, guard } = options
  const app: FastifyInstance = Fastify({
    loggerInstance: logger,
    // Ours is one line a request, below.
    logController: new LogController({ disableRequestLogging: true }),
    // One anew for each request would cost more than its line; what is said of a request names it.
    childLoggerFactory: (all) => all,
    bodyLimit: BODY_LIMIT,
    requestTimeout: options.requestTimeout ?? REQUEST_MS,
    // Node itself looks every 30 s.
    http: {
      headersTimeout: options.requestTimeout ?? REQUEST_MS,
      connectionsCheckingInterval: Math.min(LOOK_MS, options.requestTimeout ?? LOOK_MS),
    },
    routerOptions: { maxParamLength: NAME_LENGTH },
    // Who comes in at the last moment is answered all the same.
    return503OnClosing: false,
    // A HEAD of a stream would never end.
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => {
      logAccess(guard.kind, request, reply)
      reply.headers(onAll)
      try {
        check(request)
        sendError(error, request, reply)
      } catch (refused) {
        sendError(refused, request, reply)
      }
    },
    clientErrorHandler: (error, socket) => {
      const status = refuseConnection(error, socket)
      if (status !== undefined) logNoRequest(guard.kind, logger, status, 'BAD_INPUT')
    },
  })
  logUnasked(app, guard, logger)
  decorateRequests(app)
  declareRoutes(app)
  const check = guardOf(guard, options.sharing)
  app.addHook('onRequest', (_, reply, done) => inTurn(reply.raw, done))
  app.addHook('onRequest', (request, reply, done) => {
    logAccess(guard.kind, request, reply)
    reply.headers(onAll)
    request.admitted = check(request)
    done()
  })
  // A form or plain text is what a foreign page can send without asking first.
  app.removeContentTypeParser('text/plain')
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    // A client that says so of every request says so of one without a body, too.
    if (body.length === 0) return done(null, undefined)
    try {
      parseJson(request, utf8(body), done)
    } catch (error) {
      done(error as Error)
    }
  })
  app.setErrorHandler(sendError)
  app.setNotFoundHandler(sendNotFound)
  app.addHook('preClose', () => streams.end())
  await registerSse(app)
  healthRoute(app, options)
  if (guard.kind === 'tcp') loginRoutes(app, home, guard)
  sessionRoutes(app, options)
  conversationRoutes(app, options)
  eventRoutes(app, options)
  lazyRoutes(app, options)
  return app
}

/** What Node would answer, or hang up on, by itself: without our words, and without a line in the log. */
function logUnasked({ server }: FastifyInstance, { kind }: Guard, logger: FastifyBaseLogger): void {
  server.on('checkExpectation', (request, response) => server.emit('request', request, response))
  server.on('connect', (_, socket: Socket) => {
    const status = refuseConnection(new Error('CONNECT is for proxies'), socket)
    if (status !== undefined) logNoRequest(kind, logger, status, 'BAD_INPUT')
  })
  server.on('drop', () => logNoRequest(kind, logger, null, 'TOO_MANY_STREAMS'))
}
