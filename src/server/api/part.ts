/** /openapi.json and /docs. Both are made when they are asked for first, tell nothing of this machine, and so need no token. */
import type { FastifyInstance } from 'fastify'
import type { Part } from '../lazy.js'
import { type Document, documentOf } from './document.js'
import { pageOf } from './page.js'

/** A page without a script, in nobody's frame; its style and icon are files of the viewer. */
const headers = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'x-frame-options': 'DENY',
}

export function open(): Part {
  let document: Document | undefined
  const made = ({ declared }: FastifyInstance): Document => {
    document ??= documentOf(declared)
    return document
  }
  return {
    handle: ({ server, routeOptions }, reply) => {
      if (routeOptions.url === '/openapi.json') return made(server)
      return reply
        .headers(headers)
        .type('text/html; charset=utf-8')
        .send(pageOf(made(server)))
    },
  }
}
