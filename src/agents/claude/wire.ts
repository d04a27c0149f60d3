/**
 * What goes to claude: its arguments and the lines of its stdin. Measured with 2.1.197 and 2.1.330; the control protocol
 * is the one of the vendor's SDK, and `--permission-prompt-tool stdio` stands in no help text.
 */
import { createHash } from 'node:crypto'
import { DEFAULT_MODE } from '../../session/mode.js'
import type { Spec } from '../../session/spec.js'
import type { Decision } from '../agent.js'
import { object, objects, text } from '../json.js'

/** Its own names for them are ours. As root it refuses the last one, unless IS_SANDBOX=1. */
export const claudeModes = ['plan', 'dontAsk', 'default', 'acceptEdits', 'bypassPermissions'] as const

/** The prompt is not among them: every user of the machine can read arguments. */
export function claudeArgs(
  spec: Pick<Spec, 'model' | 'permissionMode'>,
  session: readonly ['--session-id' | '--resume', string],
): string[] {
  const streams = ['-p', '--output-format', 'stream-json', '--input-format', 'stream-json', '--verbose']
  const model = spec.model === undefined ? [] : ['--model', spec.model]
  return [
    ...streams,
    '--include-partial-messages',
    // It says each message again, with the uuid that it was given, once the model has answered the first of it.
    '--replay-user-messages',
    ...['--permission-prompt-tool', 'stdio'],
    ...['--permission-mode', spec.permissionMode ?? DEFAULT_MODE],
    ...model,
    ...session,
  ]
}

/**
 * It follows from the session and the start, so that it is known before claude has said it. Another one each time: a history that
 * broke off before its first message can neither be resumed ("No conversation found") nor begun again ("already in use").
 */
export const nativeIdOf = (sessionId: string, start: number): string => uuid(`agentz session ${sessionId} ${start}`)

/** The same for a message: claude's history keeps it, and so tells which messages it had. */
export const uuidOf = (sessionId: string, messageId: string): string => uuid(`agentz message ${sessionId} ${messageId}`)

/** A UUID (RFC 9562, version 8) that follows from a text. */
function uuid(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

export const userMessage = (content: string, uuid: string) => ({
  type: 'user',
  uuid,
  message: { role: 'user', content: [{ type: 'text', text: content }] },
})

export const INITIALIZE = 'initialize'
export const initializeRequest = {
  type: 'control_request',
  request_id: INITIALIZE,
  request: { subtype: 'initialize' },
}

export const MODE = 'mode'
/** The answer holds the mode that it runs in from now on. */
export const modeRequest = (mode: string) => ({
  type: 'control_request',
  request_id: MODE,
  request: { subtype: 'set_permission_mode', mode },
})

export const interruptRequest = (requestId: string) => ({
  type: 'control_request',
  request_id: requestId,
  request: { subtype: 'interrupt' },
})

/** What claude waits for: a permission, or the answer to a question of its own. */
export interface Question {
  readonly requestId: string
  readonly input: unknown
  /** What "always" would mean: the rules for it, else a mode. */
  readonly suggestions: readonly Record<string, unknown>[]
}

/** "Always" holds for this session only: no file of the person's is changed by an answer given here. */
export function answer(question: Question, decision: Decision): object {
  const { requestId, input, suggestions } = question
  if (decision.decision === 'deny') {
    return respond(requestId, {
      behavior: 'deny',
      message: decision.reason ?? 'The user denied this.',
      interrupt: false,
    })
  }
  const allow = { behavior: 'allow', updatedInput: input }
  if (decision.decision === 'allow') return respond(requestId, allow)
  const updatedPermissions = suggestions.map((suggestion) => ({ ...suggestion, destination: 'session' }))
  return respond(requestId, { ...allow, updatedPermissions })
}

/** The tool AskUserQuestion takes its answers as a part of its input: the text of each question, and what was said to it. */
export function answerQuestion({ requestId, input }: Question, content: string): object {
  const questions = objects(object(input).questions)
  const answers = Object.fromEntries(questions.map(({ question }) => [text(question), content]))
  return respond(requestId, { behavior: 'allow', updatedInput: { ...object(input), answers } })
}

/** Without an answer claude would wait for ever. */
export const refusal = (requestId: string, error: string) => ({
  type: 'control_response',
  response: { subtype: 'error', request_id: requestId, error },
})

function respond(requestId: string, response: object): object {
  return { type: 'control_response', response: { subtype: 'success', request_id: requestId, response } }
}
