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
import { handmade, record } from './records.js'

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

// One such line, appended by hand, and nobody could read the session any more.
t.test('no line makes a session unreadable, whatever stands in it', async (t) => {
  const home = newHome(t)
  const mixed = fc.array(fc.oneof(record, handmade), { maxLength: 25 })
  fc.assert(
    fc.property(mixed, (list) => {
      const state = fold(home, textOf(list))
      if (!statuses.includes(state.status)) throw new Error(`${state.status} is no status`)
      JSON.stringify(sessionView(state, { log: 'l', unit: 'u' }))
    }),
    { numRuns: 2000 },
  )
})

// It can be read, and not be written again: `agentz show` fell over it.
t.test('a line that is nested too deep is a damaged one', async (t) => {
  const home = newHome(t)
  const deep = (levels: number) =>
    `{"type":"input_request","requestId":"r","question":${'['.repeat(levels)}${']'.repeat(levels)}}`
  const state = fold(home, `${textOf([])}${deep(200_000)}\n${deep(500)}\n`)
  t.equal(state.damaged.length, 1)
  t.equal(state.inputs.size, 1)
  t.ok(JSON.stringify(sessionView(state, { log: 'l', unit: 'u' })))
})
