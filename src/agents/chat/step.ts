/**
 * One call of the model. The tools that it is offered cannot be run by the library: between its answer and what is done about it, the
 * answer goes to the disk, which the library's own loop has no place for.
 */
import { randomInt } from 'node:crypto'
import { type ModelMessage, streamText, type TextStreamPart, type ToolSet, tool } from 'ai'
import { reason } from '../../base/errors.js'
import { isObject } from '../json.js'
import type { Model } from './model.js'
import type { Call } from './records.js'
import type { ChatTool } from './tools/tool.js'

/** After the first try; of calls that the model's server has refused for being busy, or that did not get there. */
const RETRIES = 2
/** What some servers insist on for ids: nine letters or digits. */
const ID_LENGTH = 9

export interface Question {
  readonly model: Model
  readonly system: string
  readonly messages: ModelMessage[]
  readonly tools: readonly ChatTool[]
  readonly signal: AbortSignal
  onText(delta: string): Promise<void>
  onThought(delta: string): Promise<void>
}

export interface Usage {
  input: number
  output: number
  cached: number
}

export interface Answer {
  text: string
  readonly calls: Call[]
  usage: Usage
  /** Why the model has stopped, in the words of the library. */
  finish: string
  /** What broke the answer off; what came before counts all the same. */
  error?: unknown
}

/** @returns what was said, also if it broke off, or was stopped */
export async function ask(question: Question): Promise<Answer> {
  const { model, system, messages, signal } = question
  const answer: Answer = { text: '', calls: [], usage: { input: 0, output: 0, cached: 0 }, finish: '' }
  const { fullStream } = streamText({
    ...{ model, system, messages, abortSignal: signal, maxRetries: RETRIES },
    tools: offered(question.tools),
    // It is a part of the stream, too; without this it is written to stderr, with the whole request.
    onError: () => undefined,
  })
  try {
    for await (const part of fullStream) await take(part, question, answer)
  } catch (error) {
    // What stops the stream is told by its parts, or by the signal; what breaks it comes this way.
    if (!signal.aborted) answer.error = error
  }
  return answer
}

async function take(part: TextStreamPart<ToolSet>, { onText, onThought }: Question, answer: Answer): Promise<void> {
  switch (part.type) {
    case 'text-delta':
      answer.text += part.text
      return onText(part.text)
    case 'reasoning-delta':
      return onThought(part.text)
    case 'tool-call':
      answer.calls.push(callOf(part))
      return
    case 'finish-step': {
      const { inputTokens = 0, outputTokens = 0, inputTokenDetails } = part.usage
      answer.usage = { input: inputTokens, output: outputTokens, cached: inputTokenDetails.cacheReadTokens ?? 0 }
      answer.finish = part.finishReason
      return
    }
    case 'error':
      // A line that was torn is an error, too; the one that tore it comes after it.
      answer.error = part.error
      return
    default:
    // Beginnings and ends, and what these tools do not have.
  }
}

const offered = (tools: readonly ChatTool[]): ToolSet =>
  Object.fromEntries(tools.map(({ name, description, input }) => [name, tool({ description, inputSchema: input })]))

interface Part {
  readonly toolName: string
  readonly input: unknown
  readonly invalid?: boolean | undefined
  readonly error?: unknown
}

/** Servers want an object for the input, also of a call that was none. */
function callOf({ toolName: name, input, invalid, error }: Part): Call {
  const call = { id: newId(), name, input: isObject(input) ? input : {} }
  return invalid ? { ...call, invalid: reason(error) } : call
}

function newId(): string {
  const signs = '0123456789abcdefghijklmnopqrstuvwxyz'
  return Array.from({ length: ID_LENGTH }, () => signs[randomInt(signs.length)]).join('')
}
