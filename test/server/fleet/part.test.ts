import { readFileSync } from 'node:fs'
import t from 'tap'
import { AgentzError } from '../../../src/base/errors.js'
import { sessionLog } from '../../../src/base/paths.js'
import { appendOnce } from '../../../src/log/append.js'
import { frame } from '../../../src/session/frame.js'
import { bootId } from '../../../src/supervisor/boot.js'
import { HOST, newApp, newSession } from '../helpers.js'

t.test('all that live, those in the queue first, each for itself', async (t) => {
  const { app, home, supervisor } = await newApp(t, { guard: { kind: 'unix' } })
  const ids: string[] = []
  for (let at = 0; at < 5; at++) ids.push((await newSession(home)).sessionId)
  const [runs, ended, broken, queued, also] = ids as [string, string, string, string, string]
  const tell = (id: string, line: string) => {
    for (const path of [sessionLog(home, id), home.registry]) appendOnce(path, line)
  }
  for (const id of [runs, broken, also]) {
    const unit = supervisor.unitName(id)
    tell(id, frame({ type: 'daemon_started', sessionId: id, unit, pid: 1, bootId: bootId() }, 'daemon', 1))
    supervisor.units.set(id, { active: 'active', sub: 'running' })
  }
  tell(ended, frame({ type: 'session_completed', sessionId: ended, metadata: {} }, 'daemon', 1))
  // It says that it has ended, and runs on; and what is none of ours runs too.
  supervisor.units.set(ended, { active: 'active', sub: 'running' })
  supervisor.units.set('0123456789ab', { active: 'active', sub: 'running' })
  tell(queued, frame({ type: 'session_queued', sessionId: queued }, 'supervisor', 0))
  const show = supervisor.show
  supervisor.show = async (id) => {
    if (id === broken) throw new Error('no answer')
    return show(id)
  }
  const answer = await app.inject({ method: 'POST', url: '/v1/cancel' })
  t.equal(answer.statusCode, 200)
  const { sessions } = answer.json()
  t.same(
    sessions.map(({ sessionId }: { sessionId: string }) => sessionId),
    [queued, runs, broken, also, ended],
    'what only says that it has ended comes last',
  )
  t.match(sessions, [
    { status: 'cancelled', done: true },
    { status: 'running', done: true },
    { done: false, error: { code: 'INTERNAL', message: 'no answer' } },
    { status: 'running', done: true },
    { status: 'completed', done: true, stopped: true },
  ])
  t.same([...supervisor.units.keys()].includes(ended), false)
  t.ok(supervisor.units.has('0123456789ab'))
  for (const id of [runs, also]) t.match(readFileSync(sessionLog(home, id), 'utf8'), /"cancel_requested".*"via":"http"/)
  t.notMatch(readFileSync(sessionLog(home, ended), 'utf8'), 'cancel_requested')
  const frozen = (await app.inject({ method: 'POST', url: '/v1/freeze', payload: {} })).json()
  t.match(frozen.sessions, [{ frozen: false, done: false }, {}, {}], 'nothing of them can be frozen here')
  supervisor.list = async () => {
    throw new AgentzError('NO_MANAGER', 'nobody there')
  }
  t.equal((await app.inject({ method: 'POST', url: '/v1/cancel' })).statusCode, 200, 'also where no manager answers')
  const bad = await app.inject({ method: 'POST', url: '/v1/thaw', payload: { all: true } })
  t.match(bad.json(), { error: { code: 'BAD_INPUT', message: 'all: there is no such field' } })
  t.match((await app.inject({ method: 'GET', url: '/v1/cancel' })).statusCode, 404, 'a GET changes nothing')
})

t.test('nobody does it without the token', async (t) => {
  const { app } = await newApp(t)
  const answer = await app.inject({ method: 'POST', url: '/v1/cancel', headers: HOST })
  t.equal(answer.json().error.code, 'UNAUTHORIZED')
})
