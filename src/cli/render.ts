/** Events as a person reads them. Pure but for colour. */

import type { Damage } from '../log/read.js'
import { meaningOf, nextStep, type Whose } from '../session/cause.js'
import type { Loose } from '../session/life.js'
import { asked } from './question.js'
import { type Colour, harmless, inWords, oneLine, paint, spelled } from './terminal.js'

const RESULT_LINES = 6
/** The most of a message that is shown, in characters. */
const MESSAGE_LENGTH = 2000

/**
 * The text of one event, with its newline; undefined for what a person need not see.
 * @param whose of which session; what to do about its end is said where that is known
 */
export function render(event: Loose, whose?: Whose): string | undefined {
  const type = inWords(event.type)
  // A file may hold any word there, such as the names that every object has.
  return Object.hasOwn(renderers, type) ? renderers[type]?.(event, whose) : undefined
}

/** The same for events as they come: what is streamed shows at once, and the whole block adds what is missing. */
export class LiveRenderer {
  /** Of the block that is being streamed. */
  #streamed = ''
  /** The last line has not ended. */
  #isOpen = false

  render(event: Loose, whose?: Whose): string | undefined {
    const { type, partial, delta, content } = event
    const words = type === 'text' || type === 'thinking'
    if (words && partial === true && Array.isArray(delta)) {
      // An agent's runner has written texts; somebody by hand may have written anything.
      const text = delta.map(inWords).join('')
      this.#streamed += text
      this.#isOpen = true
      return this.#paint(type, text)
    }
    const shown = this.#streamed
    if (words && typeof content === 'string' && shown !== '') {
      this.#streamed = ''
      const rest = content.startsWith(shown) ? content.slice(shown.length) : undefined
      if (rest === '') return this.#close('')
      if (rest !== undefined) {
        this.#isOpen = false
        return `${this.#paint(type, rest)}\n`
      }
    }
    const text = render(event, whose)
    if (type === 'turn_ended') this.#streamed = ''
    // What nobody sees does not break off what is streamed.
    return text === undefined ? undefined : this.#close(text)
  }

  #close(text: string): string {
    const end = this.#isOpen ? '\n' : ''
    this.#isOpen = false
    return `${end}${text}`
  }

  #paint(type: string, text: string): string {
    return type === 'thinking' ? paint(harmless(text), 'dim') : harmless(text)
  }
}

const note = (sign: string, colour: Colour, text: string): string => `${paint(sign, colour)} ${paint(text, 'dim')}\n`

/** What cannot be read, and where it stands. */
export const damageNote = ({ at, length }: Damage): string =>
  note('✗', 'red', `${length} bytes at ${at} are damaged and were left out`)
const string = (value: unknown): string => harmless(inWords(value))

const decided = new Map<unknown, string>([
  ['allow', 'allowed'],
  ['allow_always', 'allowed, and the like of it until the session ends,'],
  ['deny', 'denied'],
])

/** Where it is not what everybody expects. */
const delivered = new Map<unknown, string>([
  ['queued', 'the message that waited is handed over'],
  ['steered', 'the message is handed over while the turn runs'],
])

