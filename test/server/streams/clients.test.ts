/** The official client, of today and of the line that agentz was first proposed with, as it comes: with the token, over TCP. */
import * as today from '@durable-streams/client'
import * as before from '@durable-streams/client-0.1'
import t from 'tap'
import { sessionLog } from '../../../src/base/paths.js'
import { ensureToken } from '../../../src/base/token.js'
import { unshared } from '../../../src/streams/sharing.js'
import { appendLine, newServer, newSession } from '../helpers.js'

/** What is appended to JSON streams: text today, values before. */
const clients = {
  '0.2.7': { ...today, said: (value: object) => JSON.stringify(value) },
  '0.1.5': { ...(before as unknown as typeof today), said: (value: object) => value as unknown as string },
}

for (const [version, { DurableStream, IdempotentProducer, stream, said }] of Object.entries(clients)) {
  t.test(`client ${version}`, { timeout: 60_000 }, async (t) => {
    const { home, url: server } = await newServer(t, { sharing: { ...unshared, pollMs: 500 } })
    const headers = { authorization: `Bearer ${ensureToken(home)}` }
    const at = (name: string) => ({ url: `${server}/v1/stream/${name}`, headers })

    const mine = await DurableStream.create({ ...at('mine'), contentType: 'application/json' })
    const ns = Array.from({ length: 100 }, (_, n) => n)
    await Promise.all(ns.map((n) => mine.append(said({ n }))))
    const all = await (await stream<{ n: number }>({ ...at('mine'), offset: '-1', live: false })).json()
    t.strictSame(
      all.map(({ n }) => n).sort((a, b) => a - b),
      ns,
    )

    // The older producer sends no headers of its stream.
    const withToken: typeof fetch = (input, init) =>
      fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), ...headers } })
    const producer = new IdempotentProducer(mine, 'p', { autoClaim: true, fetch: withToken })
    for (const n of ns) producer.append(said({ p: n }))
    await producer.flush()
    const more = await (await stream<{ p?: number }>({ ...at('mine'), offset: '-1', live: false })).json()
    t.strictSame(
      more.flatMap(({ p }) => p ?? []),
      ns,
      'in order',
    )

    for (const live of ['sse', 'long-poll'] as const) {
      const got: number[] = []
      const ended = new AbortController()
      const following = await stream<{ live?: string; n?: number }>({
        ...at('mine'),
        ...{ offset: 'now', live, json: true, signal: ended.signal },
      })
      const seen = new Promise<void>((resolve) => {
        following.subscribeJson(({ items }) => {
          for (const item of items) if (item.live === live) got.push(item.n ?? -1)
          if (got.length === 10) resolve()
        })
      })
      for (let n = 0; n < 10; n++) await mine.append(said({ live, n }))
      await seen
      ended.abort()
      t.strictSame(got, ns.slice(0, 10), live)
    }

    const { sessionId } = await newSession(home)
    const reading = { ...at(`sessions/${sessionId}`), offset: '-1', live: false as const }
    t.match((await (await stream<{ type: string }>(reading)).json())[0], { type: 'session_created' })
    appendLine(sessionLog(home, sessionId), 7)
    t.match((await (await stream<{ n?: number }>(reading)).json()).at(-1), { n: 7 })
    await mine.delete()
    await t.rejects(stream({ ...at('mine'), offset: '-1', live: false }), 'it is gone')
  })
}
