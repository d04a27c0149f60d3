/** Talking with a session over HTTP: messages, answers, and what waits in all sessions. */
import { appendFileSync } from 'node:fs'
import t from 'tap'
import type { Home } from '../../src/base/paths.js'
import { sessionLog } from '../../src/base/paths.js'
import { appendOnce } from '../../src/log/append.js'
import { appendLifecycle } from '../../src/session/lifecycle.js'
import { readSession } from '../../src/session/state.js'
import { bootId } from '../../src/supervisor/boot.js'
import { FakeSupervisor, newApp, newHome, newSession } from './helpers.js'

// The doorbells of these tests belong to their own AGENTZ_HOME, not to the login.
delete process.env.XDG_RUNTIME_DIR
const unix = { guard: { kind: 'unix' } } as const

const append = (home: Home, id: string, event: object) =>
  appendOnce(sessionLog(home, id), JSON.stringify({ timestamp: new Date().toISOString(), by: 'agent', ...event }))

/** A daemon that has begun, as its file and the registry tell. */
const began = (home: Home, sessionId: string, epoch = 1) =>
  appendLifecycle(
    home,
    { type: 'daemon_started', sessionId, unit: `agentz-session-${sessionId}.service`, pid: 1, bootId: bootId() },
    'daemon',
    { epoch },
  )

/** Units whose daemon says that it has begun, and nothing more. */
class Daemons extends FakeSupervisor {
  readonly #home: Home
  starts = 0

