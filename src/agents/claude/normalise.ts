/**
 * The stdout of claude, a line at a time, as events. Pure but for its memory of what is open; nothing is said twice:
 * the `result` line repeats the answer, replayed `user` lines repeat the person, and neither gives text.
 */
import type { AgentEvent, EventOf, Unframed } from '../../session/events.js'
import { blame } from '../blame.js'
import { Book } from '../book.js'
import { cut, cutJson, short, TEXT_BUDGET } from '../cut.js'
import { isObject, type Json, object, objects, parseObject, string, text } from '../json.js'
import { alwaysOf, meaningOf } from './always.js'
import { blockEvents, resultText } from './blocks.js'
import { turnResult } from './result.js'
import { ModelStream, pieceOf } from './stream.js'
import { systemEvents } from './system.js'
import { MODE, type Question, refusal } from './wire.js'

/** What one line may take of a log line beside others in the same event. */
const HALF = TEXT_BUDGET / 2
/** A question of more would not fit into a line, and be left out: nobody could answer it. */
const MOST_OPTIONS = 100
/** Bytes of what an answer would mean that are shown. */
const LABEL_BUDGET = 2 * 1024

const EDITS = new Set(['Edit', 'Write', 'MultiEdit', 'NotebookEdit'])

/** What a line of claude came to. */
export interface Heard {
  readonly events: AgentEvent[]
  /** The uuids of messages that it has taken. */
  readonly taken: string[]
  /** Lines for its stdin: it would wait for ever for what we do not know. */
  readonly replies: object[]
  /** It takes messages from now on. */
  readonly ready: boolean
}

export class ClaudeNormaliser {
  readonly book: Book<Question>
  /** Why it cannot go on with the session that it was given. */
  forgotten: string | undefined
  /** Why it does not work in the permission mode that was asked for. */
  refused: string | undefined
  readonly #nativeId: string
  #session: Omit<Unframed<EventOf<'agent_session'>>, 'type'> | undefined
  /** Dollars since this process started. */
  #cost = 0
  /** What it called its last error in this turn, in a word. */
  #errorKind: unknown
  readonly #stream = new ModelStream()
  #taken: string[] = []
  #replies: object[] = []
  #ready = false

  constructor({ turns, nativeId }: { turns: number; nativeId: string }) {
    this.book = new Book(turns)
    this.#nativeId = nativeId
  }

  /** The session as claude calls it; `/clear` begins another one. */
  get nativeId(): string {
    return this.#session?.nativeId ?? this.#nativeId
  }

  /** @param missing bytes that are missing at the end of the line */
  line(line: string, missing = 0): Heard {
    this.#taken = []
    this.#replies = []
    this.#ready = false
    const events = this.#events(line, missing)
    return { events, taken: this.#taken, replies: this.#replies, ready: this.#ready }
  }

  #events(line: string, missing: number): AgentEvent[] {
    const piece = pieceOf(line)
    if (piece !== undefined) return piece
    if (line.trim() === '') return []
    const message = parseObject(line)
    if (message === undefined) return [raw(cut(line, undefined, missing).content, missing)]
    switch (message.type) {
      case 'system':
        return this.#system(message) ?? unknown(message)
      case 'stream_event':
        return this.#stream.events(object(message.event))
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
        return this.#response(object(message.response))
      case 'keep_alive':
      case 'tool_progress':
        return []
      default:
        return unknown(message)
    }
  }

