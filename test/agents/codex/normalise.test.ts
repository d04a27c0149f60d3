/** Recorded transcripts replayed: what codex said, as events, without codex. */
import { readdirSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import t from 'tap'
import { Coalescer } from '../../../src/agents/coalesce.js'
import { CodexNormaliser } from '../../../src/agents/codex/normalise.js'
import { versionOf } from '../../../src/agents/codex/wire.js'
import { object } from '../../../src/agents/json.js'
import { type AgentEvent, SessionEvent } from '../../../src/session/events.js'
import type { Of } from '../recorder.js'

const folder = new URL('../../fixtures/transcripts/codex/', import.meta.url)
const transcripts = readdirSync(folder).map((file) => file.replace('.ndjson', ''))
const linesOf = (name: string) =>
  readFileSync(new URL(`${name}.ndjson`, folder), 'utf8')
    .trim()
    .split('\n')
const newNormaliser = () => new CodexNormaliser({ turns: 0, start: 7 })

/** As the run does it: the answer to the start of a thread opens the session. */
function* replayed(normaliser: CodexNormaliser, lines: readonly string[]) {
  let version: string | undefined
  for (const line of lines) {
    const heard = normaliser.line(line)
    const result = object(heard.answer?.result)
    if (typeof result.userAgent === 'string') version = versionOf(result.userAgent)
    if ('approvalPolicy' in result) yield { ...heard, events: normaliser.opened(result, version) }
    else yield heard
  }
  yield { events: normaliser.gone({ reason: 'failed', error: 'codex has ended' }) }
}

function replay(lines: readonly string[]) {
  const normaliser = newNormaliser()
  const heard = [...replayed(normaliser, lines)]
  const events = heard.flatMap((each) => each.events)
  const all = <T extends AgentEvent['type']>(type: T) => events.filter((event): event is Of<T> => event.type === type)
  return { normaliser, heard, events, all }
}

for (const name of transcripts) {
  t.test(`replay of ${name}`, async (t) => {
    const { events, all } = replay(linesOf(name))
    const items = linesOf(name)
      .map((line) => JSON.parse(line))
      .filter(({ method }) => method === 'item/completed')
      .map(({ params }) => params.item)

    const texts = all('text').flatMap(({ content }) => content ?? [])
    const said = items.filter(({ type }) => type === 'agentMessage').map(({ text }) => text)
    for (const text of said) t.ok(texts.includes(text), 'each answer is there, whole')
    const more = texts.length - said.length
    t.equal(more, { interrupt: 2, steer: 1, errors: 1 }[name] ?? 0, 'only what broke off is told without its end')
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
    t.same(alternation(events), [], 'turns begin and end in turn')
    t.equal(all('approval_request').length > 0, /allow|deny|^crash$|change|mcp|^interrupt|readonly/.test(name))
    for (const event of events) {
      const framed = { ...event, timestamp: '2026-01-01T00:00:00.000Z', by: 'agent', epoch: 1 }
      t.equal(SessionEvent.safeParse(framed).success, true, event.type)
      t.equal(Object.keys(event)[0], 'type')
    }
  })
}

/** What is wrong with the order of turns. */
function alternation(events: readonly AgentEvent[]): string[] {
  let turn = 0
  let open = false
  const wrong: string[] = []
  for (const event of events) {
    if (event.type === 'turn_started' && (open || event.turn !== ++turn)) wrong.push(`start of ${event.turn}`)
    if (event.type === 'turn_ended' && (!open || event.turn !== turn)) wrong.push(`end of ${event.turn}`)
    if (event.type === 'turn_started' || event.type === 'turn_ended') open = event.type === 'turn_started'
  }
  return open ? [...wrong, 'a turn is open'] : wrong
}

t.test('a sentence of the answer is found once, with the deltas and the end of the turn beside it', async (t) => {
  const written: AgentEvent[] = []
  const coalescer = new Coalescer((events) => written.push(...events))
  for (const { events } of replayed(newNormaliser(), linesOf('allow'))) {
    coalescer.emit(events)
    // As if each moment were longer than it takes to stream a word.
    coalescer.flush()
  }
  t.match(
    written.filter((event) => JSON.stringify(event).includes('I will run')),
    [{ type: 'text', content: 'I will run a command.' }],
  )
  t.ok(written.some((event) => 'delta' in event))
})

t.test('the session: model, mode, version', async (t) => {
  t.match(replay(linesOf('allow')).all('agent_session'), [
    { nativeId: /^[0-9a-f-]{36}$/, model: 'mock-model', permissionMode: 'default', agentVersion: '0.169.0' },
  ])
  t.match(replay(linesOf('steer')).all('agent_session'), [{ permissionMode: 'bypassPermissions' }])
})

t.test('tools: what was called, and what came of it', async (t) => {
  const allowed = replay(linesOf('allow'))
  t.match(allowed.all('tool_use'), [{ tool: 'commandExecution', input: { command: /echo hi/, cwd: '/tmp/project' } }])
  t.match(allowed.all('tool_result'), [{ content: 'hi\n', isError: false }])
  t.match(replay(linesOf('deny')).all('tool_result'), [{ content: '[declined]', isError: true }])
  const changed = replay(linesOf('file-change'))
  t.match(changed.all('tool_use'), [
    { tool: 'fileChange', files: ['/tmp/project/new.txt'], input: { changes: [{ diff: 'hello\n' }] } },
    { tool: 'fileChange', files: ['/tmp/project/new.txt', '/tmp/project/old.txt'] },
  ])
  t.match(changed.all('tool_result')[0], { content: 'add /tmp/project/new.txt', isError: false })
  const served = replay(linesOf('mcp'))
  t.match(served.all('tool_use')[0], { tool: 'toy.echo', input: { text: 'a' } })
  t.match(served.all('tool_result')[0], { content: 'echo:a\n[image/png, 3 bytes]' })
})

t.test('a command that its turn leaves running is heard of when it ends', async (t) => {
  const { all } = replay(linesOf('left-running'))
  t.match(all('tool_result'), [{ content: /the turn ended/ }, { content: 'out\n[exit code 4]', isError: true }])
  t.match(all('system').at(-1), { content: /left running/, detail: { content: 'begun\nlate\n[exit code 3]' } })
})

t.test('turns that are interrupted, steered, and that fail', async (t) => {
  const interrupted = replay(linesOf('interrupt'))
  t.same(
    interrupted.all('turn_ended').map(({ reason }) => reason),
    ['interrupted', 'completed', 'interrupted', 'interrupted', 'completed'],
  )
  t.match(interrupted.all('approval_voided').at(-1), { requestId: 's7-2', why: 'the turn was interrupted' })
  const steered = replay(linesOf('steer'))
  t.match(
    steered.all('text').flatMap(({ content }) => content ?? []),
    [/^tick0 tick1/, 'steered'],
  )
  t.same(
    steered.heard.flatMap((each) => ('taken' in each ? [each.taken] : [])),
    ['m1', 'm2'],
  )
  const failed = replay(linesOf('errors'))
  t.match(failed.all('turn_ended'), [
    { reason: 'failed', error: 'mock error 400', cause: { result: 'agent' } },
    { reason: 'failed', error: /401/, cause: { result: 'login', status: 401 } },
    { reason: 'failed', error: /529/, cause: { result: 'overloaded', status: 529 } },
    { reason: 'failed', error: /stream disconnected/, cause: { result: 'unreachable' } },
  ])
  t.ok(failed.all('system').some(({ content }) => /codex tries again: .*529.* - Reconnecting/.test(content)))
  t.equal(failed.all('system').filter(({ content }) => /metadata/.test(content)).length, 1, 'a warning is told once')
})

t.test('tokens are counted once, though they are told again', async (t) => {
  const step = { type: 'usage', scope: 'step', input: 120, output: 17, cached: 100 }
  t.same(replay(linesOf('resume')).all('usage'), [step], 'those of the turns before a resume are not counted again')
  t.equal(replay(linesOf('errors')).all('usage').length, 0)
  t.equal(replay(linesOf('allow')).all('usage').length, 2)
})

t.test('thoughts and the compaction of a conversation', async (t) => {
  const { all } = replay(linesOf('compact'))
  t.match(
    all('thinking').filter(({ content }) => content !== undefined),
    [{ content: 'I am thinking about it.' }],
  )
  t.match(all('system').at(-1), { content: 'the conversation was compacted' })
})

t.test('lines that nobody knows are kept', async (t) => {
  const { events } = replay(['{"method":"of/the/future","params":{}}', 'not JSON', ' ', '{"x":1}'])
  t.match(events, [{ type: 'raw', raw: { method: 'of/the/future' } }, { raw: 'not JSON' }, { raw: { x: 1 } }])
  t.match(newNormaliser().line('{"method":"it', 99).events, [{ type: 'raw', raw: /99 bytes/, missingBytes: 99 }])
  t.match(newNormaliser().line('{"id":1,"method":"of/the/future"}'), { refused: 1, events: [{ type: 'raw' }] })
})

t.test('threads of other agents that codex starts do not mix with the session', async (t) => {
  const normaliser = newNormaliser()
  normaliser.opened({ thread: { id: 'T' } }, undefined)
  const news = (method: string, params: object) => normaliser.line(JSON.stringify({ method, params })).events
  t.same(news('turn/started', { threadId: 'other', turn: { id: 'x' } }), [])
  t.match(news('turn/started', { threadId: 'T', turn: { id: 't' } }), [{ type: 'turn_started' }])
  t.same([...normaliser.others], [['other', 'x']])
  const command = { type: 'commandExecution', id: 'c', command: 'ls', exitCode: 0 }
  t.match(news('item/started', { threadId: 'other', turnId: 'x', item: command }), [{ type: 'tool_use' }])
  t.match(news('item/completed', { threadId: 'other', turnId: 'x', item: command }), [{ type: 'tool_result' }])
  t.same(news('item/completed', { threadId: 'other', item: { type: 'agentMessage', id: 'm', text: 'hi' } }), [])
  t.same(news('turn/completed', { threadId: 'other', turn: { id: 'x', status: 'completed' } }), [])
  t.equal(normaliser.others.size, 0)
  const tokenUsage = { total: { totalTokens: 3 }, last: { inputTokens: 2, outputTokens: 1 } }
  t.match(news('thread/tokenUsage/updated', { threadId: 'other', tokenUsage }), [{ input: 2, output: 1, cached: 0 }])
  t.same(news('thread/tokenUsage/updated', { threadId: 'other', tokenUsage }), [])
})

/** The words of the protocol, with anything in their places. */
const methods = ['turn/started', 'turn/completed', 'item/started', 'item/completed', 'item/agentMessage/delta', 'error']
const further = ['thread/tokenUsage/updated', 'serverRequest/resolved', 'turn/plan/updated', 'warning', 'x/y']
const asks = ['item/commandExecution/requestApproval', 'item/tool/requestUserInput', 'mcpServer/elicitation/request']
const types = ['agentMessage', 'reasoning', 'commandExecution', 'fileChange', 'mcpToolCall', 'webSearch', 'x']
const ids = fc.constantFrom('a', 'b', 'c')
const item = fc.oneof(
  fc.anything(),
  fc.record(
    {
      id: ids,
      type: fc.constantFrom(...types, 'userMessage', 'plan'),
      text: fc.anything(),
      changes: fc.anything(),
      status: fc.constantFrom('failed', 'declined', 'completed', null),
      summary: fc.anything(),
    },
    { requiredKeys: ['id', 'type'] },
  ),
)
const turn = fc.record({ id: ids, status: fc.constantFrom('completed', 'interrupted', 'failed'), error: fc.anything() })
const params = fc.oneof(
  fc.anything(),
  fc.record({ turnId: ids, itemId: ids, requestId: ids, item, turn, delta: fc.oneof(fc.string(), fc.anything()) }),
)
const line = fc.oneof(
  fc.string(),
  fc.record({ method: fc.constantFrom(...methods, ...further), params }).map((message) => JSON.stringify(message)),
  fc.record({ id: ids, method: fc.constantFrom(...asks), params }).map((message) => JSON.stringify(message)),
  fc
    .constantFrom(...linesOf('allow'), ...linesOf('interrupt'))
    .chain((whole) => fc.nat(whole.length).map((length) => whole.slice(0, length))),
)

t.test('whatever comes, nothing is thrown, turns alternate, and what was opened is closed', async (t) => {
  const property = fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
    const { events, all } = replay(lines)
    const open = new Set<string>()
    for (const event of events) {
      if (event.type === 'tool_use') open.add(event.toolId)
      if (event.type === 'tool_result') open.delete(event.toolId)
      if (event.type === 'approval_request' || event.type === 'input_request') open.add(event.requestId)
      if (event.type === 'approval_voided') open.delete(event.requestId)
      const framed = { ...event, timestamp: '', by: 'agent' }
      if (!SessionEvent.safeParse(framed).success) throw new Error(`no valid event: ${JSON.stringify(event)}`)
    }
    return (
      alternation(events).length === 0 && open.size === 0 && all('turn_started').length === all('turn_ended').length
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 150 }))
})

