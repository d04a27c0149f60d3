import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AgentzError } from '../../src/base/errors.js'
import { sessionEnv, sessionLog } from '../../src/base/paths.js'
import { appendOnce } from '../../src/log/append.js'
import { frame } from '../../src/session/frame.js'
import { readSession } from '../../src/session/state.js'
import { bootId } from '../../src/supervisor/boot.js'
import { get, newApp, newHome, newServer, newSession } from './helpers.js'

const unix = { guard: { kind: 'unix' } } as const
const started = (sessionId: string, epoch = 1) =>
  frame(
    { type: 'daemon_started', sessionId, unit: `agentz-session-${sessionId}.service`, pid: 1, bootId: bootId() },
    'daemon',
    epoch,
  )

t.test('create, show, list', async (t) => {
  const { app, home, supervisor } = await newApp(t, unix)
  const payload = { agentType: 'command', command: ['echo', 'hi'], workingDir: home.root, labels: { a: 'b' } }
  const created = await app.inject({ method: 'POST', url: '/v1/sessions', payload })
  t.equal(created.statusCode, 201)
  const { sessionId, unit, log } = created.json()
  t.equal(created.headers.location, `/v1/sessions/${sessionId}`)
  t.equal(log, sessionLog(home, sessionId))
  t.equal(unit, `agentz-session-${sessionId}.service`)
  t.ok(supervisor.units.has(sessionId), 'its unit was started')
  t.match(readFileSync(sessionEnv(home, sessionId), 'utf8'), /^PATH=/m)
  const shown = (await app.inject({ url: created.headers.location as string })).json()
  t.match(shown, {
    sessionId,
    unit,
    log,
    status: 'pending',
    agentType: 'command',
    command: ['echo', 'hi'],
    title: 'echo hi',
  })
  t.match(shown, { workingDir: home.root, restarts: 0, epoch: 0, approvals: [], inputs: [], labels: { a: 'b' } })
  t.equal(shown.offset, readFileSync(log).length, 'the offset is where the events go on')
  appendOnce(
    log,
    frame({ type: 'approval_request', requestId: 'r1', tool: 'Bash', input: { command: 'ls' } }, 'agent', 1),
  )
  const asked = (await app.inject({ url: `/v1/sessions/${sessionId}` })).json()
  t.match(asked, {
    status: 'waiting_approval',
    approvals: [{ requestId: 'r1', tool: 'Bash', input: { command: 'ls' } }],
  })
  const list = (await app.inject({ url: '/v1/sessions' })).json()
  t.match(list.sessions, [{ sessionId, unit, log, status: 'pending' }])
  t.equal(list.offset, readFileSync(home.registry).length)
})

t.test('what is refused leaves nothing behind', async (t) => {
  const { app, home, supervisor } = await newApp(t, unix)
  const good = { agentType: 'command', command: ['echo'], workingDir: home.root }
  const rows: [object, number, string][] = [
    [{ ...good, title: ' ' }, 400, 'BAD_INPUT'],
    [{ ...good, agentType: 'nobody', command: undefined, prompt: 'x' }, 400, 'AGENT_UNKNOWN'],
    [{ ...good, command: ['no-such-program-here'] }, 422, 'AGENT_MISSING'],
    [{ ...good, workingDir: '/no/such/dir' }, 400, 'DIR_MISSING'],
    [{ ...good, workingDir: '.' }, 400, 'BAD_INPUT'],
    [{ ...good, command: [] }, 400, 'BAD_INPUT'],
    [{ ...good, limits: { memory: 'all' } }, 400, 'BAD_INPUT'],
    [{ ...good, sessionId: '0123456789ab' }, 400, 'BAD_INPUT'],
    [{ ...good, restart: 'always' }, 400, 'BAD_INPUT'],
  ]
  for (const [payload, status, code] of rows) {
    const answer = await app.inject({ method: 'POST', url: '/v1/sessions', payload })
    t.equal(answer.statusCode, status, JSON.stringify(payload))
    t.equal(answer.json().error.code, code, JSON.stringify(payload))
  }
  writeFileSync(home.config, JSON.stringify({ agents: { command: { enabled: false } } }))
  const disabled = await app.inject({ method: 'POST', url: '/v1/sessions', payload: good })
  writeFileSync(home.config, JSON.stringify({ agent: 'demo' }))
  const { agentType: _, command: __, ...rest } = good
  const refused = (await app.inject({ method: 'POST', url: '/v1/sessions', payload: rest })).json().error
  t.match(
    refused,
    { code: 'BAD_INPUT', message: /prompt/ },
    'without one it is the agent of config.json, which wants a prompt',
  )
  t.match(disabled, { statusCode: 403 })
  t.equal(disabled.json().error.code, 'AGENT_DISABLED')
  t.same((await app.inject({ url: '/v1/sessions' })).json(), { sessions: [], offset: 0 })
  writeFileSync(home.config, '{}')
  supervisor.refuse = new AgentzError('UNIT_FAILED', 'no room')
  const failed = await app.inject({ method: 'POST', url: '/v1/sessions', payload: good })
  t.match(failed.json(), { error: { code: 'UNIT_FAILED', message: 'no room' } })
  t.match((await app.inject({ url: '/v1/sessions' })).json(), { sessions: [{ status: 'failed', error: 'no room' }] })
})

