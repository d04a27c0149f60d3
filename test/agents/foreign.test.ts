/** Whatever an agent says: no normaliser throws, each event is a valid one that fits into a line, and turns, tools and questions are closed. */
import fc from 'fast-check'
import t from 'tap'
import { alwaysOf, meaningOf } from '../../src/agents/claude/always.js'
import { ClaudeNormaliser } from '../../src/agents/claude/normalise.js'
import { answer, answerQuestion } from '../../src/agents/claude/wire.js'
import { CodexNormaliser } from '../../src/agents/codex/normalise.js'
import { answerTo, decisionOn } from '../../src/agents/codex/questions.js'
import { objects } from '../../src/agents/json.js'
import { MAX_LINE } from '../../src/log/line.js'
import { type AgentEvent, SessionEvent } from '../../src/session/events.js'
import { foreign, foreignFields } from '../helpers/foreign.js'

const words = (text: string) => text.split(' ')
const of = (type: string, keys: string) => foreignFields(words(keys)).map((given) => ({ ...given, type }))

/** @throws if one is no event, does not fit, or stands where it may not */
function check(events: readonly AgentEvent[]): void {
  let inTurn = false
  const open = new Set<string>()
  for (const event of events) {
    const line = JSON.stringify({ ...event, timestamp: '2026-03-14T09:00:00.100Z', by: 'agent', epoch: 1 })
    // Read back as a reader does: what is not JSON, like an infinity, would be gone by then.
    if (!SessionEvent.safeParse(JSON.parse(line)).success) throw new Error(`no valid event: ${line}`)
    if (Buffer.byteLength(line) >= MAX_LINE) throw new Error(`too long: ${event.type}`)
    if (event.type === 'turn_started' || event.type === 'turn_ended') {
      if (inTurn === (event.type === 'turn_started')) throw new Error(`${event.type} out of turn`)
      inTurn = event.type === 'turn_started'
    }
    if (event.type === 'tool_use') open.add(`tool ${event.toolId}`)
    if (event.type === 'tool_result') open.delete(`tool ${event.toolId}`)
    if (event.type === 'approval_request' || event.type === 'input_request') open.add(event.requestId)
    if (event.type === 'approval_voided') open.delete(event.requestId)
  }
  if (inTurn || open.size > 0) throw new Error(`left open: ${inTurn ? 'the turn' : ''} ${[...open].join(', ')}`)
}

const blocks = fc.oneof(
  foreign,
  fc.array(
    fc.oneof(
      ...[
        ...['text', 'thinking', 'tool_use', 'server_tool_use', 'tool_result', 'redacted_thinking', 'of_the_future'],
      ].map((type) => of(type, 'text thinking id name input tool_use_id content is_error source')),
    ),
    { maxLength: 3 },
  ),
)
const message = fc.oneof(foreign, foreignFields(words('model content usage'), blocks))
const suggestions = fc.oneof(
  foreign,
  fc.array(
    fc.oneof(...words('addRules setMode addDirectories x').map((type) => of(type, 'behavior rules mode directories'))),
    { maxLength: 3 },
  ),
)
const rules = fc
  .array(foreignFields(['toolName', 'ruleContent']))
  .map((rules) => [{ type: 'addRules', behavior: 'allow', rules }])
const asks = fc
  .tuple(
    foreignFields(words('tool_name input description display_name tool_use_id permission_suggestions questions')),
    fc.oneof(suggestions, rules),
    fc.oneof(
      foreign,
      fc.array(foreignFields(['question', 'options'])).map((questions) => ({ questions })),
    ),
    fc.constantFrom<unknown>('AskUserQuestion', 'Bash', { toString: 0 }),
  )
  .map(([given, permission_suggestions, input, tool_name]) => ({
    ...given,
    ...{ subtype: 'can_use_tool', permission_suggestions, input, tool_name },
  }))
