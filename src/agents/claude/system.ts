/** The `system` lines of claude that are worth telling, in words. */
import type { AgentEvent } from '../../session/events.js'
import { cut } from '../cut.js'
import { type Json, number, string } from '../json.js'

/** @returns undefined for a subtype that is not known here */
export function systemEvents(message: Json): AgentEvent[] | undefined {
  switch (message.subtype) {
    case 'status':
      return message.status === 'compacting' ? [tell('the conversation is being compacted')] : []
    case 'thinking_tokens':
    case 'task_progress':
    case 'task_updated':
      return []
    case 'api_retry':
      return [tell(retry(message))]
    case 'compact_boundary':
      return [tell('the conversation was compacted')]
    case 'task_started':
      return [tell(`a background task has started: ${string(message.description) ?? 'without a description'}`)]
    case 'task_notification':
      return [tell(`a background task: ${string(message.summary) ?? string(message.status) ?? 'without a word'}`)]
    default:
      return undefined
  }
}

const tell = (content: string): AgentEvent => ({ type: 'system', ...textOf(content) })

function textOf(content: string): { content: string } {
  return { content: cut(content).content }
}

function retry(message: Json): string {
  const status = number(message.error_status)
  const what = [status === undefined ? 'no answer' : `HTTP ${status}`, string(message.error)].filter(Boolean).join(', ')
  const seconds = ((number(message.retry_delay_ms) ?? 0) / 1000).toFixed(1)
  return `the model failed (${what}); try ${number(message.attempt) ?? '?'} of ${number(message.max_retries) ?? '?'} follows in ${seconds} s`
}