t.test('the list tells the truth, filtered', async (t) => {
  const { app, home, supervisor } = await newApp(t, unix)
  const ids: string[] = []
  for (let i = 0; i < 4; i++) ids.push((await newSession(home, { title: `s${i}` })).sessionId)
  const [first, second] = ids as [string, string]
  for (const id of [first, second]) {
    appendOnce(sessionLog(home, id), started(id))
    appendOnce(home.registry, started(id))
  }
  supervisor.units.set(first, { active: 'active', sub: 'running' })
  const titles = async (query: string) =>
    (await app.inject({ url: `/v1/sessions${query}` })).json().sessions.map((row: { title: string }) => row.title)
  t.same(await titles(''), ['s0', 's1', 's2', 's3'])
  t.same(await titles('?status=running'), ['s0'])
  t.same(await titles('?status=interrupted'), ['s1'], 'the log says running, and no unit carries it')
  t.same(await titles('?status=pending,running'), ['s0', 's2', 's3'])
  const odd = await app.inject({ url: '/v1/sessions?status=running,x' })
  t.match([odd.statusCode, odd.body], [400, /status: must be one or more of pending,running,/])
  t.same(await titles('?limit=2'), ['s2', 's3'], 'the newest')
  t.same(await titles('?status=running&limit=1'), ['s0'])
  await newSession(home, { title: 's4', labels: { team: 'web', 'a=': 'b' } })
  await newSession(home, { title: 's5', labels: { team: 'api' } })
  t.same(await titles('?label=team=web'), ['s4'])
  t.same(await titles('?label=team'), ['s4', 's5'], 'of any value')
  t.same(await titles('?label=team&label=a'), [], 'all of them')
  t.same(await titles('?label=toString'), [], 'what every object has is no label')
  for (const odd of ['?label=', '?label==b', '?label=team&label==b']) {
    const { statusCode, body } = await app.inject({ url: `/v1/sessions${odd}` })
    t.match([statusCode, body], [400, /label.*must be KEY=VALUE or KEY/], odd)
  }
  t.same(await titles('?agent=command&status=pending&limit=1&label=team'), ['s5'])
  t.same(await titles('?agent=claude'), [])
  for (const odd of ['claud', '']) {
    const { statusCode, body } = await app.inject({ url: `/v1/sessions?agent=${odd}` })
    t.match([statusCode, body], [400, /AGENT_UNKNOWN.*there is no agent.*claude, codex/], `as ls says: ${odd}`)
  }
  await newSession(home, { title: 's6', agentType: 'goose', command: undefined, prompt: 'x' })
  t.same(await titles('?agent=goose'), ['s6'], 'one that config.json has forgotten')
  t.same(await titles('?agent=goose&status=running'), [])
  const lost = (await app.inject({ url: `/v1/sessions/${second}` })).json()
  t.match(lost, { status: 'interrupted', cause: { result: 'lost' }, restarts: 0, epoch: 1 })
  t.notOk('pid' in lost)
})

