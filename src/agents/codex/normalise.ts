/**
 * The stdout of codex's app-server, a line at a time, as events. Pure but for its memory of what is open. Each item is told
 * when it is whole; what the end of a turn repeats is not.
 */
import type { AgentEvent, EventOf, Unframed } from '../../session/events.js'
import { Book } from '../book.js'
import { cut, cutJson, short } from '../cut.js'
import { count, type Json, object, parseObject, string, text } from '../json.js'
import { toolResult, toolUse } from './items.js'
import { errorEvent, planEvent, tell, turnEnd, warningOf } from './notes.js'
import { asked, type Question, questionOf } from './questions.js'
import { Stream } from './stream.js'
import { modeOf, unheard } from './wire.js'

/** What a line of codex came to. */
export interface Heard {
  readonly events: AgentEvent[]
  /** An answer to a request of ours, perhaps. */
  readonly answer?: Json
  /** The id that a message was given, which codex has taken. */
  readonly taken?: string
  /** The id of a request that cannot be served: codex would wait for ever. */
  readonly refused?: unknown
  /** The turn that has ended. */
  readonly ended?: string
}

export class CodexNormaliser {
  readonly book: Book<Question>
  /** The turn that runs, or ran last. */
  turnId = ''
  /** The turns of agents that codex has started for itself, by their threads. */
  readonly others = new Map<string, string>()
  readonly #start: number
  readonly #stream = new Stream()
  #session: Omit<Unframed<EventOf<'agent_session'>>, 'type'> | undefined
  #questions = 0
  /** By the id of codex's request: which question of ours it was. */
  readonly #asked = new Map<unknown, string>()
  /** What file changes hold, by the item; the request for an approval names the item only. */
  readonly #changes = new Map<string, unknown>()
  /** Commands that their turn left running. */
  readonly #left = new Set<string>()
  readonly #warned = new Set<string>()
  /** The tokens of each thread so far, as they were told last. */
  readonly #totals = new Map<string, string>()

  constructor({ turns, start }: { turns: number; start: number }) {
    this.book = new Book(turns)
    this.#start = start
  }

  /** @param missing bytes that are missing at the end of the line */
  line(line: string, missing = 0): Heard {
    if (line.trim() === '') return { events: [] }
    const message = missing === 0 ? parseObject(line) : undefined
    if (message === undefined) return { events: [raw(cut(line, undefined, missing).content, missing)] }
    const method = string(message.method)
    if (method === undefined) return 'id' in message ? { events: [], answer: message } : { events: unknown(message) }
    const params = object(message.params)
    return 'id' in message ? this.#request(method, message, params) : this.#news(method, params, message)
  }

