/** The path of a request, without its query. */
import type { FastifyRequest } from 'fastify'

/** The path alone: a query does not belong in logs and errors. */
export function pathOf(request: FastifyRequest): string {
  const [path = ''] = request.url.split('?', 1)
  return path
}
