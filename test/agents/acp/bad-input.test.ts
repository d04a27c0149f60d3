/** What no agent should send: nothing of it stops the runner, and nothing is lost without a word. */
import fc from 'fast-check'
import t from 'tap'
import { Form, formOf } from '../../../src/agents/acp/elicitation.js'
import { Link } from '../../../src/agents/acp/link.js'
import { AcpNormaliser } from '../../../src/agents/acp/normalise.js'
import { Permission } from '../../../src/agents/acp/permission.js'
import type { Profile } from '../../../src/agents/acp/profile.js'
import { AcpSession } from '../../../src/agents/acp/session.js'
import { turnEnd, turnFailure } from '../../../src/agents/acp/turn.js'
import { object } from '../../../src/agents/json.js'
import { SessionEvent } from '../../../src/session/events.js'
import { foreign } from '../../helpers/foreign.js'
import { fakes, prompt, texts } from './fake.js'

const fake = await fakes(t)
const profile: Profile = { name: 'any', argv: () => [], loginHint: '' }
const kinds = [
  'agent_message_chunk',
  'agent_thought_chunk',
  'user_message_chunk',
  'tool_call',
  'tool_call_update',
].concat(...['plan', 'usage_update', 'current_mode_update', 'config_option_update', 'of_the_future'])
/** JSON, and yet String() and Number() throw at it. */
const unspeakable = { toString: 0, valueOf: 0 }
const fields = [
  'content',
  'toolCallId',
  'title',
  'kind',
  'status',
  'rawInput',
  'rawOutput',
  'locations',
  'entries',
  'cost',
  'configOptions',
  'messageId',
  'currentModeId',
  'name',
  '_meta',
  'usage',
  'options',
  'toolCall',
  'stopReason',
  'code',
  'message',
  'data',
].map((key) => [key, fc.oneof(foreign, fc.constantFrom('x', 'completed', 'in_progress', 'edit'))] as const)
const anything = fc.record(Object.fromEntries(fields), { requiredKeys: [] })

t.test('a turn ends, whatever is given as the reason', async (t) => {
  for (const stopReason of ['end_turn', 'constructor', 'toString', undefined, [{ toString: 0 }]])
    t.same(turnEnd({ stopReason }), { reason: 'completed' })
  t.match(turnEnd({ stopReason: 'refusal' }), { reason: 'failed', error: 'the agent refuses to go on' })
})

t.test('a turn fails, whatever is given as the error', async (t) => {
  t.match(turnFailure({ code: unspeakable, data: { status: unspeakable } }), { reason: 'failed' })
  for (const data of [{ status: 429 }, { statusCode: '429' }])
    t.match(turnFailure({ code: -32603, data }), { cause: { result: 'quota' } })
})

t.test('whatever an agent sends becomes events that are valid, in strict turns', async () => {
  const update = fc.tuple(
    fc.constantFrom('update', 'ask', 'prompt', 'answer', 'error'),
    fc.constantFrom(...kinds),
    anything,
  )
  fc.assert(
    fc.property(fc.array(update, { maxLength: 30 }), (steps) => {
      const session = new AcpSession(profile, undefined)
      const normaliser = new AcpNormaliser(profile, session, { turns: 0, isNew: true, open: new Set() })
      let asked = 0
      const events = steps.flatMap(([what, sessionUpdate, rest]) => {
        if (what === 'update') return normaliser.update({ ...rest, sessionUpdate })
        if (what === 'answer') return normaliser.ended(turnEnd(rest), rest)
        if (what === 'error') return normaliser.ended(turnFailure(rest), {})
        if (what === 'prompt') normaliser.prompted()
        else
          return normaliser.permission(
            rest,
            new Permission(profile, object(rest).options),
            () => undefined,
            `q${++asked}`,
          ).events
        return []
      })
      events.push(...normaliser.died({ reason: 'interrupted' }, false))
      let isOpen = false
      for (const event of events) {
        const framed = { ...event, timestamp: '2026-01-01T00:00:00.000Z', by: 'agent', epoch: 1 }
        if (!SessionEvent.safeParse(framed).success) throw new Error(JSON.stringify(event))
        if (Buffer.byteLength(JSON.stringify(event)) >= 1024 * 1024 - 512) throw new Error(`too long: ${event.type}`)
        if (event.type === 'turn_started' && isOpen) throw new Error('a turn in a turn')
        if (event.type === 'turn_ended' && !isOpen) throw new Error('an end without a start')
        if (event.type === 'turn_started' || event.type === 'turn_ended') isOpen = event.type === 'turn_started'
      }
      const ids = (type: string) => events.filter((event) => event.type === type).length
      return !isOpen && ids('tool_use') === ids('tool_result')
    }),
    { numRuns: 300 },
  )
})