t.test('no manager to ask', async (t) => {
  const { app, home, supervisor } = await newApp(t, unix)
  const { sessionId } = await newSession(home)
  appendOnce(home.registry, started(sessionId))
  supervisor.list = async () => {
    throw new AgentzError('NO_MANAGER', 'nobody there')
  }
  const answer = await app.inject({ url: '/v1/sessions' })
  t.equal(answer.statusCode, 200)
  t.match(answer.json(), {
    sessions: [{ status: 'interrupted' }],
    unasked: { code: 'NO_MANAGER', message: 'nobody there' },
  })
})

t.test('cancel', async (t) => {
  const { app, home, supervisor } = await newApp(t, unix)
  const { sessionId } = await newSession(home)
  const log = sessionLog(home, sessionId)
  appendOnce(log, started(sessionId))
  supervisor.units.set(sessionId, { active: 'active', sub: 'running' })
  const url = `/v1/sessions/${sessionId}/cancel`
  const asked = await app.inject({ method: 'POST', url, payload: {} })
  t.equal(asked.statusCode, 200)
  t.match(asked.json(), { sessionId, status: 'running', done: true, offset: readFileSync(log).length })
  t.match(readFileSync(log, 'utf8'), /"type":"cancel_requested",.*"by":"user","via":"http"/)
  supervisor.units.delete(sessionId)
  const alone = await app.inject({ method: 'POST', url })
  t.match(alone.json(), { sessionId, status: 'cancelled' }, 'nothing carries it: the end is written here')
  const before = readFileSync(log)
  const again = await app.inject({ method: 'POST', url })
  t.equal(again.statusCode, 200)
  t.match(again.json(), { sessionId, status: 'cancelled', done: false })
  t.same(readFileSync(log), before, 'a finished session: nothing is written')
  t.equal(readSession(home, sessionId).status, 'cancelled')
  t.equal((await app.inject({ method: 'POST', url, payload: { force: true } })).statusCode, 400)
  const headers = { 'content-type': 'application/json' }
  for (const payload of ['', Buffer.alloc(0)]) {
    const empty = await app.inject({ method: 'POST', url, headers, payload })
    t.match([empty.statusCode, empty.json()], [200, { done: false }], 'a client that always says JSON')
  }
  const nothing = await app.inject({ method: 'POST', url: `/v1/sessions/${sessionId}/messages`, headers, payload: '' })
  t.match(
    [nothing.statusCode, nothing.json()],
    [400, { error: { code: 'BAD_INPUT', message: /must be a JSON object/ } }],
  )
})

t.test('two servers on one home answer alike', async (t) => {
  const home = newHome(t)
  const one = await newServer(t, { home })
  const two = await newServer(t, { home, supervisor: one.supervisor, socket: join(home.root, 'run', 's2') })
  const { sessionId } = await newSession(home)
  appendOnce(sessionLog(home, sessionId), started(sessionId))
  one.supervisor.units.set(sessionId, { active: 'active', sub: 'running' })
  const paths = ['', `/${sessionId}`, `/${sessionId}/events?follow=0`, '/000000000000', '?limit=x', '?status=pending']
  for (const path of paths) {
    const [a, b] = [await get(one.socketPath, `/v1/sessions${path}`), await get(two.socketPath, `/v1/sessions${path}`)]
    t.equal(a.status, b.status, path)
    t.ok(a.body.equals(b.body), path)
    t.ok(a.body.length > 0, path)
    t.equal(a.headers['content-type'], b.headers['content-type'], path)
  }
  const [a, b] = [await get(one.socketPath, '/v1/events?follow=0'), await get(two.socketPath, '/v1/events?follow=0')]
  t.ok(a.body.equals(b.body) && a.body.length > 0)
})
