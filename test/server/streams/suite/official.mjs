/** The official conformance suite of durable streams, against the server at STREAMS_URL; vitest runs it. */
import { runConformanceTests } from '@durable-streams/server-conformance-tests'

// Not subscriptions, which are an extension. The second is how long our polls wait there.
runConformanceTests({ baseUrl: process.env.STREAMS_URL, longPollTimeoutMs: Number(process.env.STREAMS_POLL_MS) })
