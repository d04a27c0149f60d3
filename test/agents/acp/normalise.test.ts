/** Recorded conversations as events: all that was said, once, and in the shape that files have. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { geminiProfile } from '../../../src/agents/acp/gemini.js'
import { AcpNormaliser } from '../../../src/agents/acp/normalise.js'
import { opencodeProfile } from '../../../src/agents/acp/opencode.js'
import { Permission } from '../../../src/agents/acp/permission.js'
import { AcpSession } from '../../../src/agents/acp/session.js'
import { turnEnd, turnFailure } from '../../../src/agents/acp/turn.js'
import { Coalescer } from '../../../src/agents/coalesce.js'
import { type Json, object, objects, string } from '../../../src/agents/json.js'
import { type AgentEvent, SessionEvent } from '../../../src/session/events.js'
import type { Of } from '../recorder.js'

const folder = new URL('../../fixtures/transcripts/acp/', import.meta.url)
const names = readdirSync(folder).map((file) => file.replace('.io.ndjson', ''))
const profileOf = (name: string) => (name.startsWith('gemini') ? geminiProfile : opencodeProfile)

interface Line {
  readonly isOurs: boolean
  readonly message: Json
}

const linesOf = (name: string): Line[] =>
  readFileSync(new URL(`${name}.io.ndjson`, folder), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .map(({ dir, line }) => ({ isOurs: dir === 'in', message: JSON.parse(line) }))

/** Both directions, as the runner sees them. The second of two prompts that are out at once counts when the first is answered. */
function replay(name: string) {
  const profile = profileOf(name)
  const session = new AcpSession(profile, 'default')
  const normaliser = new AcpNormaliser(profile, session, { turns: 0, isNew: !name.includes('load'), open: new Set() })
  const prompts = new Set<unknown>()
  const events: AgentEvent[] = []
  let asked = 0
  for (const { isOurs, message } of linesOf(name)) {
    const { method, id, result, error } = message
    const params = object(message.params)
    if (isOurs && method === 'session/prompt') {
      prompts.add(id)
      if (prompts.size === 1) normaliser.prompted()
    } else if (isOurs && result !== undefined) {
      const { optionId, outcome } = object(object(result).outcome)
      for (const [requestId, { toolId }] of normaliser.takeAll()) {
        if (outcome === 'cancelled') events.push({ type: 'approval_voided', requestId, why: 'interrupted' })
        if (optionId === 'cancel' && toolId !== undefined) events.push(...normaliser.tools.denied(toolId))
      }
    } else if (method === 'session/update') events.push(...normaliser.update(object(params.update)))
    else if (method === 'session/request_permission') {
      const asks = new Permission(profile, params.options)
      events.push(...normaliser.permission(params, asks, () => undefined, `s1-${++asked}`).events)
    } else if (prompts.delete(id)) {
      const end = error === undefined ? turnEnd(object(result)) : turnFailure(error)
      events.push(...normaliser.ended(end, object(result)))
      if (prompts.size > 0) normaliser.prompted()
    }
  }
  const all = <T extends AgentEvent['type']>(type: T) => events.filter((event): event is Of<T> => event.type === type)
  return { normaliser, events, all }
}

/** What came between the first prompt and the last answer. */
function updatesOf(name: string): Json[] {
  const lines = linesOf(name)
  const first = lines.findIndex(({ message }) => message.method === 'session/prompt')
  return lines
    .slice(first < 0 ? lines.length : first)
    .flatMap(({ message }) => (message.method === 'session/update' ? [object(object(message.params).update)] : []))
}