  /** The answer to the start of a thread: the settings are read back here, before anything is sent. */
  opened(result: Json, agentVersion: string | undefined): AgentEvent[] {
    const nativeId = short(string(object(result.thread).id) ?? '')
    const model = string(result.model)
    return this.#told({
      nativeId,
      ...(model !== undefined && { model: short(model) }),
      permissionMode: modeOf(result),
      ...(agentVersion !== undefined && { agentVersion: short(agentVersion) }),
    })
  }

  /** Whatever is open when the process is gone. */
  gone(end: Parameters<Book<Question>['endTurn']>[0]): AgentEvent[] {
    return [...this.#stream.close(), ...this.book.endTurn(end)]
  }

  #request(method: string, message: Json, params: Json): Heard {
    const question = questionOf(method, message.id, params)
    if (question === undefined) return { events: unknown(message), refused: message.id }
    const requestId = `s${this.#start}-${++this.#questions}`
    this.book.ask(requestId, question)
    this.#asked.set(message.id, requestId)
    return { events: [asked(requestId, question, this.#changes.get(text(params.itemId)))] }
  }

  #news(method: string, params: Json, message: Json): Heard {
    const none = { events: [] }
    if (unheard.has(method)) return none
    if (method === 'serverRequest/resolved') return { events: this.#resolved(params.requestId) }
    if (method === 'thread/tokenUsage/updated') return { events: this.#usage(params) }
    const threadId = string(params.threadId)
    if (threadId !== undefined && this.#session !== undefined && threadId !== this.#session.nativeId) {
      return { events: this.#ofOther(threadId, method, params) }
    }
    if (method === 'turn/completed') return this.#ended(object(params.turn))
    if (method === 'item/completed') return this.#completed(params)
    return { events: this.#ofThread(method, params) ?? unknown(message) }
  }

  /** Of an agent that codex has started for itself, what it does is told, and not what it says: that is for the agent above it. */
  #ofOther(threadId: string, method: string, params: Json): AgentEvent[] {
    const item = object(params.item)
    const turnId = string(object(params.turn).id)
    if (method === 'turn/started' && turnId !== undefined) this.others.set(threadId, turnId)
    if (method === 'turn/completed') this.others.delete(threadId)
    if (toolUse(item) === undefined) return []
    if (method === 'item/started') return this.#started(item)
    return method === 'item/completed' ? this.#acted(item, this.turnId) : []
  }

  #ofThread(method: string, params: Json): AgentEvent[] | undefined {
    switch (method) {
      case 'turn/started':
        this.turnId = string(object(params.turn).id) ?? ''
        return this.book.startTurn()
      case 'item/started':
        return this.#started(object(params.item))
      case 'item/agentMessage/delta':
        return this.#piece('text', params)
      case 'item/reasoning/summaryTextDelta':
      case 'item/reasoning/textDelta':
        return this.#piece('thinking', params)
      case 'turn/plan/updated':
        return [planEvent(params)]
      case 'error':
        return [...(params.willRetry === true ? this.#stream.drop() : []), errorEvent(params)]
      case 'thread/settings/updated': {
        const { threadSettings } = params
        const { sandboxPolicy, ...rest } = object(threadSettings)
        return this.#session === undefined
          ? []
          : this.#told({ permissionMode: modeOf({ ...rest, sandbox: sandboxPolicy }) })
      }
      case 'mcpServer/startupStatus/updated':
        return params.status === 'failed'
          ? [tell(`the MCP server ${text(params.name)} failed: ${text(params.error)}`)]
          : []
      default: {
        const warning = warningOf(method, params)
        return warning === undefined ? undefined : this.#warning(warning)
      }
    }
  }

  #piece(kind: 'text' | 'thinking', { itemId, delta }: Json): AgentEvent[] {
    return typeof delta === 'string' && this.book.inTurn ? this.#stream.piece(kind, itemId, delta) : []
  }

  #started(item: Json): AgentEvent[] {
    // A further message takes the place of the answer that streams.
    if (item.type === 'userMessage') return this.#stream.close()
    if (item.type === 'fileChange') this.#changes.set(text(item.id), item.changes)
    // What it searches for stands in the finished item only.
    if (item.type === 'webSearch' || !this.book.inTurn) return []
    const use = toolUse(item)
    return use !== undefined && this.book.toolUse(use.toolId) ? [use] : []
  }

  #completed({ item: value, turnId }: Json): Heard {
    const item = object(value)
    switch (item.type) {
      case 'userMessage':
        return { events: [], ...(typeof item.clientId === 'string' && { taken: item.clientId }) }
      case 'agentMessage':
        return { events: this.#stream.whole('text', item.id, string(item.text) ?? '') }
      case 'reasoning':
        return { events: this.#stream.whole('thinking', item.id, thoughts(item)) }
      case 'plan':
        return { events: [{ type: 'plan', entries: [{ content: cut(string(item.text) ?? '').content }] }] }
      case 'contextCompaction':
        return { events: [tell('the conversation was compacted')] }
      default:
        return { events: this.#acted(item, turnId) }
    }
  }

  #acted(item: Json, turnId: unknown): AgentEvent[] {
    const result = toolResult(item)
    if (result === undefined) return unknown(item)
    if (this.book.toolResult(result.toolId)) return [result]
    if (this.book.inTurn && turnId === this.turnId) {
      const use = toolUse(item)
      return use === undefined ? [result] : [use, result]
    }
    // Its turn is over, and has told a result already.
    if (!this.#left.delete(result.toolId)) return []
    return [{ type: 'system', content: 'a command has ended that its turn left running', detail: result }]
  }

  #ended(turn: Json): Heard {
    const ended = string(turn.id) ?? this.turnId
    const end = turnEnd(turn)
    const streamed = this.#stream.close()
    const closed = this.book.endTurn(end)
    this.#changes.clear()
    if (end.reason === 'completed')
      for (const event of closed) if (event.type === 'tool_result') this.#left.add(event.toolId)
    return { events: [...streamed, ...closed], ended }
  }

  #resolved(requestId: unknown): AgentEvent[] {
    const own = this.#asked.get(requestId)
    this.#asked.delete(requestId)
    if (own === undefined || this.book.take(own) === undefined) return []
    return [{ type: 'approval_voided', requestId: own, why: 'codex withdrew the question' }]
  }

  /** Told again without anything new where an answer broke off, and for the turn before where a thread is resumed. */
  #usage({ threadId, tokenUsage }: Json): AgentEvent[] {
    const { total, last } = object(tokenUsage)
    const thread = text(threadId)
    const now = JSON.stringify(total)
    const isNew = this.#totals.get(thread) !== now
    this.#totals.set(thread, now)
    if (!isNew || !this.book.inTurn) return []
    const { inputTokens, outputTokens, cachedInputTokens } = object(last)
    const tokens = { input: count(inputTokens), output: count(outputTokens), cached: count(cachedInputTokens) }
    return [{ type: 'usage', scope: 'step', ...tokens }]
  }

  #told(fields: Partial<Unframed<EventOf<'agent_session'>>>): AgentEvent[] {
    const before = JSON.stringify(this.#session)
    const session = { nativeId: '', ...this.#session, ...fields }
    this.#session = session
    return before === JSON.stringify(session) ? [] : [{ type: 'agent_session', ...session }]
  }

  /** Each turn repeats them. */
  #warning(content: string): AgentEvent[] {
    if (this.#warned.has(content) || content === '') return []
    this.#warned.add(content)
    return [tell(content)]
  }
}

/** A summary is meant to be read; a model that gives none may show its thoughts as they are. */
function thoughts({ summary, content }: Json): string {
  const parts = [summary, content].find((each) => Array.isArray(each) && each.length > 0)
  return Array.isArray(parts) ? parts.filter((part) => typeof part === 'string').join('\n\n') : ''
}

const unknown = (message: Json): AgentEvent[] => {
  const { value, missingBytes } = cutJson(message)
  return [raw(value, missingBytes)]
}

function raw(value: unknown, missingBytes = 0): AgentEvent {
  return missingBytes === 0 ? { type: 'raw', raw: value } : { type: 'raw', raw: value, missingBytes }
}
