import { readdirSync, readFileSync } from 'node:fs'
import { mock } from 'node:test'
import t from 'tap'
import { ClaudeNormaliser } from '../../../src/agents/claude/normalise.js'
import { Coalescer } from '../../../src/agents/coalesce.js'
import { type AgentEvent, SessionEvent } from '../../../src/session/events.js'
import type { Of } from '../recorder.js'

const folder = new URL('../../fixtures/transcripts/claude/', import.meta.url)
const transcripts = readdirSync(folder).map((file) => file.replace('.ndjson', ''))
const linesOf = (name: string) => readFileSync(new URL(`${name}.ndjson`, folder), 'utf8').split('\n')

const newNormaliser = () => new ClaudeNormaliser({ turns: 0, nativeId: 'native' })

function replay(lines: readonly string[]) {
  const normaliser = newNormaliser()
  const heard = lines.map((line) => normaliser.line(line))
  const end = normaliser.book.endTurn({ reason: 'failed', error: 'claude has ended' })
  const events = [...heard.flatMap((each) => each.events), ...end]
  const all = <T extends AgentEvent['type']>(type: T) => events.filter((event): event is Of<T> => event.type === type)
  return { normaliser, heard, events, all }
}

const finished = (blocks: Record<string, unknown>[], type: string) => blocks.filter((block) => block.type === type)

for (const name of transcripts) {
  t.test(`replay of ${name}`, async (t) => {
    const { events, all } = replay(linesOf(name))
    const lines = linesOf(name)
      .filter(Boolean)
      .map((line) => JSON.parse(line))
    const blocks = lines
      .filter((line) => line.type === 'assistant' && line.message.model !== '<synthetic>')
      .flatMap((line) => line.message.content)

    for (const type of ['text', 'thinking'] as const) {
      const whole = all(type).filter((event) => event.content !== undefined)
      t.same(
        whole.map(({ content }) => content),
        finished(blocks, type).map((block) => block[type]),
        `each block of ${type} is there once, whole`,
      )
    }
    t.same(
      all('tool_use').map(({ toolId }) => toolId),
      finished(blocks, 'tool_use').map(({ id }) => id),
    )
    t.same(
      all('tool_result')
        .map(({ toolId }) => toolId)
        .sort(),
      all('tool_use')
        .map(({ toolId }) => toolId)
        .sort(),
      'each tool call has exactly one result, or was closed',
    )
    t.same(all('raw'), [], 'there is no line that is not understood')
    t.equal(all('turn_started').length, all('turn_ended').length)
    t.ok(all('agent_session').length <= new Set(all('agent_session').map((event) => JSON.stringify(event))).size)
    for (const event of events) {
      const framed = { ...event, timestamp: '2026-01-01T00:00:00.000Z', by: 'agent', epoch: 1 }
      t.equal(SessionEvent.safeParse(framed).success, true, event.type)
      t.equal(Object.keys(event)[0], 'type')
    }
  })
}

t.before(() => mock.timers.enable({ apis: ['setTimeout'] }))
t.teardown(() => mock.timers.reset())

t.test('a sentence of the answer is found once, with the deltas and the result line beside it', async (t) => {
  const written: AgentEvent[] = []
  const coalescer = new Coalescer((events) => written.push(...events))
  const normaliser = newNormaliser()
  for (const line of linesOf('perm-allow')) {
    coalescer.emit(normaliser.line(line).events)
    // As if each moment were longer than it takes to stream a word.
    mock.timers.tick(100)
  }
  const found = written.filter((event) => JSON.stringify(event).includes('Done. Tool said'))
  t.match(found, [{ type: 'text', content: 'Done. Tool said: hi' }])
  t.ok(written.some((event) => 'delta' in event))
})

t.test('the session: model, mode, version, and a change of mode', async (t) => {
  t.match(replay(linesOf('text')).all('agent_session'), [
    { nativeId: /^[0-9a-f-]{36}$/, model: /claude/, permissionMode: 'default', agentVersion: '2.1.197' },
  ])
  const modes = replay(linesOf('allow-always')).all('agent_session')
  t.same(
    modes.map(({ permissionMode }) => permissionMode),
    ['default', 'acceptEdits'],
  )
})

t.test('the mode is read back before the first turn, and a refused one is told', async (t) => {
  const response = (fields: object) => JSON.stringify({ type: 'control_response', response: fields })
  const good = replay([response({ subtype: 'success', request_id: 'mode', response: { mode: 'plan' } })])
  t.same(good.events, [{ type: 'agent_session', nativeId: 'native', permissionMode: 'plan' }])
  t.match(good.heard, [{ ready: true }])
  const bad = replay([response({ subtype: 'error', request_id: 'mode', error: 'Cannot set it' })])
  t.match(bad.heard, [{ ready: false, events: [] }])
  t.equal(bad.normaliser.refused, 'claude refused the permission mode: Cannot set it')
  t.match(replay([response({ subtype: 'error', request_id: 'interrupt-1', error: 'no' })]).events, [
    { type: 'error', content: 'claude refused a request: no' },
  ])
})