const subtypes = words('init status api_retry task_started task_notification compact_boundary error success mode')
const claudeLine = fc
  .tuple(
    fc.constantFrom(
      ...words('system stream_event assistant user result control_request control_cancel_request control_response x'),
    ),
    foreignFields(
      words(
        'subtype session_id model permissionMode claude_code_version status error error_status attempt retry_delay_ms ' +
          'summary description uuid isReplay errors usage total_cost_usd is_error result api_error_status ' +
          'terminal_reason request_id response event message request isApiErrorMessage',
      ),
    ),
    fc.record(
      {
        subtype: fc.constantFrom(...subtypes),
        message,
        request: fc.oneof(foreign, asks),
        request_id: fc.constantFrom<unknown>('mode', 'a', 'b', '__proto__', { toString: 0 }),
        errors: fc.oneof(foreign, fc.array(foreign, { maxLength: 2 })),
        response: foreignFields(words('subtype request_id response error')),
        event: fc.oneof(
          ...words('message_start content_block_delta message_delta').map((type) => of(type, 'message delta usage')),
        ),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([type, given, likely]) => JSON.stringify({ ...given, ...likely, type }))

t.test('claude', async (t) => {
  const property = fc.property(fc.array(claudeLine, { maxLength: 20 }), (lines) => {
    const normaliser = new ClaudeNormaliser({ turns: 0, nativeId: 'native' })
    const events = lines.flatMap((line) => {
      const heard = normaliser.line(line)
      for (const reply of heard.replies) JSON.stringify(reply)
      return heard.events
    })
    check([...events, ...normaliser.book.endTurn({ reason: 'failed', error: 'it has ended' })])
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
})

// String() threw at the first, which ended the daemon's answer; the others were too long, and the question was left out.
t.test('claude: what the run above finds now and then only', async (t) => {
  const ends = ['[{"toString":0}]', '[["No conversation found"]]'].flatMap((errors) => [
    `{"type":"system","subtype":"init"}`,
    `{"type":"result","is_error":true,"errors":${errors}}`,
  ])
  const long = 'x'.repeat(700_000)
  const edit = { type: 'tool_use', id: 'a', name: 'Edit', input: { file_path: long } }
  const options = Array.from({ length: 300 }, () => ({ label: long.slice(0, 5000) }))
  const input = { questions: [{ question: long, options }] }
  const request = { subtype: 'can_use_tool', tool_name: 'AskUserQuestion', input }
  const normaliser = new ClaudeNormaliser({ turns: 0, nativeId: 'native' })
  const events = [
    ...ends,
    JSON.stringify({ type: 'assistant', message: { content: [edit] } }),
    JSON.stringify({ type: 'control_request', request_id: 'q', request }),
  ].flatMap((line) => normaliser.line(line).events)
  const types = ['turn_started', 'usage', 'turn_ended', 'turn_started', 'usage', 'turn_ended']
  t.same(
    events.map(({ type }) => type).filter((type) => type !== 'agent_session'),
    [...types, 'tool_use', 'input_request'],
  )
  t.doesNotThrow(() => check([...events, ...normaliser.book.endTurn({ reason: 'failed' })]))
})

t.test('what is answered to claude', async (t) => {
  const property = fc.property(asks, foreign, fc.string(), ({ permission_suggestions, input }, id, content) => {
    const suggestions = alwaysOf(objects(permission_suggestions))
    const question = { requestId: String(JSON.stringify(id)), input, suggestions }
    const decisions = (['allow', 'allow_always', 'deny'] as const).map((decision) =>
      answer(question, { requestId: question.requestId, decision }),
    )
    return JSON.stringify([...decisions, answerQuestion(question, content), meaningOf(suggestions)]).length > 0
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
})

const items = fc
  .tuple(
    fc.constantFrom(
      ...words('agentMessage reasoning commandExecution fileChange mcpToolCall dynamicToolCall collabAgentToolCall'),
      ...words('webSearch imageView plan userMessage contextCompaction x __proto__'),
    ),
    foreignFields(
      words(
        'text changes status summary content command cwd aggregatedOutput exitCode server tool arguments result error ' +
          'contentItems prompt receiverThreadIds agentsStates query action results path clientId success',
      ),
    ),
    fc.constantFrom<unknown>('a', 'b', '', { toString: 0 }),
    fc.array(foreignFields(words('path kind')), { maxLength: 2 }),
  )
  .map(([type, given, id, changes]) => ({ ...given, type, id, ...(type === 'fileChange' && { changes }) }))
const ids = fc.constantFrom<unknown>('a', 'b', 't', { toString: 0 }, null)
const params = fc
  .tuple(
    foreignFields(
      words(
        'message summary details path toModel fromModel name error status willRetry plan tokenUsage threadSettings ' +
          'command cwd reason permissions commandActions questions mode requestedSchema _meta serverName url itemId delta',
      ),
    ),
    fc.record(
      {
        item: items,
        itemId: ids,
        threadId: ids,
        turnId: ids,
        requestId: ids,
        delta: fc.string(),
        turn: foreignFields(words('id status error')),
        error: foreignFields(words('message codexErrorInfo additionalDetails')),
        plan: fc.array(foreignFields(['step', 'status'])),
        questions: fc.array(foreignFields(words('id question options')), { maxLength: 2 }),
        requestedSchema: foreign.map((field) => ({ type: 'object', properties: { a: field } })),
        threadSettings: foreignFields(words('approvalPolicy sandboxPolicy approvalsReviewer')),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([given, likely]) => ({ ...given, ...likely }))
const methods = words(
  'turn/started turn/completed item/started item/completed item/agentMessage/delta item/reasoning/textDelta error warning ' +
    'thread/tokenUsage/updated serverRequest/resolved turn/plan/updated thread/settings/updated model/rerouted x ' +
    'mcpServer/startupStatus/updated configWarning constructor',
)
const requests = words(
  'item/commandExecution/requestApproval item/fileChange/requestApproval item/permissions/requestApproval ' +
    'item/tool/requestUserInput mcpServer/elicitation/request toString',
)
const codexLine = fc.oneof(
  fc.record({ method: fc.constantFrom(...methods), params }),
  fc.record({ id: ids, method: fc.constantFrom(...requests), params }),
  fc.record({ id: ids, result: foreign, error: foreign }),
)

t.test('codex', async (t) => {
  const opening = foreignFields(words('thread model approvalPolicy sandbox approvalsReviewer'))
  const property = fc.property(opening, fc.array(codexLine, { maxLength: 20 }), (opened, lines) => {
    const normaliser = new CodexNormaliser({ turns: 0, start: 1 })
    const events = normaliser.opened(opened, '1')
    for (const line of lines) {
      const heard = normaliser.line(JSON.stringify(line))
      events.push(...heard.events)
      // Now and then a person answers.
      const asked = heard.events.find(({ type }) => type === 'approval_request' || type === 'input_request')
      const question = asked && 'requestId' in asked ? normaliser.book.take(asked.requestId) : undefined
      if (question === undefined || asked === undefined || !('requestId' in asked)) continue
      JSON.stringify([decisionOn(question, 'allow_always'), answerTo(question, 'x'), answerTo(question, '{"a":1}')])
      events.push({ type: 'approval_voided', requestId: asked.requestId, why: 'answered' })
    }
    check([...events, ...normaliser.gone({ reason: 'failed', error: 'it has ended' })])
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
})
