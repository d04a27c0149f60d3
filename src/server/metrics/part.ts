/** /metrics, for Prometheus: looked at when it is asked for, and nothing before. One set of numbers for both doors of a server. */

import type { Feeds } from '../../delivery/feed.js'
import type { Context } from '../context.js'
import type { Part } from '../lazy.js'
import { Metrics } from './metrics.js'

/** By what the doors of one server share. */
const known = new WeakMap<Feeds, Metrics>()

export function open(context: Context): Part {
  const metrics = known.get(context.feeds) ?? new Metrics(context)
  known.set(context.feeds, metrics)
  return {
    handle: async (_, reply) => {
      const text = await metrics.text()
      return reply.type(metrics.contentType).send(text)
    },
    close: () => metrics.close(),
  }
}
