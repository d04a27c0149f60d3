import { appendFileSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { Aftermath, mayBeSaid } from '../../src/supervisor/aftermath.js'
import { newHome } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'

const started = (epoch: number, bootId = 'b1') => ({
  type: 'daemon_started',
  by: 'daemon',
  epoch,
  unit: 'u',
  pid: 1,
  bootId,
})
const exited = (epoch: number) => ({
  type: 'daemon_exited',
  by: 'supervisor',
  epoch,
  result: 'signal',
  manager: 'running',
})

async function stage(t: Test) {
  const home = newHome(t)
  const { sessionId: id } = await newSession(home)
  const path = sessionLog(home, id)
  const write = (...events: object[]) =>
    appendFileSync(
      path,
      events
        .map((event, at) => `\n${JSON.stringify({ ...event, timestamp: `t${at}`, ...event })}`)
        .join('')
        .concat('\n'),
    )
  const left = () => {
    const aftermath = new Aftermath(home, id)
    t.teardown(() => aftermath.close())
    return aftermath
  }
  return { home, id, path, write, left }
}

t.test('an exit without an end is an exit; one with an end, or before a new start, is none', async (t) => {
  const { write, left } = await stage(t)
  write(started(1))
  t.equal(left().exit, undefined)
  write(exited(1))
  t.match(left(), { exit: { result: 'signal' }, bootId: 'b1' })
  write(started(2, 'b2'))
  t.match(left(), { exit: undefined, bootId: 'b2' })
  write(
    { type: 'session_interrupted', by: 'supervisor', epoch: 2, cause: { result: 'log-out', message: 'x' } },
    exited(2),
  )
  t.equal(left().exit, undefined)
})

t.test('questions that were open are remembered once an end has closed them', async (t) => {
  const { write, left } = await stage(t)
  write(started(1))
  const ask = (requestId: string) => ({
    type: 'approval_request',
    by: 'agent',
    epoch: 1,
    requestId,
    tool: 'Bash',
    input: {},
  })
  write(ask('r1'), ask('r2'))
  t.equal(left().asked, 2)
  write({ type: 'approval_response', by: 'user', requestId: 'r1', decision: 'allow' })
  t.equal(left().asked, 1)
  write({ type: 'session_interrupted', by: 'supervisor', epoch: 1, cause: { result: 'lost', message: 'x' } })
  t.equal(left().asked, 1)
})

t.test('what a recover has decided stands until the next start, and old daemons change nothing', async (t) => {
  const { write, left } = await stage(t)
  write(started(1), { type: 'session_recovery', by: 'supervisor', epoch: 1, action: 'marked', why: 'x' })
  t.equal(left().decided, 'marked')
  write(started(2))
  t.equal(left().decided, undefined)
  write({ type: 'session_recovery', by: 'supervisor', epoch: 1, action: 'marked', why: 'late' }, exited(1))
  t.match(left(), { decided: undefined, exit: undefined })
})

t.test('what was said after the end, and to nobody', async (t) => {
  const { home, id, write, left } = await stage(t)
  const message = (messageId: string) => ({ type: 'user_message', by: 'user', messageId, content: 'x'.repeat(9_000) })
  write(started(1), message('before'), { type: 'session_completed', by: 'daemon', epoch: 1, metadata: {} }, exited(1))
  t.equal(left().wasSaid, false, 'one that the daemon knew of')
  write({ type: 'system', by: 'daemon', epoch: 1, content: 'x'.repeat(9_000).replace(/x{80}/g, '$&\n') }, exited(1))
  t.equal(mayBeSaid(home, id), false)
  write(message('after'))
  t.equal(mayBeSaid(home, id), true, 'though it is longer than what is looked at')
  t.equal(left().wasSaid, true)
  write(started(2), { type: 'message_sent', by: 'daemon', epoch: 2, messageId: 'after', delivery: 'new' })
  write({ type: 'session_failed', by: 'daemon', epoch: 2, error: 'x', cause: { result: 'agent' } }, exited(2))
  t.equal(left().wasSaid, false)
})

t.test('activity is what an agent or a person did', async (t) => {
  const { write, left } = await stage(t)
  const turn = { type: 'turn_started', by: 'agent', epoch: 1, turn: 1, timestamp: '2026-05-01' }
  write(started(1), turn, { ...exited(1), timestamp: '2027-01-01' })
  t.equal(left().lastActivity, '2026-05-01')
})

t.test('output is counted, and it can be read on', async (t) => {
  const { write, left } = await stage(t)
  write(started(1))
  const aftermath = left()
  const before = aftermath.outputs
  write({ type: 'text', by: 'agent', epoch: 1, content: 'one' })
  aftermath.read()
  t.equal(aftermath.outputs, before + 1)
})

t.test('a file without its first line is refused', async (t) => {
  const { home, id, path } = await stage(t)
  writeFileSync(path, 'no json at all\n')
  t.throws(() => new Aftermath(home, id), { code: 'NOT_FOUND' })
})
