/** The client of our own against a real server: over the socket, and over TCP with the token. */
import { appendFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { ensureToken } from '../../src/base/token.js'
import { Agentz, type Item, type SessionEvent } from '../../src/client/client.js'
import type { SessionEvent as Written } from '../../src/session/events.js'
import { frame } from '../../src/session/frame.js'
import { Agentz as CommandLine } from '../helpers/agentz.js'
import { until } from '../helpers/home.js'
import { appendLine, newServer, newSession } from '../server/helpers.js'
import { Server } from '../survival/soak/http.js'

/** A server with a client by each way to it. */
async function newClients(t: Test) {
  const server = await newServer(t)
  const token = () => ensureToken(server.home)
  const clients = {
    socket: new Agentz({ socketPath: server.socketPath }),
    tcp: new Agentz({ baseUrl: server.url, token }),
  }
  return { ...server, clients }
}

const append = (path: string, event: Parameters<typeof frame>[0], by: Written['by'] = 'agent') =>
  appendFileSync(path, `${frame(event, by, 1)}\n`)

t.test('each call, over each way', async (t) => {
  const { home, supervisor, clients } = await newClients(t)
  for (const [way, agentz] of Object.entries(clients)) {
    const spawned = await agentz.spawn({ agentType: 'command', command: ['true'], workingDir: home.root, title: way })
    const { sessionId } = spawned
    t.match(spawned, { unit: supervisor.unitName(sessionId), log: sessionLog(home, sessionId) })
    const path = sessionLog(home, sessionId)
    append(path, { type: 'daemon_started', sessionId, unit: 'u', pid: process.pid, bootId: 'b' }, 'daemon')
    append(path, { type: 'approval_request', requestId: 'r/1?', tool: 'Bash', input: {} })
    append(path, { type: 'approval_request', requestId: 'r2', tool: 'Bash', input: {} })
    append(path, { type: 'input_request', requestId: 'q', question: 'why?' })
    const session = await agentz.get(sessionId)
    t.match(session, { sessionId, title: way, approvals: [{ requestId: 'r/1?' }, { requestId: 'r2' }], inputs: [{}] })
    t.match(await agentz.approve(sessionId, 'r/1?', { always: true }), { sessionId, requestId: 'r/1?', offset: Number })
    t.match(await agentz.deny(sessionId, 'r2', { reason: 'no' }), { requestId: 'r2' })
    t.match(await agentz.answer(sessionId, 'q', 'because'), { requestId: 'q' })
    await t.rejects(agentz.deny(sessionId, 'r2'), { code: 'CONFLICT', http: 409 }, 'the first answer counts')
    for (const act of ['freeze', 'thaw'] as const) {
      t.match(await agentz[act](sessionId), { sessionId, status: String, frozen: Boolean, done: Boolean })
    }
    const told: SessionEvent[] = []
    for await (const { event } of agentz.events(sessionId, { from: session.offset })) {
      if (event !== undefined) told.push(event)
      if (told.length === 3) break
    }
    t.match(told, [
      { type: 'approval_response', decision: 'allow_always' },
      { type: 'approval_response', decision: 'deny', reason: 'no' },
      { type: 'input_response', content: 'because' },
    ])
    t.match(await agentz.cancel(sessionId), { sessionId, done: Boolean, status: String })
  }
  const all = await clients.tcp.list()
  t.strictSame(
    all.sessions.map(({ title }) => title),
    ['socket', 'tcp'],
  )
  t.equal((await clients.tcp.list({ limit: 1, status: ['cancelled', 'interrupted', 'pending'] })).sessions.length, 1)
  for await (const { event, offset } of clients.socket.registryEvents()) {
    t.match(event, { type: 'session_created' })
    t.ok(offset > 0 && offset <= all.offset)
    break
  }
  const next = clients.tcp.registryEvents({ from: 'end' }).next()
  const { sessionId } = await newSession(home, { title: 'new' })
  t.match(await next, { value: { event: { sessionId } } }, 'what comes after now')
  t.same(await clients.socket.waiting(), [])
})

t.test('a conversation waits for what settles it', async (t) => {
  const { home, supervisor, clients } = await newClients(t)
  const { sessionId } = await newSession(home, { agentType: 'claude', prompt: 'x', command: undefined })
  supervisor.units.set(sessionId, { active: 'active', sub: 'running' })
  const path = sessionLog(home, sessionId)
  append(path, { type: 'daemon_started', sessionId, unit: 'u', pid: process.pid, bootId: 'b' }, 'daemon')
  append(home.registry, { type: 'daemon_started', sessionId, unit: 'u', pid: process.pid, bootId: 'b' }, 'daemon')
  const waits = Object.values(clients).map((agentz) => agentz.wait(sessionId))
  t.match(await clients.tcp.send(sessionId, 'hello', { messageId: 'm', interrupt: true }), {
    messageId: 'm',
    reopened: false,
  })
  await t.rejects(clients.socket.send(sessionId, 'hello', { messageId: 'm' }), { code: 'CONFLICT' }, 'said once')
  append(path, { type: 'approval_request', requestId: 'r', tool: 'Bash', input: {} })
  for (const session of await Promise.all(waits)) t.match(session, { status: 'waiting_approval', approvals: [{}] })
  append(home.registry, { type: 'session_updated', sessionId, status: 'waiting_approval' }, 'daemon')
  t.match(await clients.socket.waiting(), [{ sessionId, approvals: [{ requestId: 'r' }], inputs: [] }])
  t.match(await clients.socket.wait(sessionId), { status: 'waiting_approval' }, 'at once')
  await clients.tcp.approve(sessionId, 'r')
  const leave = new AbortController()
  const left = clients.tcp.wait(sessionId, { signal: leave.signal })
  await clients.tcp.list()
  leave.abort(new Error('enough'))
  await t.rejects(left, { message: 'enough' })
})

t.test('bad input, and no server', async (t) => {
  const { home, socketPath, url, clients, close } = await newClients(t)
  for (const options of [
    { token: 'x' },
    { baseUrl: 'ftp://x' },
    { baseUrl: `${url}/v1` },
    { baseUrl: url, socketPath },
  ]) {
    t.throws(() => new Agentz(options), { code: 'BAD_INPUT', message: /^(token|baseUrl|socketPath): / })
  }
  await t.rejects(new Agentz({ baseUrl: url }).list(), {
    code: 'UNAUTHORIZED',
    http: 401,
    hint: /the token from a file/,
  })
  await t.rejects(new Agentz({ baseUrl: url, token: async () => 'x' }).list(), { code: 'UNAUTHORIZED' })
  for (const agentz of Object.values(clients)) {
    await t.rejects(agentz.get('../../healthz'), { code: 'BAD_ID' })
    await t.rejects(agentz.get('0123456789ab'), { code: 'NOT_FOUND', http: 404 })
    await t.rejects(agentz.events('0123456789ab').next(), { code: 'NOT_FOUND' })
    await t.rejects(agentz.wait('0123456789ab'), { code: 'NOT_FOUND' })
    await t.rejects(agentz.spawn({ agentType: 'command', workingDir: home.root }), { code: 'BAD_INPUT' })
    await t.rejects(agentz.list({ limit: -1 }), { code: 'BAD_INPUT', message: /limit/ })
    const { sessionId } = await newSession(home)
    await t.rejects(agentz.events(sessionId, { from: 3 }).next(), { code: 'BAD_INPUT', message: /offset/ })
    await t.rejects(agentz.list({ signal: AbortSignal.abort(new Error('enough')) }), { message: 'enough' })
  }
  await close()
  for (const agentz of Object.values(clients)) {
    await t.rejects(agentz.list(), {
      code: 'NO_SERVER',
      message: /no answer from .* to GET .*: /,
      hint: /agentz serve/,
    })
    await t.rejects(agentz.events('0123456789ab').next(), { code: 'NO_SERVER' })
    await t.rejects(agentz.cancel('0123456789ab'), { code: 'NO_SERVER', message: /whether it was done is not known/ })
  }
})

t.test('the server is killed, and comes again: nothing twice, nothing missing', { timeout: 60_000 }, async (t) => {
  const a = new CommandLine(t, undefined, { AGENTZ_SUPERVISOR: 'plain' })
  const { sessionId } = await newSession(a.home)
  const path = sessionLog(a.home, sessionId)
  const server = new Server(a)
  t.teardown(() => server.end())
  await server.insist('GET', '/healthz')
  const before = process.env.AGENTZ_HOME
  process.env.AGENTZ_HOME = a.home.root
  const agentz = new Agentz()
  const items: Item<SessionEvent>[] = []
  let retries = 0
  const onRetry = () => void retries++
  const reading = (async () => {
    for await (const item of agentz.events(sessionId, { onRetry })) {
      items.push(item)
      if (item.line?.includes('the end')) return
    }
  })()
  await until(() => items.length > 0, 'it follows')
  process.env.AGENTZ_HOME = before
  const offsets: number[] = []
  for (let n = 1; n <= 300; n++) {
    offsets.push(appendLine(path, n))
    if (n % 100 === 50) appendFileSync(path, 'torn\n')
    if (n % 100 !== 0) continue
    await until(() => items.length >= n / 2, 'it goes on')
    t.ok(server.kill(), `killed at ${n}, ${items.length} told`)
  }
  appendLine(path, 0, 'the end')
  await reading
  t.ok(retries >= 1, `${retries} attempts`)
  const lines = items.flatMap(({ line }) => (line === undefined ? [] : (JSON.parse(line).n ?? [])))
  t.strictSame(lines, [...Array.from({ length: 300 }, (_, n) => n + 1), 0])
  t.equal(items.filter(({ damaged }) => damaged !== undefined).length, 3, 'each damaged line once')
})
