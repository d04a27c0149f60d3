/**
 * The stdout of claude, a line at a time, as events. Pure but for its memory of what is open; nothing is said twice:
 * the `result` line repeats the answer, replayed `user` lines repeat the person, and neither gives text.
 */
import type { AgentEvent } from '../session/events.js'
import { blockEvents, resultText } from './claude-blocks.js'
import { errorCause, Tally, type TurnResult, turnResult } from './claude-result.js'
import { systemEvents } from './claude-system.js'
import { type Question, refusal } from './claude-wire.js'
import { cut, cutJson, short, TEXT_BUDGET } from './cut.js'
import { isObject, type Json, object, objects, parseObject, string } from './json.js'

/** What one line may take of a log line beside others in the same event. */
const HALF = TEXT_BUDGET / 2
/** Longer suggestions are kept for the answer, but not shown. */
const OPTIONS_BUDGET = 64 * 1024

const EDITS = new Set(['Edit', 'Write', 'MultiEdit', 'NotebookEdit'])

export class ClaudeNormaliser {
  readonly tally = new Tally()
  /** The last turn's end; undefined while the first one runs. */
  result: TurnResult | undefined
  /** Requests that we cannot serve and that must be told so: lines for stdin, to be taken out by the caller. */
  readonly refusals: object[] = []
  readonly #questions = new Map<string, Question>()
  /** Tool calls without a result yet, with the file that they would change. */
  readonly #open = new Map<string, string | undefined>()
  #session = ''
  #turn = 0
  #inTurn = false
  readonly #askedMode: string

  /** @param askedMode the permission mode that claude was started with; it is read back, and a difference reported */
  constructor(askedMode: string) {
    this.#askedMode = askedMode
  }

  get inTurn(): boolean {
    return this.#inTurn
  }

  /** The events of a line, in order. @param missing bytes that are missing at the end of the line */
  line(line: string, missing = 0): AgentEvent[] {
    if (line.trim() === '') return []
    const message = parseObject(line)
    if (message === undefined) return [raw(cut(line, undefined, missing).content, missing)]
    switch (message.type) {
      case 'system':
        return this.#system(message) ?? unknown(message)
      case 'stream_event':
        return delta(object(message.event))
      case 'assistant':
        return this.#assistant(message)
      case 'user':
        return this.#user(message)
      case 'result':
        return this.#result(message)
      case 'control_request':
        return this.#request(message)
      case 'control_cancel_request':
        return this.#withdrawn(message)
      case 'control_response':
        return refused(object(message.response))
      case 'keep_alive':
      case 'tool_progress':
        return []
      default:
        return unknown(message)
    }
  }

  /** Takes out the question that a decision answers. */
  takeQuestion(requestId: string): Question | undefined {
    const question = this.#questions.get(requestId)
    this.#questions.delete(requestId)
    return question
  }