t.test('a message that claude repeats is a receipt and no event', async (t) => {
  const line = { type: 'user', isReplay: true, uuid: 'u', message: { role: 'user', content: 'hi' } }
  const { heard, events } = replay([JSON.stringify(line), JSON.stringify({ ...line, uuid: 1 })])
  t.same(events, [])
  t.match(heard, [{ taken: ['u'] }, { taken: [] }])
})

t.test('another session takes the place of the first after /clear', async (t) => {
  const init = (id: string) => JSON.stringify({ type: 'system', subtype: 'init', session_id: id })
  const { normaliser, all } = replay([init('native'), init('other')])
  t.equal(normaliser.nativeId, 'other')
  t.same(
    all('agent_session').map(({ nativeId }) => nativeId),
    ['native', 'other'],
  )
  t.equal(newNormaliser().nativeId, 'native')
})

t.test('an edit names its file; the tokens of a turn', async (t) => {
  const { all } = replay(linesOf('write'))
  t.match(all('tool_use'), [{ tool: 'Write', files: [/w\.txt$/] }])
  const step = { scope: 'step', input: 120, output: 17, cached: 100 }
  const turn = { scope: 'turn', input: 240, output: 34, cached: 200, costUsd: Number }
  t.match(all('usage'), [step, step, turn], 'each call of the model, for budgets; then the turn as a whole')
  t.ok(
    replay(linesOf('perm-deny'))
      .all('tool_result')
      .some(({ isError }) => isError),
  )
})

t.test('costs add up over the process and are told by the turn', async (t) => {
  const { all } = replay(linesOf('perm-allow'))
  const total = linesOf('perm-allow').flatMap((line) => /"total_cost_usd":([\d.e-]+)/.exec(line)?.[1] ?? [])
  const costs = all('usage').map(({ costUsd = 0 }) => costUsd)
  t.ok(costs.length >= 2)
  t.ok(Math.abs(costs.reduce((sum, cost) => sum + cost, 0) - Number(total.at(-1))) < 1e-9)
})

t.test('questions', async (t) => {
  const { all, normaliser } = replay(linesOf('crash-pending'))
  const [request] = all('approval_request')
  t.match(request, {
    tool: 'Bash',
    input: { command: 'touch q2' },
    title: 'mock run',
    toolId: /^toolu/,
    options: Array,
  })
  t.match(all('approval_voided'), [{ requestId: request?.requestId, why: 'claude has ended' }])
  t.equal(normaliser.book.take(request?.requestId ?? ''), undefined)
  const withdrawn = replay(linesOf('interrupt')).all('approval_voided')
  t.ok(withdrawn.some(({ why }) => why === 'claude withdrew the question'))
})

t.test('failures', async (t) => {
  const failed = replay(linesOf('error'))
  t.match(failed.all('error'), [{ content: 'API Error: 400 mock error 400', cause: { result: 'agent', status: 400 } }])
  t.match(failed.all('turn_ended'), [
    { reason: 'failed', error: 'API Error: 400 mock error 400', cause: { result: 'agent', status: 400 } },
  ])
  t.match(replay(linesOf('error529')).all('system'), [
    { content: /HTTP 529, overloaded.*try 1 of 10 follows in 0\.6 s/ },
  ])
  t.match(replay(linesOf('interrupt')).all('turn_ended')[0], { reason: 'interrupted' })
  const gone = replay(linesOf('resume-bad'))
  t.match(gone.normaliser.forgotten, /^No conversation found/)
  t.same(gone.events, [])
})

t.test('a login that is missing is told apart', async (t) => {
  const init = JSON.stringify({ type: 'system', subtype: 'init', session_id: 'native' })
  const end = (fields: object) =>
    replay([init, JSON.stringify({ type: 'result', is_error: true, ...fields })]).all('turn_ended')[0]
  for (const fields of [
    { result: 'Not logged in · Please run /login' },
    { result: 'Invalid API key · Fix external API key' },
    { result: 'API Error: no', api_error_status: 401 },
  ]) {
    t.equal(end(fields)?.cause?.result, 'login', fields.result)
  }
  t.equal(end({ subtype: 'error_max_turns' })?.error, 'error_max_turns')
  const text = 'Failed to authenticate. API Error: 401 mock error 401'
  const note = { type: 'assistant', error: 'x', message: { model: '<synthetic>', content: [{ type: 'text', text }] } }
  t.match(replay([JSON.stringify(note)]).all('error'), [{ content: text, cause: { result: 'login', status: 401 } }])
})

