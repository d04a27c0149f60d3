import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { AgentzError } from '../../../src/base/errors.js'
import { sessionLog } from '../../../src/base/paths.js'
import { appendOnce } from '../../../src/log/append.js'
import { Metrics } from '../../../src/server/metrics/metrics.js'
import { frame } from '../../../src/session/frame.js'
import { unshared } from '../../../src/streams/sharing.js'
import { bootId } from '../../../src/supervisor/boot.js'
import { AUTH, appendLine, get, HOST, newApp, newServer, newSession, SseClient } from '../helpers.js'
import { samplesOf, valueIn } from './exposition.js'

const started = (sessionId: string, epoch = 1) =>
  frame(
    { type: 'daemon_started', sessionId, unit: `agentz-session-${sessionId}.service`, pid: 1, bootId: bootId() },
    'daemon',
    epoch,
  )
const running = { active: 'active', sub: 'running' }

async function look(t: Test, { app }: Pick<Awaited<ReturnType<typeof newApp>>, 'app'>) {
  const answer = await app.inject({ url: '/metrics', headers: AUTH })
  t.equal(answer.statusCode, 200, answer.body)
  t.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  const all = samplesOf(t, answer.body)
  return { text: answer.body, value: (name: string, labels?: Record<string, string>) => valueIn(all, name, labels) }
}

t.test('a server without sessions', async (t) => {
  const server = await newApp(t)
  const { value } = await look(t, server)
  t.equal(value('agentz_build_info', { version: '0.1.0' }), 1)
  for (const status of ['pending', 'running', 'waiting_approval', 'interrupted']) {
    t.equal(value('agentz_sessions', { status }), 0, status)
  }
  t.equal(value('agentz_oldest_request_age_seconds', { kind: 'approval' }), 0)
  t.equal(value('agentz_manager_unreachable'), 0)
  t.ok((value('process_resident_memory_bytes') ?? 0) > 1e6)
  t.ok((value('process_start_time_seconds') ?? 0) > 1e9)
  const metrics = new Metrics({ ...server, sharing: unshared, addresses: () => ({ url: '', page: '' }) })
  t.equal(metrics.text(), metrics.text(), 'who asks while it is looked at gets the same look')
  await metrics.text()
  metrics.close()
  const outside = await server.app.inject({ url: '/metrics', headers: HOST })
  t.match(outside.json(), { error: { code: 'UNAUTHORIZED' } }, 'it takes the token, as the rest does')
})

