/** What codex says about itself and its turns, in words. */
import type { AgentEvent, Cause } from '../../session/events.js'
import { blame } from '../blame.js'
import { cut, short } from '../cut.js'
import { type Json, object, objects, parseObject, string, text } from '../json.js'

/** An error may be long (a whole HTTP answer); as a sentence it is not. */
const ERROR_BUDGET = 16 * 1024
/** So many steps of a plan fit into a log line, whatever they hold. */
const MOST_STEPS = 50

export const tell = (content: string): AgentEvent => ({ type: 'system', content: cut(content).content })

export function errorEvent({ error, willRetry }: Json): AgentEvent {
  const failure = failureOf(object(error))
  if (willRetry !== true) return { type: 'error', content: failure.error, cause: failure.cause }
  const { message, additionalDetails } = object(error)
  const why = string(additionalDetails)
  return tell(`the model failed, and codex tries again: ${[why, string(message)].filter(Boolean).join(' - ')}`)
}

type TurnEnd = { reason: 'completed' } | { reason: 'interrupted' | 'failed'; error: string; cause: Cause }

export function turnEnd({ status, error }: Json): TurnEnd {
  if (status === 'completed') return { reason: 'completed' }
  if (status === 'failed') return { reason: 'failed', ...failureOf(object(error)) }
  const why = 'the turn was interrupted'
  return { reason: 'interrupted', error: why, cause: { result: 'agent', message: why } }
}

/** The HTTP status stands in the kind of the error; where the provider gave JSON, the message is that JSON. */
function failureOf({ message, codexErrorInfo }: Json): { error: string; cause: Cause } {
  const text = string(message) ?? 'codex gave no reason'
  const inner = object(parseObject(text)?.error)
  const error = cut(string(inner.message) ?? text, ERROR_BUDGET).content
  const info = object(codexErrorInfo)
  const status = objects(Object.values(info))[0]?.httpStatusCode
  const kinds = [codexErrorInfo, ...Object.keys(info), inner.code, inner.type]
  return { error, cause: blame({ message: error, status, kinds }) }
}

/** A plan in the words that ACP has for one, which are those of the other agents. */
export function planEvent({ plan }: Json): AgentEvent {
  const entries = objects(plan).map(({ step, status }) => ({
    content: cut(text(step), ERROR_BUDGET).content,
    status: status === 'inProgress' ? 'in_progress' : short(text(status)),
  }))
  return { type: 'plan', entries: entries.slice(0, MOST_STEPS) }
}

/** @returns undefined for news of another kind */
export function warningOf(method: string, params: Json): string | undefined {
  switch (method) {
    case 'warning':
    case 'guardianWarning':
    case 'modelProvider/authRecoveryStarted':
      return string(params.message)
    case 'configWarning':
    case 'deprecationNotice':
      return [params.summary, params.details, params.path].filter((part) => typeof part === 'string').join(' ')
    case 'model/rerouted':
      return `the model ${text(params.toModel)} answers in the place of ${text(params.fromModel)}`
    default:
      return undefined
  }
}