t.test('claude asks something itself', async (t) => {
  const questions = [{ question: 'Which?', options: [{ label: 'red' }, { label: 'blue' }] }, { question: 'And why?' }]
  const request = { subtype: 'can_use_tool', tool_name: 'AskUserQuestion', input: { questions } }
  const { events } = replay([JSON.stringify({ type: 'control_request', request_id: 'q', request })])
  t.match(events, [
    { type: 'input_request', requestId: 'q', question: 'Which?\nAnd why?', options: ['red', 'blue'] },
    { type: 'approval_voided', requestId: 'q' },
  ])
})

t.test('lines that nobody knows are kept', async (t) => {
  const unknown = { type: 'of_the_future', x: 1 }
  const block = { type: 'hologram', data: 1 }
  t.same(replay([JSON.stringify(unknown), 'not JSON', '{"type":', '[1]', ' ']).events, [
    { type: 'raw', raw: unknown },
    { type: 'raw', raw: 'not JSON' },
    { type: 'raw', raw: '{"type":' },
    { type: 'raw', raw: '[1]' },
  ])
  t.match(replay([JSON.stringify({ type: 'assistant', message: { content: [block] } })]).events, [{ raw: block }])
  t.match(replay([JSON.stringify({ type: 'system', subtype: 'new' })]).events, [{ raw: { subtype: 'new' } }])
  t.match(newNormaliser().line('{"type":"as', 99).events, [{ type: 'raw', raw: /99 bytes/, missingBytes: 99 }])
})

t.test('whatever is in it, a line becomes events that fit into the log', async (t) => {
  const huge = '\u0001"é'.repeat(200_000)
  const lines = [
    { type: 'assistant', message: { content: [{ type: 'text', text: huge }] } },
    { type: 'assistant', message: { content: [{ type: 'thinking', thinking: huge }] } },
    { type: 'assistant', message: { content: [{ type: 'tool_use', id: huge, name: huge, input: { huge } }] } },
    {
      type: 'user',
      message: { content: [{ type: 'tool_result', tool_use_id: huge, content: [{ type: 'text', text: huge }] }] },
    },
    { type: 'assistant', error: huge, message: { model: '<synthetic>', content: [{ type: 'text', text: huge }] } },
    { type: 'assistant', message: { content: [{ type: huge }] } },
    { type: 'system', subtype: 'init', session_id: huge, model: huge, permissionMode: huge, claude_code_version: huge },
    { type: 'system', subtype: 'task_notification', summary: huge },
    {
      type: 'control_request',
      request_id: huge,
      request: {
        subtype: 'can_use_tool',
        tool_name: huge,
        tool_use_id: huge,
        input: { huge },
        description: huge,
        permission_suggestions: [{ huge }],
      },
    },
    { type: 'result', is_error: true, result: huge },
    { type: huge },
  ]
  const { events, all } = replay(lines.map((line) => JSON.stringify(line)))
  for (const event of events) t.ok(Buffer.byteLength(JSON.stringify(event)) < 1024 * 1024 - 512, event.type)
  t.equal(all('tool_result').length, 1)
  t.ok((all('text')[0]?.missingBytes ?? 0) > 0)
  t.equal(all('approval_voided').length, 1)
})

t.test('shapes that are not as they should be do no harm', async (t) => {
  const odd = [null, 1, 'x', [], {}, [null], [{}], { content: null }, { content: [1, null, {}] }]
  for (const type of ['system', 'stream_event', 'assistant', 'user', 'result', 'control_request', 'control_response']) {
    for (const value of odd) {
      const line = { type, message: value, event: value, request: value, response: value, usage: value, subtype: value }
      t.doesNotThrow(() => replay([JSON.stringify(line)]))
    }
  }
})

t.test('what cannot be served is refused, so that claude does not wait', async (t) => {
  const { heard, events } = replay([
    JSON.stringify({ type: 'control_request', request_id: 'h', request: { subtype: 'hook_callback' } }),
  ])
  t.match(heard[0]?.replies, [{ response: { subtype: 'error', request_id: 'h' } }])
  t.match(events, [{ type: 'raw' }])
})

t.test('results of tools as text', async (t) => {
  const content = [
    { type: 'text', text: 'a' },
    { type: 'image', source: { media_type: 'image/png', data: 'AAAA' } },
    { type: 'other' },
  ]
  const line = { type: 'user', message: { content: [{ type: 'tool_result', tool_use_id: 'x', content }] } }
  t.match(replay([JSON.stringify(line)]).events, [{ content: 'a\n[image/png, 3 bytes]\n{"type":"other"}' }])
})