t.test('sessions, what they ask, and what their units use', async (t) => {
  const server = await newApp(t)
  const { home, supervisor } = server
  const hostile = { title: 'a"} 1\nagentz_sessions{status="evil"} 7 \\', labels: { 'x"': 'y\n' } }
  const ids: string[] = []
  for (let at = 0; at < 4; at++) ids.push((await newSession(home, hostile)).sessionId)
  const [asks, runs, lost, queued] = ids as [string, string, string, string]
  for (const id of [asks, runs, lost]) {
    for (const path of [sessionLog(home, id), home.registry]) appendOnce(path, started(id))
    if (id !== lost) supervisor.units.set(id, running)
  }
  appendOnce(home.registry, frame({ type: 'session_queued', sessionId: queued }, 'supervisor', 0))
  // Its daemon was killed, and started again.
  const exit = { type: 'daemon_exited', sessionId: runs, unit: 'u', result: 'signal', manager: 'running' } as const
  for (const path of [sessionLog(home, runs), home.registry]) {
    appendOnce(path, frame({ ...exit, code: 'killed', status: 'KILL' }, 'supervisor', 1))
    appendOnce(path, started(runs, 2))
  }
  const asked = frame({ type: 'approval_request', requestId: 'r"1', tool: 'Bash', input: {} }, 'agent', 1)
  appendOnce(sessionLog(home, asks), asked.replace(/"timestamp":"[^"]*"/, '"timestamp":"2026-01-01T00:00:00.000Z"'))
  appendOnce(sessionLog(home, asks), frame({ type: 'input_request', requestId: 'i1', question: '?' }, 'agent', 1))
  const told = { type: 'session_updated', sessionId: asks, status: 'waiting_approval' } as const
  appendOnce(home.registry, frame(told, 'daemon', 1))
  Object.assign(supervisor, {
    consumption: async (of: string[]) =>
      new Map(of.filter((id) => id === runs).map((id) => [id, { cpuSeconds: 1.5, memoryBytes: 4096 }])),
  })
  const { text, value } = await look(t, server)
  t.notMatch(text, /evil|y\\n|r\\"1/, 'what others have named is no label')
  t.equal(value('agentz_sessions', { status: 'waiting_approval' }), 1)
  t.equal(value('agentz_sessions', { status: 'running' }), 1)
  t.equal(value('agentz_sessions', { status: 'interrupted' }), 1, 'the log says running, and no unit carries it')
  t.equal(value('agentz_sessions_flagged', { flag: 'queued' }), 1)
  t.equal(value('agentz_requests_waiting', { kind: 'approval' }), 1)
  t.equal(value('agentz_requests_waiting', { kind: 'input' }), 1)
  t.ok((value('agentz_oldest_request_age_seconds', { kind: 'approval' }) ?? 0) > 3600)
  t.ok((value('agentz_oldest_request_age_seconds', { kind: 'input' }) ?? 9e9) < 600)
  t.equal(value('agentz_restarts_total'), 1)
  t.equal(value('agentz_session_restarts_total', { session: runs }), 1)
  t.equal(value('agentz_session_restarts_total', { session: lost }), undefined, 'of live sessions alone')
  t.equal(value('agentz_session_cpu_seconds_total', { session: runs }), 1.5)
  t.equal(value('agentz_session_memory_bytes', { session: runs }), 4096)
  t.equal(value('agentz_session_memory_bytes', { session: asks }), undefined)
  t.equal(value('agentz_session_log_bytes', { session: asks }), readFileSync(sessionLog(home, asks)).length)
  t.equal(value('agentz_lifecycle_events_total', { type: 'daemon_started', cause: '' }), 4)
  t.equal(value('agentz_lifecycle_events_total', { type: 'session_created' }), 4)

  // Answered, ended, gone.
  const answer = await server.app.inject({
    ...{ method: 'POST', url: `/v1/sessions/${asks}/approvals/${encodeURIComponent('r"1')}`, headers: AUTH },
    payload: { decision: 'allow' },
  })
  t.equal(answer.statusCode, 200, answer.body)
  const cause = { result: 'evil"} 1', message: 'as a file may say' }
  const end = frame(
    { type: 'session_failed', sessionId: runs, error: 'x', cause: { result: 'signal' } },
    'supervisor',
    2,
  )
  appendOnce(home.registry, end.replace('"result":"signal"', `"result":${JSON.stringify(cause.result)}`))
  appendOnce(sessionLog(home, runs), end)
  supervisor.units.delete(runs)
  const after = await look(t, server)
  t.equal(after.value('agentz_requests_waiting', { kind: 'approval' }), 0)
  t.equal(after.value('agentz_requests_waiting', { kind: 'input' }), 1, 'the other question waits still')
  t.equal(after.value('agentz_session_cpu_seconds_total', { session: runs }), undefined, 'it lives no more')
  t.equal(after.value('agentz_lifecycle_events_total', { type: 'session_failed', cause: 'unknown' }), 1)
  t.equal(after.value('agentz_append_seconds_count', { route: '/v1/sessions/:id/approvals/:requestId' }), 1)
})

t.test('what grows between two looks', async (t) => {
  const server = await newApp(t)
  const { home, supervisor } = server
  const { sessionId: old } = await newSession(home)
  for (const path of [sessionLog(home, old), home.registry]) appendOnce(path, started(old))
  supervisor.units.set(old, running)
  appendLine(sessionLog(home, old), 1)
  const first = await look(t, server)
  t.equal(first.value('agentz_log_events_total'), 0, 'what was there before is not counted')
  const { size } = readLength(sessionLog(home, old))
  appendLine(sessionLog(home, old), 2)
  writeFileSync(sessionLog(home, old), 'half a line', { flag: 'a' })
  const { sessionId: young } = await newSession(home)
  appendLine(sessionLog(home, young), 1)
  const second = await look(t, server)
  t.equal(second.value('agentz_log_events_total'), 3, 'one, and two of a session that is new')
  const grown = readLength(sessionLog(home, old)).size - size - 'half a line'.length
  t.equal(second.value('agentz_log_bytes_total'), grown + readLength(sessionLog(home, young)).size)
  // It ends, and what it said last is counted still; then it is looked at no more.
  writeFileSync(sessionLog(home, old), '\n', { flag: 'a' })
  const end = frame(
    { type: 'session_completed', sessionId: old, metadata: { durationMs: 1, turns: 1 } as never },
    'daemon',
    1,
  )
  for (const path of [sessionLog(home, old), home.registry]) appendOnce(path, end)
  supervisor.units.delete(old)
  t.equal((await look(t, server)).value('agentz_log_events_total'), 4)
  appendLine(sessionLog(home, old), 3)
  t.equal((await look(t, server)).value('agentz_log_events_total'), 4)
})

const readLength = (path: string) => ({ size: readFileSync(path).length })

t.test('what is in the place of a log, and no manager', async (t) => {
  const server = await newApp(t)
  const { home, supervisor } = server
  const { sessionId } = await newSession(home)
  const ghost = '0123456789ab'
  appendOnce(home.registry, frame({ type: 'session_updated', sessionId, status: 'waiting_input' }, 'daemon', 1))
  supervisor.units.set(sessionId, running)
  symlinkSync('/dev/zero', sessionLog(home, ghost))
  appendOnce(home.registry, 'this is no record')
  const { value } = await look(t, server)
  t.equal(value('agentz_requests_waiting', { kind: 'input' }), 0, 'its log asks nothing')
  t.equal(value('agentz_registry_damaged_lines'), 1)
  supervisor.list = async () => {
    throw new AgentzError('NO_MANAGER', 'nobody there')
  }
  t.equal((await look(t, server)).value('agentz_manager_unreachable'), 1)
})

t.test('subscribers, and how late they are told', async (t) => {
  const { socketPath, home } = await newServer(t)
  const { sessionId } = await newSession(home)
  const read = async () => {
    const { body, status } = await get(socketPath, '/metrics')
    t.equal(status, 200)
    const all = samplesOf(t, body.toString())
    return (name: string, labels?: Record<string, string>) => valueIn(all, name, labels)
  }
  const before = await read()
  t.equal(before('agentz_streams_open'), 0)
  const [one, two] = [0, 1].map(() => new SseClient(socketPath, `/v1/sessions/${sessionId}/events?offset=tail`)) as [
    SseClient,
    SseClient,
  ]
  await Promise.all([one.opened, two.opened])
  appendLine(sessionLog(home, sessionId), 1)
  await Promise.all([one.count(1), two.count(1)])
  const now = await read()
  t.equal(now('agentz_streams_open'), 2)
  t.equal(now('agentz_files_followed'), 1)
  t.equal(now('agentz_delivery_seconds_count'), 1, 'once for all')
  t.ok((now('agentz_delivered_bytes_total') ?? 0) > 100)
  one.close()
  two.close()
  await one.until(() => one.ended && two.ended)
})
