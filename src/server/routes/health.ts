/**
 * /healthz: for whoever waits for the server. Without a token, so it tells nothing but that it is here. /v1/server: where it
 * listens, for those who have come by one way and want to send somebody by the other.
 */
import type { FastifyInstance } from 'fastify'
import { version } from '../../base/programs.js'
import type { Context } from '../context.js'
import { NoQuery } from '../declared.js'

export function healthRoute(app: FastifyInstance, { addresses }: Context): void {
  const answer = { status: 'ok', version: version() }
  app.get('/healthz', { config: { open: true } }, async () => answer)
  app.get('/v1/server', { schema: { querystring: NoQuery } }, async () => ({
    version: answer.version,
    pid: process.pid,
    ...addresses(),
  }))
}