  /** Answers to our own requests: the mode is read back here, before anything is sent. */
  #response(response: Json): AgentEvent[] {
    if (response.subtype === 'error') {
      const why = short(string(response.error) ?? 'no reason given')
      if (response.request_id !== MODE) return [{ type: 'error', content: `claude refused a request: ${why}` }]
      this.refused = `claude refused the permission mode: ${why}`
      return []
    }
    if (response.request_id !== MODE) return []
    this.#ready = true
    return this.#news({ nativeId: this.#nativeId, ...optional('permissionMode', object(response.response).mode) })
  }

  #system(message: Json): AgentEvent[] | undefined {
    if (message.subtype === 'init') {
      const news = this.#news({
        nativeId: short(string(message.session_id) ?? ''),
        ...optional('model', message.model),
        ...optional('permissionMode', message.permissionMode),
        ...optional('agentVersion', message.claude_code_version),
      })
      return [...news, ...this.book.startTurn()]
    }
    // A mode that changed on the way (an answer can do that) is told like the one at the start.
    if (message.subtype === 'status' && typeof message.permissionMode === 'string') {
      return this.#session === undefined ? [] : this.#news({ permissionMode: short(message.permissionMode) })
    }
    return systemEvents(message)
  }

  #news(fields: Partial<Unframed<EventOf<'agent_session'>>>): AgentEvent[] {
    const before = JSON.stringify(this.#session)
    const session = { nativeId: this.#nativeId, ...this.#session, ...fields }
    this.#session = session
    return before === JSON.stringify(session) ? [] : [{ type: 'agent_session', ...session }]
  }

  #assistant(line: Json): AgentEvent[] {
    const message = object(line.message)
    const events: AgentEvent[] = []
    if (line.error !== undefined) this.#errorKind = line.error
    for (const block of objects(message.content)) {
      // Claude's own words in the model's place: errors of the API, and notes.
      if (message.model === '<synthetic>' && block.type === 'text')
        events.push(synthetic(string(block.text) ?? '', line))
      else events.push(...blockEvents(block))
    }
    return events.map((event) => {
      if (event.type !== 'tool_use') return event
      this.book.toolUse(event.toolId)
      const file = EDITS.has(event.tool) ? editedFile(event.input) : undefined
      return file === undefined ? event : { ...event, files: [short(file)] }
    })
  }

  #user(line: Json): AgentEvent[] {
    if (line.isReplay === true) {
      if (typeof line.uuid === 'string') this.#taken.push(line.uuid)
      return []
    }
    return objects(object(line.message).content)
      .filter((block) => block.type === 'tool_result')
      .map((block) => {
        const toolId = short(string(block.tool_use_id) ?? '')
        this.book.toolResult(toolId)
        return { type: 'tool_result', toolId, ...cut(resultText(block.content)), isError: block.is_error === true }
      })
  }

  #result(line: Json): AgentEvent[] {
    const errors = Array.isArray(line.errors) ? line.errors.map(text) : []
    const lost = errors.find((error) => error.startsWith('No conversation found'))
    if (lost !== undefined) {
      this.forgotten = short(lost)
      return []
    }
    const { reason, usage, totalCost, error, cause } = turnResult(line, this.#cost, this.#errorKind)
    this.#errorKind = undefined
    this.#cost = totalCost ?? this.#cost
    return [usage, ...this.book.endTurn({ reason, ...(error === undefined ? {} : { error }), ...(cause && { cause }) })]
  }

  #request(line: Json): AgentEvent[] {
    const requestId = string(line.request_id) ?? ''
    const request = object(line.request)
    if (request.subtype !== 'can_use_tool') {
      this.#replies.push(refusal(requestId, 'not supported'))
      return unknown(line)
    }
    const suggestions = alwaysOf(objects(request.permission_suggestions))
    this.book.ask(short(requestId), { requestId, input: request.input, suggestions })
    if (request.tool_name === 'AskUserQuestion') return [asked(short(requestId), request.input)]
    return [
      {
        type: 'approval_request',
        requestId: short(requestId),
        tool: short(string(request.tool_name) ?? ''),
        input: cutJson(request.input ?? {}, HALF).value,
        ...optional('title', request.description ?? request.display_name),
        ...optional('toolId', request.tool_use_id),
        options: optionsOf(suggestions),
      },
    ]
  }

  #withdrawn(message: Json): AgentEvent[] {
    const requestId = short(string(message.request_id) ?? '')
    if (this.book.take(requestId) === undefined) return []
    return [{ type: 'approval_voided', requestId, why: 'claude withdrew the question' }]
  }
}

/** "Always" is offered where claude says what it would mean. */
function optionsOf(suggestions: readonly Json[]) {
  const meaning = cut(meaningOf(suggestions), LABEL_BUDGET)
  return [
    { decision: 'allow' as const, label: 'Allow' },
    ...(suggestions.length === 0
      ? []
      : [{ decision: 'allow_always' as const, label: `In this session: ${meaning.content}` }]),
    { decision: 'deny' as const, label: 'Deny', reason: true },
  ]
}

/** Claude asks the person something: its questions and what it offers as answers, as one text. */
function asked(requestId: string, input: unknown): AgentEvent {
  const questions = objects(object(input).questions)
  const labels = questions.flatMap((each) => objects(each.options).map(({ label }) => label))
  const options = labels.slice(0, MOST_OPTIONS).map((label) => short(text(label)))
  const question = cut(questions.map((each) => text(each.question)).join('\n'), HALF).content
  return { type: 'input_request', requestId, question, ...(options.length > 0 && { options }) }
}

function synthetic(text: string, line: Json): AgentEvent {
  if (line.error === undefined && line.isApiErrorMessage !== true) return { type: 'system', ...cut(text) }
  return { type: 'error', content: cut(text, HALF).content, cause: blame({ message: text, kinds: [line.error] }) }
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
