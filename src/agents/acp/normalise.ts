/**
 * The updates of an agent as events. Pure but for its memory of what is open. What comes before the first prompt is history, and
 * is not told again; what the person has said there is kept, to find out whether a message was received.
 */
import type { AgentEvent } from '../../session/events.js'
import { Book } from '../book.js'
import { cut, cutJson, short, TEXT_BUDGET } from '../cut.js'
import { type Json, object, string } from '../json.js'
import { blockText } from './content.js'
import type { Form } from './elicitation.js'
import type { Permission } from './permission.js'
import type { Profile } from './profile.js'
import type { AcpSession } from './session.js'
import { inputOf, Tools } from './tools.js'
import { Costs, type TurnEnd } from './turn.js'

export type Answer = (response: object) => void

/** A question that is open, and how it is answered. */
export interface Question {
  readonly asks: Permission | Form
  /** The tool that waits for it. */
  readonly toolId: string | undefined
  readonly answer: Answer
}

/** A question that is told, and by which id. */
interface Asked {
  readonly requestId: string
  readonly events: AgentEvent[]
}

interface Options {
  readonly turns: number
  readonly isNew: boolean
  /** Questions that an earlier process has asked, and this one will ask again. */
  readonly open: ReadonlySet<string>
}

type Block = 'text' | 'thinking'

export class AcpNormaliser {
  readonly book: Book<Question>
  readonly tools: Tools<Question>
  /** What the person has said, as the history tells it. */
  readonly said: { messageId: string | undefined; text: string }[] = []
  readonly #profile: Profile
  readonly #session: AcpSession
  readonly #costs: Costs
  readonly #kept: Set<string>
  readonly #open = new Set<string>()
  #phase: 'history' | 'prompted' | 'idle' = 'history'
  #block: { type: Block; messageId: string | undefined; pieces: string[]; size: number } | undefined

  constructor(profile: Profile, session: AcpSession, { turns, isNew, open }: Options) {
    this.book = new Book(turns)
    this.tools = new Tools(profile, this.book, open)
    this.#profile = profile
    this.#session = session
    this.#costs = new Costs(isNew)
    this.#kept = new Set(open)
  }

  /** A prompt goes out: from here on the agent speaks of it. */
  prompted(): void {
    this.#phase = 'prompted'
  }

  /** The agent answers the prompt, by whatever it says: so it has it. */
  heard(): AgentEvent[] {
    return this.#phase === 'prompted' ? this.book.startTurn() : []
  }

