import { appendFileSync, closeSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { type Home, sessionLog } from '../../src/base/paths.js'
import { openLog } from '../../src/log/read.js'
import type { Loose } from '../../src/session/life.js'
import { readSession, SessionFold, type SessionState } from '../../src/session/state.js'
import { statuses } from '../../src/session/status.js'
import { sessionView } from '../../src/session/view.js'
import { newHome } from '../helpers/home.js'

const ID = '0123456789ab'
const created = JSON.stringify({
  type: 'session_created',
  timestamp: '2026-01-01T00:00:00.000Z',
  by: 'user',
  sessionId: ID,
  spec: { sessionId: ID, agentType: 'claude', prompt: 'p', title: 't', workingDir: '/', umask: '0022', createdAt: '' },
})

/** A fold over the text of a file, in as many steps as `cuts` has. */
function fold(home: Home, text: string | Buffer, cuts: number[] = []): SessionState {
  const path = sessionLog(home, ID)
  const bytes = Buffer.from(text)
  writeFileSync(path, '')
  const session = new SessionFold(ID)
  const fd = openLog(path)
  let from = 0
  for (const to of [...cuts, bytes.length]) {
    appendFileSync(path, bytes.subarray(from, to))
    session.read(fd)
    from = to
  }
  closeSync(fd)
  return session.state
}

/** Everything but where it stands in the file. */
function meaning({ offset, damaged, events, ignored, ...rest }: SessionState): unknown {
  const plain = (_: string, value: unknown) => (value instanceof Map || value instanceof Set ? [...value] : value)
  return JSON.parse(JSON.stringify(rest, plain))
}

const requestId = fc.constantFrom('r1', 'r2', 'r3')
const messageId = fc.constantFrom('m1', 'm2')
const one = (type: string, fields: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ type: fc.constant(type), timestamp: fc.constantFrom('t1', 't2', 't3'), ...fields })
const cause = fc.record({ result: fc.constantFrom('signal', 'exit-code', 'stopped') })
const record: fc.Arbitrary<Loose> = fc.oneof(
  one('daemon_started', { epoch: fc.integer({ min: 1, max: 4 }), pid: fc.nat(), unit: fc.constant('u') }),
  one('daemon_exited', { epoch: fc.integer({ min: 1, max: 4 }), result: fc.constantFrom('success', 'signal') }),
  one('turn_started', { turn: fc.nat() }),
  one('turn_ended'),
  one('text', { content: fc.string() }),
  one('status_change', { status: fc.constantFrom(...statuses) }),
  one('approval_request', { requestId }),
  one('approval_response', { requestId }),
  one('approval_voided', { requestId }),
  one('input_request', { requestId }),
  one('input_response', { requestId }),
  one('user_message', { messageId, content: fc.string() }),
  one('message_sent', { messageId }),
  one('message_accepted', { messageId }),
  one('cancel_requested'),
  one('agent_session', { nativeId: fc.string() }),
  one('session_completed', { metadata: fc.constant({ turns: 1 }) }),
  one('session_failed', { cause, error: fc.string() }),
  one('session_cancelled', { cause }),
  one('session_interrupted', { cause }),
)
const records = fc.array(record, { maxLength: 25 })
const textOf = (list: Loose[]) => [created, ...list.map((item) => JSON.stringify(item))].join('\n').concat('\n')

t.test('a fold that goes on gives what a fold of the whole gives, wherever it stopped', async (t) => {
  const home = newHome(t)
  fc.assert(
    fc.property(records, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }), (list, parts) => {
      const text = Buffer.from(textOf(list))
      const cuts = parts.map((part) => Math.floor(part * text.length)).sort((a, b) => a - b)
      const whole = fold(home, text)
      const stepped = fold(home, text, cuts)
      if (
        JSON.stringify([meaning(whole), whole.events, whole.offset, whole.damaged]) !==
        JSON.stringify([meaning(stepped), stepped.events, stepped.offset, stepped.damaged])
      )
        throw new Error('they differ')
      if (!statuses.includes(whole.status)) throw new Error(`${whole.status} is no status`)
    }),
    { numRuns: 150 },
  )
})

// A daemon that was thought dead and is not goes on writing: with its words the session would end twice.
t.test('lines of an older start of the daemon change nothing', async (t) => {
  const home = newHome(t)
  fc.assert(
    fc.property(records, records, (before, late) => {
      const start = { type: 'daemon_started', timestamp: 't4', epoch: 9, pid: 1, unit: 'u' }
      const now = fold(home, textOf([...before, start]))
      const old = late.map((item) => ({ ...item, epoch: 8 }))
      const after = fold(home, textOf([...before, start, ...old]))
      return JSON.stringify(meaning(now)) === JSON.stringify(meaning(after))
    }),
    { numRuns: 100 },
  )
})

