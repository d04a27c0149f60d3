/** The fold of a session without a file: for tests that ask what events mean. */
import { applySession, newState } from '../../src/session/apply.js'
import type { Loose } from '../../src/session/life.js'
import type { Spec } from '../../src/session/spec.js'
import type { SessionState } from '../../src/session/state.js'

export const ID = '0123456789ab'
/** Every event of a fold is a second later than the one before it, unless it says when it was. */
const BEGIN = Date.parse('2026-01-01T00:00:00.000Z')
export const at = (seconds: number): string => new Date(BEGIN + seconds * 1000).toISOString()

export const started = (epoch = 1) => ({ type: 'daemon_started', by: 'daemon', epoch, pid: 1, unit: 'u', bootId: 'b' })
export const ask = (requestId: string, more: object = {}) => ({
  type: 'approval_request',
  requestId,
  tool: 'Bash',
  input: {},
  ...more,
})
export const approve = (requestId: string, decision = 'allow') => ({ type: 'approval_response', requestId, decision })
export const turn = (number: number) => ({ type: 'turn_started', turn: number })
export const turnEnd = (number: number, reason = 'completed', more: object = {}) => ({
  type: 'turn_ended',
  turn: number,
  reason,
  ...more,
})
export const message = (messageId: string, more: object = {}) => ({
  type: 'user_message',
  messageId,
  content: `say ${messageId}`,
  ...more,
})
export const sent = (messageId: string) => ({ type: 'message_sent', messageId, delivery: 'new' })
export const accepted = (messageId: string) => ({ type: 'message_accepted', messageId })
/** The daemon's own question. */
export const budgetQuestion = (subject: string, requestId = 'budget-1-1') => ({
  type: 'input_request',
  requestId,
  question: 'Go on?',
  options: ['continue', 'stop'],
  about: 'budget',
  subject,
})
export const reply = (requestId: string, content: unknown) => ({ type: 'input_response', requestId, content })

/** The state after line 1 and these events. */
export function foldOf(events: readonly object[], spec: Partial<Spec> = {}): SessionState {
  const full: Spec = {
    sessionId: ID,
    agentType: 'claude',
    prompt: 'p',
    title: 't',
    workingDir: '/',
    restart: 'resume',
    umask: '0022',
    createdAt: at(0),
    ...spec,
  }
  const state = newState({ type: 'session_created', timestamp: at(0), by: 'user' }, full)
  events.forEach((event, index) => {
    applySession(state, { timestamp: at(index + 1), ...event } as Loose)
  })
  return state
}

/** How far a message has come. */
export function standing(state: SessionState, messageId: string): string {
  const { sent = false, accepted = false, answered = false } = state.messages.get(messageId) ?? {}
  return Object.entries({ sent, accepted, answered })
    .flatMap(([word, is]) => (is ? [word] : []))
    .join(' ')
}