  update(update: Json): AgentEvent[] {
    if (this.#session.hear(update)) return this.#phase === 'history' ? [] : this.#session.news()
    const { sessionUpdate: kind } = update
    if (kind === 'usage_update') {
      this.#costs.hear(update)
      return []
    }
    if (this.#phase === 'history') {
      if (kind === 'user_message_chunk') this.#remember(update)
      return []
    }
    if (this.#phase === 'idle') return raw(update)
    return [...this.heard(), ...this.#ofTurn(update)]
  }

  /** @param own undefined: the id is that of the tool call, which stays the same in the next process */
  permission(params: Json, asks: Permission, answer: Answer, own?: string): Asked {
    const tool = object(params.toolCall)
    const requestId = own ?? short(string(tool.toolCallId) ?? '')
    const isKept = this.#kept.delete(requestId)
    const before = [...this.heard(), ...this.#flush()]
    const { call, events } = this.tools.asked(tool)
    this.ask(requestId, { asks, toolId: call.toolId, answer })
    if (isKept) return { requestId, events: [...before, ...events] }
    const title = string(tool.title)
    const request: AgentEvent = {
      type: 'approval_request',
      requestId,
      tool: this.tools.nameOf(call),
      input: inputOf(call).value,
      ...(title === undefined ? {} : { title: short(title) }),
      ...(call.toolId === '' ? {} : { toolId: call.toolId }),
      options: asks.options,
    }
    return { requestId, events: [...before, ...events, request] }
  }

  elicitation(asks: Form, answer: Answer, requestId: string): Asked {
    this.ask(requestId, { asks, toolId: undefined, answer })
    const { question, options } = asks
    const request = { type: 'input_request' as const, requestId, question }
    const events = [...this.heard(), ...this.#flush(), options === undefined ? request : { ...request, options }]
    return { requestId, events }
  }

  /** Takes out the question that an answer is for. */
  take(requestId: string): Question | undefined {
    this.#open.delete(requestId)
    return this.book.take(requestId)
  }

  ask(requestId: string, question: Question): void {
    this.#open.add(requestId)
    this.book.ask(requestId, question)
  }

  /** Takes out all that is asked. */
  takeAll(): (readonly [string, Question])[] {
    return [...this.#open].flatMap((requestId) => {
      const question = this.take(requestId)
      return question === undefined ? [] : [[requestId, question] as const]
    })
  }

  /** The turn is over. @param answer of its prompt; empty if there was none */
  ended(end: TurnEnd, answer: Json): AgentEvent[] {
    const events = [...this.heard(), ...this.#flush(), ...this.tools.close(), ...this.#costs.ofTurn(answer)]
    this.#phase = 'idle'
    this.#open.clear()
    const lost = [...this.#kept].map((requestId): AgentEvent => {
      return { type: 'approval_voided', requestId, why: 'the agent has not asked it again' }
    })
    this.#kept.clear()
    return [...events, ...lost, ...this.book.endTurn(end)]
  }

  /** The process is gone. @param keeps whether its questions stay open, and the tools that wait for them */
  died(end: TurnEnd, keeps: boolean): AgentEvent[] {
    const events = [...this.#flush(), ...this.tools.close()]
    for (const [, { toolId }] of keeps ? this.takeAll() : []) {
      if (toolId !== undefined) this.book.toolResult(toolId)
    }
    return [...events, ...(this.book.inTurn ? this.#costs.ofTurn({}) : []), ...this.book.endTurn(end)]
  }

  #ofTurn(update: Json): AgentEvent[] {
    switch (update.sessionUpdate) {
      case 'agent_message_chunk':
        return this.#chunk('text', update)
      case 'agent_thought_chunk':
        return this.#chunk('thinking', update)
      // The person's own words.
      case 'user_message_chunk':
        return []
      case 'tool_call':
      case 'tool_call_update':
        return [...this.#flush(), ...this.tools.update(update)]
      case 'plan': {
        const { value } = cutJson(update.entries ?? [])
        return [...this.#flush(), { type: 'plan', entries: Array.isArray(value) ? value : [value] }]
      }
      default:
        return [...this.#flush(), ...raw(update)]
    }
  }

  #chunk(type: Block, update: Json): AgentEvent[] {
    const piece = blockText(object(update.content))
    const messageId = string(update.messageId)
    if (piece === '') return []
    const size = Buffer.byteLength(JSON.stringify(piece))
    const before = this.#block
    const isSame = before?.type === type && before.messageId === messageId && before.size + size <= TEXT_BUDGET
    const events = isSame ? [] : this.#flush()
    this.#block ??= { type, messageId, pieces: [], size: 0 }
    this.#block.pieces.push(piece)
    this.#block.size += size
    return [...events, { type, partial: true, delta: [piece] }]
  }

  /** The block that has come to its end, whole. */
  #flush(): AgentEvent[] {
    const block = this.#block
    this.#block = undefined
    return block === undefined ? [] : [{ type: block.type, ...cut(block.pieces.join('')) }]
  }

  #remember(update: Json): void {
    const [text, messageId] = [blockText(object(update.content)), string(update.messageId)]
    if (this.#profile.notSaid?.test(text) === true) return
    const last = this.said.at(-1)
    if (last !== undefined && messageId !== undefined && last.messageId === messageId) last.text += text
    else this.said.push({ messageId, text })
  }
}

function raw(update: unknown): AgentEvent[] {
  const { value, missingBytes } = cutJson(update)
  return [missingBytes === undefined ? { type: 'raw', raw: value } : { type: 'raw', raw: value, missingBytes }]
}