const junk = fc.constantFrom('', '\x18', 'broken', '{"torn":"', '{"torn":"\x18', '{no json}', '[1]', 'null', '\xff}')
t.test('damaged lines change nothing, and are counted', async (t) => {
  const home = newHome(t)
  fc.assert(
    fc.property(fc.array(fc.tuple(record, fc.array(junk, { maxLength: 3 })), { maxLength: 15 }), (mixed) => {
      const clean = fold(home, textOf(mixed.map(([item]) => item)))
      const between = mixed.flatMap(([item, lines]) => [...lines, JSON.stringify(item)])
      const dirty = fold(home, [created, ...between, ''].join('\n'))
      if (JSON.stringify(meaning(clean)) !== JSON.stringify(meaning(dirty))) throw new Error('they differ')
      if (clean.events !== dirty.events) throw new Error('a damaged line counts as an event')
      const damaged = mixed.flatMap(([, lines]) => lines).filter((line) => line !== '' && line !== '\x18')
      if (dirty.damaged.length !== damaged.length) throw new Error(`${dirty.damaged.length} of ${damaged.length}`)
    }),
    { numRuns: 150 },
  )
})

// {"type":"__proto__"} found Object.prototype in the table of handlers, and {"type":{"toString":0}} has no text: one
// such line, by agentz append, and the session could not be read any more.
t.test('types that are unknown, or no type at all, are ignored and counted', async (t) => {
  const home = newHome(t)
  const types = ['__proto__', 'constructor', 'valueOf', 'hasOwnProperty', 'toString', 'later_kind', '', 5, null, {}, []]
  const odd = [...types, { toString: 0 }, ['turn_started'], undefined].map((type) => ({ type, timestamp: 't1' }))
  const start = { type: 'daemon_started', timestamp: 't1', epoch: 1, pid: 7, unit: 'u', bootId: 'b' }
  const state = fold(home, textOf([start, ...odd]))
  t.equal(state.status, 'running')
  t.equal(state.turns, 0)
  t.equal(state.ignored, odd.length)
  t.same(state.damaged, [])
  t.same(meaning(state), meaning(fold(home, textOf([start]))))
})

t.test('an approval that is open keeps the session waiting, whichever was answered', async (t) => {
  const home = newHome(t)
  const ask = (requestId: string) => ({ type: 'approval_request', requestId })
  const answer = (requestId: string) => ({ type: 'approval_response', requestId, decision: 'allow' })
  const start = (epoch: number) => ({ type: 'daemon_started', epoch, pid: 1, unit: 'u', bootId: 'b' })
  const two = [start(1), ask('r1'), ask('r2'), answer('r2')]
  const waiting = fold(home, textOf(two))
  t.equal(waiting.status, 'waiting_approval')
  t.same([...waiting.approvals.keys()], ['r1'])
  t.equal(fold(home, textOf([...two, answer('r1')])).status, 'running')
  t.equal(fold(home, textOf([...two, answer('r9')])).status, 'waiting_approval', 'an answer to nothing answers nothing')
  const again = fold(home, textOf([...two, start(2)]))
  t.equal(again.status, 'running')
  t.equal(again.approvals.size, 0, 'nobody waits for what a dead daemon asked')
  t.same([...again.settled].sort(), ['r1', 'r2'])
  t.equal(again.restarts, 1)
})

t.test('readSession', async (t) => {
  const home = newHome(t)
  const path = sessionLog(home, ID)
  t.throws(() => readSession(home, ID), { code: 'NOT_FOUND' })
  for (const text of ['', '{"type":"text"}\n', created, `${created.replace('"spec":{', '"spec":5,"x":{')}\n`]) {
    writeFileSync(path, text)
    t.throws(() => readSession(home, ID), { code: 'NOT_FOUND', message: /session_created/ }, text.slice(0, 30))
  }
  writeFileSync(path, `{"torn\x18\n${created}\n{"type":"text","content":"x"}\n{"type":"te`)
  const state = readSession(home, ID)
  t.match(state, { status: 'pending', events: 2, damaged: [{ at: 0, length: 7 }] })
  const view = sessionView(state, { log: path, unit: 'u.service' })
  t.match(view, { sessionId: ID, agentType: 'claude', damaged: 1, unit: 'u.service', log: path })
  t.equal(view.offset, state.offset)
})
