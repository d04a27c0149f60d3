/** /healthz: for whoever waits for the server. Without a token, so it tells nothing but that it is here. */
import type { FastifyInstance } from 'fastify'
import { version } from '../../base/programs.js'

export function healthRoute(app: FastifyInstance): void {
  const answer = { status: 'ok', version: version() }
  app.get('/healthz', { config: { open: true } }, async () => answer)
}