for (const name of names) {
  t.test(`replay of ${name}`, async (t) => {
    const { events, all } = replay(name)
    const said = (kind: string) =>
      updatesOf(name)
        .filter(({ sessionUpdate }) => sessionUpdate === kind)
        .map(({ content }) => string(object(content).text))
        .join('')
    for (const [type, kind] of [
      ['text', 'agent_message_chunk'],
      ['thinking', 'agent_thought_chunk'],
    ] as const) {
      const whole = all(type).flatMap(({ content, partial }) => (partial ? [] : [content]))
      t.equal(whole.join(''), said(kind), `all ${type} is there, whole and once`)
      t.equal(
        all(type)
          .flatMap(({ delta = [] }) => delta)
          .join(''),
        said(kind),
        'and in pieces',
      )
    }
    const ids = (type: 'tool_use' | 'tool_result') => all(type).map(({ toolId }) => toolId)
    t.equal(new Set(ids('tool_use')).size, ids('tool_use').length, 'each call is told once')
    t.same(ids('tool_result').sort(), ids('tool_use').sort(), 'and has one result')
    t.same(all('raw'), [])
    t.equal(all('turn_started').length, all('turn_ended').length)
    for (const event of events) {
      const framed = { ...event, timestamp: '2026-01-01T00:00:00.000Z', by: 'agent', epoch: 1 }
      t.equal(SessionEvent.safeParse(framed).success, true, event.type)
    }
  })
}

t.test('what is replayed is not told, and tells what the person has said', async (t) => {
  for (const name of ['opencode-load', 'gemini-load']) {
    const { all, normaliser } = replay(name)
    t.match(all('turn_started'), [{ turn: 1 }], name)
    t.same(
      all('text').flatMap(({ content, partial }) => (partial ? [] : [content])),
      ['after load'],
    )
    const said = normaliser.said.map(({ text }) => text)
    t.ok(said.includes('MOCK: think deep'))
    t.same(all('tool_use'), [])
  }
})

t.test('a sentence of the answer is found once, with its pieces beside it', async (t) => {
  const written: AgentEvent[] = []
  const coalescer = new Coalescer((events) => written.push(...events))
  for (const event of replay('opencode-main').events) {
    coalescer.emit([event])
    // As if each moment were longer than it takes to stream a word.
    coalescer.flush()
  }
  const found = written.filter((event) => JSON.stringify(event).includes('Done. Tool said'))
  t.equal(found.length, 1)
  t.match(found, [{ type: 'text' }])
})

t.test('tools, questions and turns of opencode', async (t) => {
  const { all } = replay('opencode-main')
  t.match(all('tool_use')[0], { tool: 'bash', input: { command: 'echo hi > out.txt && cat out.txt' } })
  t.match(all('tool_result')[0], { content: 'hi\n', isError: false })
  t.match(all('tool_result')[1], { content: /rejected permission/, isError: true })
  t.match(all('approval_request')[0], { tool: 'bash', input: { command: /^echo hi/ }, title: /^echo hi/ })
  t.same(
    all('approval_voided').map(({ requestId }) => requestId),
    ['s1-3'],
  )
  const ends = all('turn_ended').map(({ reason }) => reason)
  t.same(ends.slice(0, 7), [
    'completed',
    'completed',
    'completed',
    'completed',
    'interrupted',
    'interrupted',
    'interrupted',
  ])
  t.match(all('turn_ended').at(-1), { reason: 'failed', error: 'mock error 400', cause: { result: 'agent' } })
  t.match(all('usage')[0], { scope: 'turn', input: 120, output: 17, cached: 100 })
})

t.test('tools, questions and turns of gemini', async (t) => {
  const { all } = replay('gemini-main')
  t.match(all('tool_use')[0], { tool: 'run_shell_command', input: { title: 'echo hi > out.txt && cat out.txt' } })
  t.match(all('tool_result')[1], { content: '[denied]', isError: true }, 'it says nothing itself')
  t.match(all('tool_result').at(-1), { content: 'Command cancelled by user.' })
  t.match(all('turn_ended').at(-1), { reason: 'failed', error: 'mock error 400', cause: { status: 400 } })
  t.match(all('usage')[0], { scope: 'turn', input: 120, output: 17, cached: 0 })
})

t.test('options in groups are found', async (t) => {
  const session = new AcpSession(opencodeProfile, 'default')
  const options = [{ group: 'a', options: [{ value: 'x' }, { value: 'y' }] }]
  session.take({ configOptions: [{ id: 'm', category: 'model', currentValue: 'y', options }] })
  t.same(session.model, { configId: 'm', available: ['x', 'y'], current: 'y' })
  t.same(objects(undefined), [])
})