  /** Closes what is still open when claude has ended, whatever the way. */
  end(why: string): AgentEvent[] {
    return [...this.#close(why), ...this.#endTurn('failed', why)]
  }

  #system(message: Json): AgentEvent[] | undefined {
    if (message.subtype !== 'init') return this.#modeChange(message) ?? systemEvents(message)
    const session = {
      type: 'agent_session' as const,
      nativeId: short(string(message.session_id) ?? ''),
      ...optional('model', message.model),
      ...optional('permissionMode', message.permissionMode),
      ...optional('agentVersion', message.claude_code_version),
    }
    const told = JSON.stringify(session)
    const isFirst = this.#session === ''
    const news: AgentEvent[] = told === this.#session ? [] : [session]
    if (isFirst && session.permissionMode !== this.#askedMode)
      news.push(wrongMode(session.permissionMode, this.#askedMode))
    this.#session = told
    if (this.#inTurn) return news
    this.#inTurn = true
    return [...news, { type: 'turn_started', turn: ++this.#turn }]
  }

  /** A mode that changed on the way (an answer can do that) is told like the one at the start. */
  #modeChange(message: Json): AgentEvent[] | undefined {
    if (message.subtype !== 'status' || typeof message.permissionMode !== 'string' || this.#session === '')
      return undefined
    const session = { ...JSON.parse(this.#session), permissionMode: short(message.permissionMode) }
    const told = JSON.stringify(session)
    if (told === this.#session) return []
    this.#session = told
    return [session]
  }

  #assistant(line: Json): AgentEvent[] {
    const message = object(line.message)
    const events: AgentEvent[] = []
    for (const block of objects(message.content)) {
      // Claude's own words in the model's place: errors of the API, and notes.
      if (message.model === '<synthetic>' && block.type === 'text')
        events.push(synthetic(string(block.text) ?? '', line))
      else events.push(...blockEvents(block))
    }
    for (const event of events) {
      if (event.type !== 'tool_use') continue
      this.tally.tool(event.tool)
      this.#open.set(event.toolId, EDITS.has(event.tool) ? editedFile(event.input) : undefined)
    }
    return events
  }

  #user(line: Json): AgentEvent[] {
    return objects(object(line.message).content)
      .filter((block) => block.type === 'tool_result')
      .map((block) => {
        const toolId = short(string(block.tool_use_id) ?? '')
        const isError = block.is_error === true
        const file = this.#open.get(toolId)
        this.#open.delete(toolId)
        if (file !== undefined && !isError) this.tally.edited(file)
        return { type: 'tool_result', toolId, ...cut(resultText(block.content)), isError }
      })
  }

  #result(line: Json): AgentEvent[] {
    const result = turnResult(line, this.tally.cost)
    this.result = result
    this.tally.turn(result)
    const why = result.reason === 'interrupted' ? 'the turn was interrupted' : 'the turn ended'
    return [...this.#close(why), result.usage, ...this.#endTurn(result.reason, result.error)]
  }

  #request(line: Json): AgentEvent[] {
    const requestId = string(line.request_id) ?? ''
    const request = object(line.request)
    if (request.subtype !== 'can_use_tool') {
      this.refusals.push(refusal(requestId, 'not supported'))
      return unknown(line)
    }
    const suggestions = objects(request.permission_suggestions)
    this.#questions.set(short(requestId), { requestId, input: request.input, suggestions })
    const options = cutJson(suggestions, OPTIONS_BUDGET).missingBytes === undefined ? { options: suggestions } : {}
    return [
      {
        type: 'approval_request',
        requestId: short(requestId),
        tool: short(string(request.tool_name) ?? ''),
        input: cutJson(request.input ?? {}, HALF).value,
        ...optional('title', request.description ?? request.display_name),
        ...optional('toolId', request.tool_use_id),
        ...options,
      },
    ]
  }

  #withdrawn(line: Json): AgentEvent[] {
    const question = this.takeQuestion(short(string(line.request_id) ?? ''))
    if (question === undefined) return []
    return [{ type: 'approval_voided', requestId: short(question.requestId), why: 'claude withdrew the question' }]
  }

  #close(why: string): AgentEvent[] {
    const questions = [...this.#questions.keys()].map(
      (requestId): AgentEvent => ({ type: 'approval_voided', requestId, why }),
    )
    const tools = [...this.#open.keys()].map(
      (toolId): AgentEvent => ({ type: 'tool_result', toolId, content: `[no result: ${why}]`, isError: true }),
    )
    this.#questions.clear()
    this.#open.clear()
    return [...questions, ...tools]
  }

  #endTurn(reason: TurnResult['reason'], error?: string): AgentEvent[] {
    if (!this.#inTurn) return []
    this.#inTurn = false
    return [{ type: 'turn_ended', turn: this.#turn, reason, ...(error === undefined ? {} : { error }) }]
  }
}

function wrongMode(mode: string | undefined, asked: string): AgentEvent {
  return {
    type: 'error',
    content: `claude runs in permission mode \`${mode ?? 'unknown'}\`, not in \`${asked}\` as asked`,
  }
}

/** Streamed pieces of text; those of a tool's input come whole with the block. */
function delta(event: Json): AgentEvent[] {
  if (event.type !== 'content_block_delta') return []
  const { type, text, thinking } = object(event.delta)
  if (type === 'text_delta' && typeof text === 'string') return [{ type: 'text', partial: true, delta: [text] }]
  if (type !== 'thinking_delta' || typeof thinking !== 'string') return []
  return [{ type: 'thinking', partial: true, delta: [thinking] }]
}

function synthetic(text: string, line: Json): AgentEvent {
  if (line.error === undefined && line.isApiErrorMessage !== true) return { type: 'system', ...cut(text) }
  const status = /^API Error: (\d{3})\b/.exec(text)?.[1]
  const { content } = cut(text, HALF)
  return { type: 'error', content, cause: errorCause(text, status === undefined ? undefined : Number(status)) }
}

function refused(response: Json): AgentEvent[] {
  if (response.subtype !== 'error') return []
  return [{ type: 'error', content: `claude refused a request: ${short(string(response.error) ?? 'no reason given')}` }]
}

const unknown = (message: Json): AgentEvent[] => {
  const { value, missingBytes } = cutJson(message)
  return [raw(value, missingBytes)]
}

function raw(value: unknown, missingBytes = 0): AgentEvent {
  return missingBytes === 0 ? { type: 'raw', raw: value } : { type: 'raw', raw: value, missingBytes }
}

const optional = <K extends string>(key: K, value: unknown): { [P in K]?: string } =>
  typeof value === 'string' ? ({ [key]: short(value) } as { [P in K]?: string }) : {}

function editedFile(input: unknown): string | undefined {
  return isObject(input) ? (string(input.file_path) ?? string(input.notebook_path)) : undefined
}