const renderers: Record<string, (event: Loose, whose?: Whose) => string | undefined> = {
  text: ({ partial, content, stream }) => {
    if (partial) return undefined
    const text = harmless(string(content))
    return `${stream === 'stderr' ? paint(text, 'yellow') : text}\n`
  },
  thinking: ({ partial, content }) => (partial ? undefined : `${paint(harmless(string(content)), 'dim')}\n`),
  tool_use: ({ tool, input }) => `${paint('●', 'cyan')} ${paint(harmless(string(tool)), 'bold')} ${target(input)}\n`,
  tool_result: ({ content, isError }) => {
    const lines = harmless(string(content)).trimEnd().split('\n')
    const more = lines.length - RESULT_LINES
    const shown = lines.slice(0, RESULT_LINES).map((line) => `  ${line}`)
    if (more > 0) shown.push(`  … ${more} more lines`)
    return `${paint(shown.join('\n'), isError ? 'red' : 'dim')}\n`
  },
  user_message: ({ content, by }) =>
    by === 'daemon' ? note('>', 'blue', string(content)) : `${paint('>', 'bold')} ${beginning(string(content))}\n`,
  message_sent: ({ delivery, messageId }) => {
    const how = messageId === 'prompt' ? undefined : delivered.get(delivery)
    return how === undefined ? undefined : note('>', 'blue', how)
  },
  turn_ended: ({ reason, error }) => {
    if (reason === 'completed') return undefined
    const how = reason === 'failed' ? 'the turn failed' : 'the turn was interrupted'
    return note('✗', 'red', error === undefined || error === how ? how : `${how}: ${string(error)}`)
  },
  stalled: ({ seconds }) => note('…', 'yellow', `the agent has said nothing for ${string(seconds)} s`),
  stall_ended: () => note('…', 'yellow', 'the agent speaks again'),
  plan: ({ entries }) => note('☰', 'blue', `plan: ${oneLine(string(entries), 200)}`),
  system: ({ content }) => note('·', 'blue', harmless(string(content))),
  error: ({ content }) => `${paint('✗', 'red')} ${harmless(string(content))}\n`,
  // Whoever answers has to see all of it, as it is.
  approval_request: ({ requestId, tool, input, title }) => {
    const what = spelled(asked({ tool, input, title }))
    return `${paint('?', 'yellow', 'bold')} ${paint('wants', 'bold')} ${what} ${paint(`(request ${string(requestId)})`, 'dim')}\n`
  },
  approval_response: ({ decision, by, via, reason }) =>
    note(
      '!',
      'yellow',
      harmless(
        `${decided.get(decision) ?? string(decision)} by ${by === undefined ? 'hand' : string(by)}${via ? ` (${string(via)})` : ''}${reason ? `: ${string(reason)}` : ''}`,
      ),
    ),
  approval_voided: ({ why }) => note('!', 'yellow', `the question is void: ${harmless(string(why))}`),
  input_request: ({ requestId, question, options }) => {
    const offered = Array.isArray(options) ? ` [${options.map(inWords).join(', ')}]` : ''
    return `${paint('?', 'yellow', 'bold')} ${spelled(`${inWords(question)}${offered}`)} ${paint(`(request ${string(requestId)})`, 'dim')}\n`
  },
  input_response: ({ content }) => note('!', 'yellow', `answered: ${string(content)}`),
  cancel_requested: () => note('■', 'magenta', 'cancel requested'),
  daemon_started: ({ epoch }) =>
    typeof epoch === 'number' && epoch > 1
      ? note('↻', 'yellow', `a daemon runs again (start ${string(epoch)})`)
      : undefined,
  daemon_exited: ({ result, code, status }) =>
    result === 'success'
      ? undefined
      : note(
          '↯',
          'red',
          `the daemon ended: ${string(result)}${code ? `, ${string(code)}` : ''}${status === undefined ? '' : ` ${string(status)}`}`,
        ),
  session_frozen: () => note('❄', 'blue', 'it is frozen'),
  session_thawed: () => note('❄', 'blue', 'it goes on'),
  session_queued: () => note('…', 'blue', 'it waits for its turn: as many sessions run as may'),
  session_completed: ({ metadata }) => note('✔', 'green', `completed${took(metadata)}`),
  session_failed: ({ error, cause }, whose) =>
    `${paint('✗', 'red')} failed: ${harmless(string(error))}\n${advice((cause as Loose | undefined)?.result, whose)}`,
  session_cancelled: ({ cause }) => {
    const { result, message } = (cause ?? {}) as Loose
    const why = result === 'cancelled' || message === undefined ? '' : `: ${string(message)}`
    return note('■', 'magenta', `cancelled${why}`)
  },
  session_interrupted: ({ cause }, whose) => {
    const { result, message } = (cause ?? {}) as Loose
    const why = message ?? meaningOf(result)?.says ?? result
    return `${paint('✗', 'red')} interrupted: ${harmless(string(why))}\n${advice(result, whose)}`
  },
}

/** What to do about a cause, where the word is known. */
function advice(word: unknown, whose: Whose | undefined): string {
  const meaning = meaningOf(word)
  return meaning === undefined || whose === undefined ? '' : `  ${paint(nextStep(meaning, whose), 'dim')}\n`
}

/** Whoever said it knows the rest. */
function beginning(text: string): string {
  const more = text.length - MESSAGE_LENGTH
  return more <= 0 ? text : `${text.slice(0, MESSAGE_LENGTH)}… and ${more} more characters`
}

/** What a tool is aimed at: its most telling argument. */
function target(input: unknown): string {
  if (input === null || typeof input !== 'object') return paint(oneLine(string(input ?? ''), 160), 'dim')
  const fields = input as Loose
  const telling = ['command', 'cmd', 'file_path', 'path', 'pattern', 'url', 'query', 'description'].find(
    (key) => typeof fields[key] === 'string',
  )
  return paint(oneLine(telling ? string(fields[telling]) : JSON.stringify(input), 160), 'dim')
}

function took(metadata: unknown): string {
  const { durationMs, costUsd } = (metadata ?? {}) as { durationMs?: unknown; costUsd?: unknown }
  const parts = [
    ...(typeof durationMs !== 'number' ? [] : [`in ${(durationMs / 1000).toFixed(1)} s`]),
    ...(typeof costUsd !== 'number' ? [] : [`for $${costUsd.toFixed(4)}`]),
  ]
  return parts.length === 0 ? '' : ` ${parts.join(' ')}`
}
