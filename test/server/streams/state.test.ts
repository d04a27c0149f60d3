/** A live table of sessions by the official state clients, of today and of 0.1.5, and what `ls` says. */
import { appendFileSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { DurableStream } from '@durable-streams/client'
import { type ChangeEvent, MaterializedState } from '@durable-streams/state'
import * as today from '@durable-streams/state/db'
import * as before from '@durable-streams/state-0.1'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import * as z from 'zod'
import type { Home } from '../../../src/base/paths.js'
import { ensureToken } from '../../../src/base/token.js'
import { newId } from '../../../src/session/id.js'
import { readRegistry } from '../../../src/session/registry.js'
import { unshared } from '../../../src/streams/sharing.js'
import { until } from '../../helpers/home.js'
import { newServer, newSession } from '../helpers.js'

const Row = z.looseObject({ sessionId: z.string(), status: z.string(), title: z.string() })
const timestamp = '2026-01-01T00:00:00.000Z'
const ids = Array.from({ length: 6 }, newId)

/** What happens to sessions, in any order, and what no writer of ours would write. */
const life = fc.record({
  sessionId: fc.constantFrom(...ids),
  type: fc.constantFrom(
    ...['session_created', 'daemon_started', 'daemon_exited', 'session_updated', 'session_completed', 'session_failed'],
    ...['session_interrupted', 'session_queued', 'session_deleted', 'session_frozen', 'turn_started', 'unheard_of'],
  ),
  status: fc.constantFrom('running', 'waiting_approval', 'idle', 'nonsense'),
  epoch: fc.nat(5),
  error: fc.string(),
})

const write = (home: Home, events: readonly object[]) =>
  appendFileSync(
    home.registry,
    events.map((event) => `${JSON.stringify({ timestamp, by: 'daemon', ...event })}\n`).join(''),
  )

/** What is in the registry now. */
const rowsIn = (home: Home) =>
  new Map([...readRegistry(home).rows.values()].map((row) => [row.sessionId, JSON.parse(JSON.stringify(row))]))

async function newTable(t: Test, home?: Home) {
  const server = await newServer(t, {
    sharing: { ...unshared, pollMs: 300 },
    ...(home && { home, socket: join(home.root, 'run', 'other') }),
  })
  const headers = { authorization: `Bearer ${ensureToken(server.home)}` }
  return { ...server, options: { url: `${server.url}/v1/stream/__state__`, headers, contentType: 'application/json' } }
}

const byName = (a: { title: string }, b: { title: string }) => (a.title < b.title ? -1 : 1)
const byId = ([a]: [string, unknown], [b]: [string, unknown]) => (a < b ? -1 : 1)

t.test('materialized, it is the registry, wherever it was cut', { timeout: 60_000 }, async (t) => {
  const { home, options } = await newTable(t)
  const servers = [options, (await newTable(t, home)).options].map((each) => new DurableStream(each))
  const state = new MaterializedState()
  let offset = '-1'
  const read = async () => {
    // Each in turn: they keep nothing of who has read what.
    servers.reverse()
    const [stream] = servers as [DurableStream]
    const part = await stream.stream<ChangeEvent>({ offset, live: false, json: true })
    state.applyBatch(await part.json())
    offset = part.offset
  }
  await fc.assert(
    fc.asyncProperty(fc.array(life, { minLength: 1, maxLength: 12 }), async (events) => {
      write(home, events)
      await read()
      t.strictSame([...state.getType('session')].sort(byId), [...rowsIn(home)].sort(byId))
    }),
    { numRuns: 40 },
  )
  appendFileSync(home.registry, 'torn\n\n{"type":"session_deleted"}\n{"sessionId":5}\n')
  await read()
  t.equal(Number(offset), readFileSync(home.registry).length, 'up to the end, whatever stands there')
  const fresh = new MaterializedState()
  fresh.applyBatch(await (await servers[0]!.stream<ChangeEvent>({ offset: '-1', live: false, json: true })).json())
  t.strictSame([...fresh.getType('session')].sort(byId), [...rowsIn(home)].sort(byId), 'at once, too')
})

for (const [version, clients] of Object.entries({ '0.3.1': today, '0.1.5': before as unknown as typeof today })) {
  t.test(`a live table, state ${version}`, { timeout: 60_000 }, async (t) => {
    const { home, options, url, supervisor, close } = await newTable(t)
    let now = url
    const redirected: typeof fetch = (input, init) => fetch(String(input).replace(url, now), init)
    const sessions = clients.createStateSchema({
      sessions: { schema: Row, type: 'session', primaryKey: 'sessionId' },
    })
    const { sessionId: first } = await newSession(home, { title: 'first' })
    // What is created, and gone, before anybody looks; and what was deleted and is told again.
    const [gone, again] = [newId(), newId()]
    write(home, [
      { type: 'session_created', sessionId: gone },
      { type: 'session_deleted', sessionId: gone },
      { type: 'session_deleted', sessionId: again },
      { type: 'session_created', sessionId: again, title: 'again' },
      { type: 'session_created', sessionId: again, title: 'twice' },
    ])
    const db = clients.createStreamDB({ streamOptions: { ...options, fetch: redirected }, state: sessions })
    t.teardown(() => db.close())
    await db.preload()
    const table = () =>
      [...db.collections.sessions.state.values()]
        .map(({ sessionId, status, title }) => ({ sessionId, status, title }))
        .sort(byName)
    const has = (what: string, sessionId: string, status: string | undefined) =>
      until(() => table().find((row) => row.sessionId === sessionId)?.status === status, what)
    t.strictSame(table(), [
      { sessionId: again, status: 'pending', title: 'again' },
      { sessionId: first, status: 'pending', title: 'first' },
    ])
    const { sessionId } = await newSession(home, { title: 'new' })
    await has('it is there', sessionId, 'pending')
    supervisor.units.set(sessionId, { active: 'active', sub: 'running' })
    write(home, [{ type: 'daemon_started', sessionId, epoch: 1, pid: process.pid }])
    await has('it runs', sessionId, 'running')
    // A registry may say a thing twice.
    write(home, [{ type: 'session_created', sessionId, title: 'new' }])
    write(home, [{ type: 'session_completed', sessionId, epoch: 1, metadata: {} }])
    await has('it has ended', sessionId, 'completed')
    write(home, [
      { type: 'session_deleted', sessionId: again },
      { type: 'session_deleted', sessionId: newId() },
    ])
    await has('it is gone', again, undefined)
    const server = await newTable(t, home)
    await close()
    now = server.url
    await newSession(home, { title: 'since then' })
    await until(() => table().length === 3, 'it goes on with another server', 40_000)
    const answer = await fetch(`${now}/v1/sessions`, { headers: options.headers })
    const listed = (await answer.json()) as { sessions: { sessionId: string; title: string; status: string }[] }
    t.strictSame(
      table(),
      listed.sessions.map(({ sessionId, status, title }) => ({ sessionId, status, title })).sort(byName),
      'as it is listed',
    )
  })
}

t.test('it can be read, and nothing else', async (t) => {
  const { home, url, options } = await newTable(t)
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${url}/v1/stream/${path}`, { ...init, headers: { ...options.headers, ...init.headers } })
  t.equal(await (await ask('__state__')).text(), '[]', 'before there is a registry')
  await newSession(home)
  const head = await ask('__state__', { method: 'HEAD' })
  t.equal(head.headers.get('stream-next-offset'), String(readFileSync(home.registry).length).padStart(16, '0'))
  for (const method of ['PUT', 'POST', 'DELETE']) {
    t.equal((await ask('__state__', { method, ...(method !== 'DELETE' && { body: '[]' }) })).status, 405, method)
  }
  t.equal((await ask('copy', { method: 'PUT', headers: { 'stream-forked-from': '/v1/stream/__state__' } })).status, 405)
  t.equal((await ask('__state__?offset=0000000000000007')).status, 400, 'in the middle of a line')
  t.equal((await fetch(options.url)).status, 401)
  truncateSync(home.registry, 0)
  t.equal((await ask('__state__?offset=0000000000000200')).status, 400)
})