  constructor(home: Home) {
    super()
    this.#home = home
    const begin = this.start
    this.start = async (spec) => {
      await begin(spec)
      this.starts++
      await began(this.#home, spec.sessionId, readSession(this.#home, spec.sessionId).epoch + 1)
    }
  }
}

async function stage(t: Parameters<typeof newApp>[0]) {
  const home = newHome(t)
  const supervisor = new Daemons(home)
  const { app } = await newApp(t, { ...unix, home, supervisor })
  const post = async (url: string, payload: unknown, headers: Record<string, string> = {}) => {
    const type = { 'content-type': 'application/json', ...headers }
    const answer = await app.inject({
      method: 'POST',
      url: `/v1/sessions/${url}`,
      headers: type,
      payload: payload as string,
    })
    return { status: answer.statusCode, ...answer.json() }
  }
  /** A claude that works. */
  const working = async (...events: object[]) => {
    const { sessionId } = await newSession(home, { agentType: 'claude', command: undefined, prompt: 'p' })
    supervisor.units.set(sessionId, { active: 'active', sub: 'running' })
    await began(home, sessionId)
    for (const event of events) append(home, sessionId, event)
    return sessionId
  }
  return { app, home, supervisor, post, working }
}

const asks = (requestId: string, more: object = {}) => ({
  type: 'approval_request',
  requestId,
  tool: 'Bash',
  input: { command: 'ls' },
  ...more,
})

t.test('a message to a session that runs, and to one that has ended', async (t) => {
  const { home, supervisor, post, working } = await stage(t)
  const id = await working()
  const said = await post(`${id}/messages`, { content: 'hello', interrupt: true })
  t.match(said, { status: 202, sessionId: id, messageId: /^m-[0-9a-f]{12}$/, offset: Number, reopened: false })
  t.match(readSession(home, id).messages.get(said.messageId), { content: 'hello', interrupt: true, sent: false })
  t.equal(supervisor.starts, 0)
  append(home, id, { type: 'session_completed', sessionId: id, metadata: {} })
  supervisor.units.delete(id)
  t.match(await post(`${id}/messages`, { content: 'again', messageId: 'mine:1' }), {
    status: 202,
    messageId: 'mine:1',
    reopened: true,
  })
  t.equal(supervisor.starts, 1)
  t.equal(readSession(home, id).status, 'running', 'it is seen to run')
  const twice = await post(`${id}/messages`, { content: 'again', messageId: 'mine:1' })
  t.match(twice, { status: 409, error: { code: 'CONFLICT' } }, 'a request that is sent again')
  supervisor.units.delete(id)
  append(home, id, { type: 'session_completed', sessionId: id, metadata: {} })
  supervisor.refuse = new Error('no')
  t.match(await post(`${id}/messages`, { content: 'x' }), { status: 500 }, 'a unit that cannot be started')
})

t.test('messages that are refused', async (t) => {
  const { app, home, supervisor, post, working } = await stage(t)
  const id = await working()
  const program = await newSession(home)
  const rows: [string, unknown, number, string][] = [
    [id, {}, 400, 'BAD_INPUT'],
    [id, { content: '' }, 400, 'BAD_INPUT'],
    [id, { content: ' \n' }, 400, 'BAD_INPUT'],
    [id, { content: 5 }, 400, 'BAD_INPUT'],
    [id, { content: 'a\0b' }, 400, 'BAD_INPUT'],
    [id, '{"content":"\\ud800"}', 400, 'BAD_INPUT'],
    [id, { content: 'x', foo: 1 }, 400, 'BAD_INPUT'],
    [id, { content: 'x', via: 'cli' }, 400, 'BAD_INPUT'],
    [id, { content: 'x', interrupt: 'yes' }, 400, 'BAD_INPUT'],
    [id, { content: 'x', messageId: 'a b' }, 400, 'BAD_INPUT'],
    [id, { content: 'x', messageId: '' }, 400, 'BAD_INPUT'],
    [id, { content: 'x', messageId: 'continue-1' }, 400, 'BAD_INPUT'],
    [id, { content: 'x', messageId: 'prompt' }, 409, 'CONFLICT'],
    [id, '[]', 400, 'BAD_INPUT'],
    [id, 'null', 400, 'BAD_INPUT'],
    [id, '', 400, 'BAD_INPUT'],
    [id, '{"content":"x"', 400, 'BAD_INPUT'],
    [id, '{"content":"x","__proto__":{}}', 400, 'BAD_INPUT'],
    [id, { content: 'x'.repeat(1_100_000) }, 413, 'BODY_TOO_LARGE'],
    [id, { content: 'x'.repeat(1_048_500) }, 413, 'LOG_TOO_LONG'],
    [program.sessionId, { content: 'x' }, 400, 'BAD_INPUT'],
    ['ffffffffffff', { content: 'x' }, 404, 'NOT_FOUND'],
    ['latest', { content: 'x' }, 400, 'BAD_ID'],
    ['..%2f..%2fetc', { content: 'x' }, 400, 'BAD_ID'],
    ['%ff', { content: 'x' }, 400, 'BAD_INPUT'],
  ]
  for (const [where, body, status, code] of rows) {
    const answer = await post(`${where}/messages`, body)
    t.match(
      answer,
      { status, error: { code, message: /./, hint: /./ } },
      `${where} ${JSON.stringify(body)?.slice(0, 60)}`,
    )
  }
  const bad = Buffer.from('{"content":"a\xff"}', 'latin1')
  t.match(await post(`${id}/messages`, bad), { status: 400, error: { message: /not UTF-8/ } })
  t.match(await post(`${id}/messages?x=1`, { content: 'x' }), { status: 400 })
  const plain = await post(`${id}/messages`, '{"content":"x"}', { 'content-type': 'text/plain' })
  t.match(plain, { status: 415, error: { code: 'NOT_JSON' } })
  t.equal((await app.inject({ method: 'POST', url: `/v1/sessions/${id}/messages` })).statusCode, 400)
  t.equal((await app.inject({ url: `/v1/sessions/${id}/messages` })).statusCode, 404)
  t.equal(readSession(home, id).messages.size, 1, 'nothing of it is in the file')
  t.equal(supervisor.starts, 0)
  const encoded = `%${id.charCodeAt(0).toString(16)}${id.slice(1)}`
  t.match(await post(`${encoded}/messages`, { content: 'x' }), { status: 202, sessionId: id }, 'escapes are undone')
})

t.test('approvals: the first answer wins, a stale one is refused', async (t) => {
  const { home, post, working } = await stage(t)
  const odd = 'call/1 "é" %2F?#'
  const long = 'q'.repeat(600)
  const id = await working(
    asks('r1'),
    asks(odd),
    asks(long),
    asks('r2', { options: [{ decision: 'allow', label: 'yes' }] }),
  )
  const answer = (requestId: string, body: unknown) => post(`${id}/approvals/${encodeURIComponent(requestId)}`, body)
  for (const body of [
    {},
    { decision: 'maybe' },
    { decision: 1 },
    { decision: 'allow', x: 1 },
    { decision: 'deny', reason: 5 },
  ]) {
    t.match(await answer('r1', body), { status: 400, error: { code: 'BAD_INPUT' } }, JSON.stringify(body))
  }
  t.match(await answer('r1', { decision: 'deny', reason: 'no\u001b[31m' }), {
    status: 200,
    requestId: 'r1',
    offset: Number,
  })
  t.match(await answer('r1', { decision: 'allow' }), { status: 409, error: { code: 'CONFLICT' } })
  t.match(readSession(home, id).answered.get('r1'), { decision: 'deny', by: 'user', via: 'http' })
  t.match(await answer(odd, { decision: 'allow_always' }), { status: 200, requestId: odd })
  t.match(await answer(long, { decision: 'allow' }), { status: 200, requestId: long })
  t.match(await answer('r2', { decision: 'deny' }), { status: 400, error: { hint: 'Answers: allow.' } }, 'not offered')
  t.match(await answer('nobody', { decision: 'allow' }), { status: 404, error: { code: 'NOT_FOUND' } })
  t.match(await answer('__proto__', { decision: 'allow' }), { status: 404 })
  t.match(await answer('a\0\n', { decision: 'allow' }), { status: 404 })
  t.match(await post(`${id}/approvals/a/b`, { decision: 'allow' }), { status: 404 })
  t.match(await post(`${id}/inputs/r2`, { content: 'allow' }), { status: 404 }, 'an approval is no question')
  append(home, id, { type: 'approval_voided', requestId: 'r2', why: 'the agent died' })
  t.match(await answer('r2', { decision: 'allow' }), { status: 404, error: { message: /is void: the agent died/ } })
  append(home, id, asks('r3'))
  append(home, id, { type: 'session_cancelled', sessionId: id, cause: { result: 'cancelled' } })
  t.match(await answer('r3', { decision: 'allow' }), {
    status: 404,
    error: { message: /is void: the session is cancelled/ },
  })
  t.match(await post('ffffffffffff/approvals/r1', { decision: 'allow' }), { status: 404 })
})

t.test('answers to questions', async (t) => {
  const { post, working } = await stage(t)
  const question = { type: 'input_request', question: 'Go on?' }
  const budget = { about: 'budget', subject: 'turns', options: ['continue', 'stop'] }
  const id = await working({ ...question, requestId: 'i1' }, { ...question, requestId: 'i2', ...budget })
  for (const body of [{}, { content: 5 }, { content: 'x', decision: 'allow' }, '"x"']) {
    t.match(await post(`${id}/inputs/i1`, body), { status: 400 }, JSON.stringify(body))
  }
  t.match(await post(`${id}/inputs/i1`, { content: 'whatever' }), { status: 200, requestId: 'i1', offset: Number })
  t.match(await post(`${id}/inputs/i1`, { content: 'more' }), { status: 409 })
  t.match(await post(`${id}/inputs/i2`, { content: 'perhaps' }), { status: 400, error: { hint: /continue, stop/ } })
  t.match(await post(`${id}/inputs/i2`, { content: '5' }), { status: 200 }, 'a budget takes a number, too')
  t.match(await post(`${id}/inputs/i3`, { content: 'x' }), { status: 404 })
  t.match(await post(`${id}/approvals/i3`, { decision: 'allow' }), { status: 404 })
})

t.test('many answers at once: one is taken', async (t) => {
  const { home, post, working } = await stage(t)
  const id = await working(asks('r1'))
  const decisions = ['allow', 'deny', 'allow_always', 'allow', 'deny'] as const
  const answers = await Promise.all(decisions.map((decision) => post(`${id}/approvals/r1`, { decision })))
  t.strictSame(answers.map(({ status }) => status).sort(), [200, 409, 409, 409, 409])
  const won = answers.findIndex(({ status }) => status === 200)
  t.match(readSession(home, id).answered.get('r1'), { decision: decisions[won] })
  append(home, id, asks('r2'))
  const line = {
    type: 'approval_response',
    timestamp: '2026-01-01T00:00:00.000Z',
    by: 'user',
    requestId: 'r2',
    decision: 'deny',
  }
  appendFileSync(sessionLog(home, id), `\n${JSON.stringify(line)}\n`)
  t.match(await post(`${id}/approvals/r2`, { decision: 'allow' }), { status: 409 }, 'a line by hand was first')
})

t.test('what waits for an answer, in all sessions', async (t) => {
  const { app, home, supervisor, working } = await stage(t)
  const list = async (query = '') => (await app.inject({ url: `/v1/approvals${query}` })).json()
  t.strictSame(await list(), { sessions: [] })
  const tell = (sessionId: string, status: string) =>
    appendLifecycle(home, { type: 'session_updated', sessionId, status }, 'daemon', { epoch: 1 })
  const asking = await working(asks('r1', { title: 'List' }), { type: 'input_request', requestId: 'i1', question: '?' })
  await tell(asking, 'waiting_approval')
  const answered = await working()
  await tell(answered, 'waiting_approval')
  await working()
  const lost = await working(asks('r9'))
  await tell(lost, 'waiting_approval')
  supervisor.units.delete(lost)
  const { sessions } = await list()
  t.equal(sessions.length, 1, 'neither what works, nor what nothing carries, nor what was answered a moment ago')
  t.match(sessions[0], {
    sessionId: asking,
    title: 'p',
    agentType: 'claude',
    approvals: [{ requestId: 'r1', tool: 'Bash', input: { command: 'ls' }, title: 'List' }],
    inputs: [{ requestId: 'i1', question: '?' }],
  })
  t.match(await list('?x=1'), { error: { code: 'BAD_INPUT' } })
})
