/** What codex asks a person, as events; and what a person answers, in codex's words. */
import type { AgentEvent, Decided } from '../../session/events.js'
import { cut, cutJson, short, TEXT_BUDGET } from '../cut.js'
import { type Json, object, objects, string, text } from '../json.js'
import { type FormField, fieldsOf, filledIn } from './form.js'

const HALF = TEXT_BUDGET / 2

const kinds = {
  'item/commandExecution/requestApproval': 'command',
  'item/fileChange/requestApproval': 'change',
  'item/permissions/requestApproval': 'permissions',
  'item/tool/requestUserInput': 'questions',
  'mcpServer/elicitation/request': 'elicitation',
} as const

export interface Question {
  /** Of the request that waits for the answer. */
  readonly id: unknown
  readonly kind: (typeof kinds)[keyof typeof kinds]
  readonly params: Json
}

/** @returns undefined for a request that nobody here can serve */
export function questionOf(method: string, id: unknown, params: Json): Question | undefined {
  return Object.hasOwn(kinds, method) ? { id, kind: kinds[method as keyof typeof kinds], params } : undefined
}

/** @param changes what the change is that is asked about; the request itself does not tell */
export function asked(requestId: string, { kind, params }: Question, changes: unknown): AgentEvent {
  const { command, cwd, reason, grantRoot, permissions } = params
  switch (kind) {
    case 'command': {
      const network = params.networkApprovalContext ?? undefined
      const input = { command, cwd, ...given({ reason, network }) }
      const always = 'In this session: this very command'
      return approval(requestId, 'commandExecution', input, params, reason ?? plainCommand(params), always)
    }
    case 'change': {
      const input = { changes, ...given({ reason, grantRoot }) }
      return approval(requestId, 'fileChange', input, params, reason, 'In this session: changes of these files')
    }
    case 'permissions':
      return approval(requestId, kind, { permissions, cwd }, params, reason, 'For the whole session')
    case 'questions':
      return questionsEvent(requestId, params)
    case 'elicitation':
      return isApproval(params) ? toolApproval(requestId, params) : formEvent(requestId, params)
  }
}

function approval(requestId: string, tool: string, input: object, { itemId }: Json, title: unknown, always?: string) {
  return {
    type: 'approval_request' as const,
    requestId,
    tool: short(tool),
    input: cutJson(input, HALF).value,
    ...(typeof title === 'string' && { title: short(title) }),
    ...(typeof itemId === 'string' && { toolId: short(itemId) }),
    options: [
      { decision: 'allow' as const, label: 'Allow' },
      ...(always === undefined ? [] : [{ decision: 'allow_always' as const, label: always }]),
      // A reason has no place in any of its answers.
      { decision: 'deny' as const, label: 'Deny' },
    ],
  }
}

/** The command without the shell that runs it. */
const plainCommand = ({ commandActions }: Json) =>
  objects(commandActions)
    .map(({ command }) => text(command))
    .join(' | ') || undefined

/** An MCP server asks by a form; codex itself does too, with an empty one, before it calls a server's tool. */
const isApproval = ({ mode, requestedSchema }: Json) => mode !== 'url' && fieldsOf(requestedSchema).length === 0

function toolApproval(requestId: string, params: Json): AgentEvent {
  const { tool_name: tool, tool_params: input, persist } = object(params._meta)
  const name = [params.serverName, tool].filter((part) => typeof part === 'string').join('.')
  const keeps = Array.isArray(persist) && persist.includes('session')
  return approval(requestId, name, object(input), {}, params.message, keeps ? 'In this session' : undefined)
}

function questionsEvent(requestId: string, params: Json): AgentEvent {
  const questions = objects(params.questions)
  const question = cut(questions.map((each) => text(each.question)).join('\n'), HALF).content
  const options = objects(questions.length === 1 ? questions[0]?.options : undefined)
  const labels = options.slice(0, 100).map(({ label }) => short(text(label)))
  return { type: 'input_request', requestId, question, ...(labels.length > 0 && { options: labels }) }
}

function formEvent(requestId: string, { message, url, mode, requestedSchema, serverName }: Json): AgentEvent {
  const lines = [`${text(serverName)}: ${text(message)}`]
  if (mode === 'url') lines.push(text(url), 'Answer "accept" when it is done, or "decline".')
  else lines.push(hint(fieldsOf(requestedSchema)))
  return { type: 'input_request', requestId, question: cut(lines.join('\n'), HALF).content }
}

const hint = (fields: readonly FormField[]) =>
  fields.length === 1
    ? `Answer with ${fields[0]?.name}, or "decline".`
    : `Answer with JSON of ${fields.map(({ name }) => name).join(', ')}, or "decline".`

const given = (fields: Json) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))

/** "Always" holds for this session only: codex could also write a rule into the person's files, which nobody asked for. */
export function decisionOn({ kind, params }: Question, decision: Decided): object {
  const allows = decision !== 'deny'
  const always = decision === 'allow_always'
  switch (kind) {
    case 'command':
    case 'change':
      return { decision: allows ? (always ? 'acceptForSession' : 'accept') : 'decline' }
    case 'permissions':
      return { permissions: allows ? given(object(params.permissions)) : {}, scope: always ? 'session' : 'turn' }
    case 'questions':
      return { answers: {} }
    case 'elicitation': {
      const _meta = always ? { persist: 'session' } : null
      return allows ? { action: 'accept', content: {}, _meta } : { action: 'decline', content: null, _meta: null }
    }
  }
}

/** The answer to questions; to a request for an approval only "decline" is one, and everything else allows nothing. */
export function answerTo(question: Question, content: string): object {
  const { kind, params } = question
  if (kind === 'questions') {
    const ids = objects(params.questions).map(({ id }) => string(id) ?? '')
    return { answers: Object.fromEntries(ids.map((id) => [id, { answers: [content] }])) }
  }
  if (kind !== 'elicitation' || isApproval(params) || content.trim() === 'decline') return decisionOn(question, 'deny')
  const filled = params.mode === 'url' ? {} : filledIn(fieldsOf(params.requestedSchema), content)
  return { action: 'accept', content: filled, _meta: null }
}