t.test('huge fields are cut', async (t) => {
  const huge = '\u0001"é'.repeat(400_000)
  const session = new AcpSession(profile, undefined)
  const normaliser = new AcpNormaliser(profile, session, { turns: 0, isNew: true, open: new Set() })
  normaliser.prompted()
  const content = [
    { type: 'content', content: { type: 'text', text: huge } },
    { type: 'diff', path: huge, newText: huge },
  ]
  const tool = { toolCallId: huge, title: huge, kind: 'edit', content, rawInput: { huge }, locations: [{ path: huge }] }
  const updates = [
    { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text: huge } },
    { sessionUpdate: 'tool_call', ...tool },
    { sessionUpdate: 'tool_call_update', ...tool, status: 'completed', rawOutput: { huge } },
    { sessionUpdate: 'plan', entries: [{ content: huge }] },
    { sessionUpdate: huge },
  ]
  const options = [{ optionId: huge, name: huge, kind: 'allow_once' }]
  const events = [
    ...updates.flatMap((update) => normaliser.update(update)),
    ...normaliser.permission(
      { toolCall: { ...tool, toolCallId: 'b' } },
      new Permission(profile, options),
      () => undefined,
      'q',
    ).events,
    ...normaliser.ended(turnFailure({ message: huge }), {}),
  ]
  for (const event of events) {
    if ('partial' in event) continue
    t.ok(Buffer.byteLength(JSON.stringify(event)) < 1024 * 1024 - 512, event.type)
  }
})

t.test('lines that are no messages do not reach the SDK', async (t) => {
  const unknown: unknown[] = []
  const written: object[] = []
  const link = new Link({
    write: async (message) => void written.push(message),
    onUpdate: () => undefined,
    onPermission: async () => ({}),
    onElicitation: async () => ({}),
    onUnknown: (value) => unknown.push(value),
    vainRequests: [],
  })
  const lines = [
    '',
    ' ',
    'text',
    '[1]',
    '{',
    '{}',
    '{"jsonrpc":"2.0"}',
    '{"jsonrpc":"2.0","id":{},"method":"x"}',
    '{"jsonrpc":"2.0","id":5,"result":1}',
    '{"jsonrpc":"2.0","id":null,"error":{}}',
    '{"jsonrpc":"2.0","method":"session/update"}',
    '{"jsonrpc":"2.0","method":"n"}',
  ]
  for (const line of lines) link.line(line, 0)
  link.line('{"jsonrpc":"2.0","method":"session/upd', 99)
  await link.close()
  t.equal(unknown.length, lines.length - 2 + 1)
  t.same(written, [], 'nothing is answered')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        foreign.map((value) => JSON.stringify({ jsonrpc: '2.0', id: value })),
      ),
      (line) => {
        const other = new Link({
          write: async () => undefined,
          onUpdate: () => undefined,
          onPermission: async () => ({}),
          onElicitation: async () => ({}),
          onUnknown: () => undefined,
          vainRequests: [],
        })
        other.line(line, 0)
      },
    ),
  )
})

t.test('forms', async (t) => {
  const form = (properties: object) => new Form('What?', properties as Record<string, unknown>)
  t.equal(formOf({ mode: 'url', message: 'Go there', url: 'http://x' }), undefined)
  t.equal(formOf({ mode: 'form', requestedSchema: 5 }), undefined)
  t.same(form({ a: { type: 'boolean' } }).options, ['yes', 'no'])
  t.same(form({ a: { type: 'boolean' } }).answer('Yes'), { action: 'accept', content: { a: true } })
  t.equal(form({ a: { type: 'boolean' } }).answer('perhaps'), undefined)
  t.same(form({ a: { type: 'integer' } }).answer('7'), { action: 'accept', content: { a: 7 } })
  t.equal(form({ a: { type: 'integer' } }).answer('7.5'), undefined)
  t.same(form({ a: { type: 'number' } }).answer('7.5'), { action: 'accept', content: { a: 7.5 } })
  t.same(form({ a: { type: 'string', enum: ['x', 'y'] } }).options, ['x', 'y'])
  t.same(form({ a: { type: 'string', oneOf: [{ const: 'x' }] } }).options, ['x'])
  t.same(form({ a: { type: 'array' } }).answer('x, y'), { action: 'accept', content: { a: ['x', 'y'] } })
  t.same(form({}).answer('x'), { action: 'accept', content: {} })
  const two = form({ a: { title: 'First' }, b: {} })
  t.match(two.question, /JSON.*\na: First\nb: /)
  t.equal(two.answer('x'), undefined)
  t.same(two.answer('{"a":1,"b":2}'), { action: 'accept', content: { a: 1, b: 2 } })
})

t.test('with a real process', async (t) => {
  const agent = await fake(t)
  await prompt(agent, 'garbage')
  t.match(
    agent.all('raw').map(({ raw }) => raw),
    [
      'no JSON',
      { id: 99 },
      '[]',
      { method: 'x' },
      { method: 'other/news' },
      { sessionUpdate: 'of_the_future' },
      { method: 'other/question' },
    ],
  )
  t.same(texts(agent), ['-32601'], 'what nobody knows is refused, so that it does not wait')

  await prompt(agent, 'flood 100000')
  const whole = texts(agent).slice(1).join('')
  t.ok(whole.startsWith('tick0 tick1 ') && whole.endsWith('tick99999 '), 'a flood arrives')
  t.equal(whole.split(' ').length, 100_001)

  await prompt(agent, `huge ${20 * 1024 * 1024}`)
  const [result] = agent.all('tool_result')
  t.ok((result?.missingBytes ?? 0) > 19 * 1024 * 1024)
  t.ok(Buffer.byteLength(JSON.stringify(result)) < 1024 * 1024)
  await prompt(agent, 'Still here.')
  t.equal(texts(agent).at(-1), 'Still here.')
})