t.test('whatever is in it, a line becomes events that fit into the log', async (t) => {
  const huge = '\u0001"é'.repeat(200_000)
  const threadId = 'T'
  const completed = (item: object) => ({ method: 'item/completed', params: { threadId, turnId: huge, item } })
  const lines = [
    { method: 'turn/started', params: { threadId, turn: { id: huge } } },
    { method: 'item/agentMessage/delta', params: { threadId, itemId: 'i', delta: huge } },
    { method: 'item/agentMessage/delta', params: { threadId, itemId: 'i', delta: huge } },
    completed({ type: 'reasoning', id: 'r', summary: [huge] }),
    completed({ type: 'commandExecution', id: huge, command: huge, aggregatedOutput: huge, exitCode: 3 }),
    completed({
      type: 'fileChange',
      id: 'f',
      changes: Array(600).fill({ path: huge.slice(0, 5000), diff: huge.slice(0, 9000) }),
    }),
    completed({
      type: 'mcpToolCall',
      id: 'm',
      server: huge,
      tool: huge,
      arguments: { huge },
      error: { message: huge },
    }),
    completed({ type: 'plan', id: 'p', text: huge }),
    completed({ type: huge }),
    { method: 'turn/plan/updated', params: { threadId, plan: Array(100).fill({ step: huge, status: huge }) } },
    { id: huge, method: asks[0], params: { itemId: huge, command: huge, reason: huge } },
    { id: 2, method: asks[1], params: { questions: [{ question: huge, options: Array(200).fill({ label: huge }) }] } },
    {
      id: 3,
      method: asks[2],
      params: { serverName: huge, message: huge, _meta: { tool_name: huge, tool_params: { huge } } },
    },
    { method: 'error', params: { threadId, error: { message: huge } } },
    { method: 'warning', params: { threadId, message: huge } },
    { method: 'turn/completed', params: { threadId, turn: { id: huge, status: 'failed', error: { message: huge } } } },
    { method: huge },
  ]
  const { events, all } = replay(lines.map((line) => JSON.stringify(line)))
  for (const event of events) {
    if ('partial' in event) continue
    t.ok(Buffer.byteLength(JSON.stringify(event)) < 1024 * 1024 - 512, event.type)
  }
  t.ok((all('text').at(-1)?.missingBytes ?? 0) > 600_000)
})
