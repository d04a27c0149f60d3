/** What each event does to the state of a session. Pure but for the state itself, which is changed in place. */
import { numberIn, textIn } from '../base/field.js'
import type { Damage } from '../log/read.js'
import { usedUp } from './budget.js'
import { controlTypes, type Decided, type Usage } from './events.js'
import { applyLife, causeOf, epochIn, isPast, type Loose, newLife, textOf } from './life.js'
import { newMessage, PROMPT } from './message.js'
import type { Spec } from './spec.js'
import type { SessionState } from './state.js'
import { isLive, terminalStatuses } from './status.js'

export function newState(created: Loose, spec: Spec, damaged: Damage[] = []): SessionState {
  // A program is run with its prompt; it is not talked with.
  const first = spec.agentType === 'command' ? [] : [newMessage(PROMPT, spec.prompt)]
  return {
    ...newLife(created),
    spec,
    approvals: new Map(),
    inputs: new Map(),
    answered: new Map(),
    voided: new Map(),
    messages: new Map(first.map((each) => [each.messageId, each])),
    cancelRequested: false,
    anew: false,
    exited: 0,
    turns: 0,
    inTurn: false,
    usage: { input: 0, output: 0, cached: 0 },
    turnUsage: { input: 0, output: 0, cached: 0 },
    activeMs: 0,
    workedAt: undefined,
    granted: { turns: 0, cost: 0, tokens: 0, time: 0 },
    events: 0,
    ignored: 0,
    damaged,
    offset: 0,
  }
}

/** Applies one record, in place. */
export function applySession(state: SessionState, record: Loose): void {
  state.events++
  if (isPast(state, record)) return
  // Without a name nobody could answer it.
  const isNameless = requests.has(record.type) && typeof record.requestId !== 'string'
  if (typeof record.type !== 'string' || isNameless) {
    state.ignored++
    return
  }
  countWork(state, record)
  const known = applyLife(state, record)
  // Own ones only: a type may be called "__proto__" or "valueOf".
  if (Object.hasOwn(handlers, record.type)) handlers[record.type]?.(state, record)
  else if (!known && !quiet.has(record.type)) state.ignored++
  if (!isLive(state.status) && record.type !== 'daemon_exited') closeQuestions(state)
  keepWaiting(state)
}

const controls: ReadonlySet<unknown> = new Set([...controlTypes, 'freeze_requested', 'thaw_requested'])
const requests: ReadonlySet<unknown> = new Set(['approval_request', 'input_request'])

/** Known, and without consequence for the state. */
const quiet = new Set([
  'freeze_requested',
  'thaw_requested',
  'session_created',
  'plan',
  'system',
  'error',
  'text',
  'thinking',
  'raw',
  'tool_use',
  'tool_result',
  'status_change',
])

/**
 * The time since the record before belongs to the agent, if it was at work. Of a death that was found later nobody knows when it was.
 * What others append has whatever timestamp they like: it counts for when a wait was over alone, and nowhere else.
 */
function countWork(state: SessionState, { type, by, timestamp }: Loose): void {
  const at = Date.parse(textOf(timestamp))
  const isRunning = state.status === 'running'
  if (controls.has(type)) {
    if (!isRunning) state.workedAt = at >= (state.workedAt ?? at) ? at : undefined
    return
  }
  if (Number.isNaN(at) || type === 'session_recovery') return
  const isWork = type !== 'daemon_started' && (by !== 'supervisor' || type === 'daemon_exited')
  if (state.inTurn && !state.frozen && isRunning && isWork) state.activeMs += Math.max(0, at - (state.workedAt ?? at))
  state.workedAt = at
}

/** An approval that is still open keeps the session waiting, whichever other one was answered; and without one that is open none waits. */
function keepWaiting(state: SessionState): void {
  const { approvals, inputs, status } = state
  const open = status === 'waiting_approval' ? approvals : status === 'waiting_input' ? inputs : undefined
  if (open === undefined ? status !== 'running' : open.size > 0) return
  state.status = approvals.size > 0 ? 'waiting_approval' : inputs.size > 0 ? 'waiting_input' : 'running'
}

/** Nobody waits for an answer once the session has ended. */
function closeQuestions(state: SessionState): void {
  for (const requests of [state.approvals, state.inputs]) {
    for (const requestId of requests.keys()) state.voided.set(requestId, `the session is ${state.status}`)
    requests.clear()
  }
}

const decisions: ReadonlySet<unknown> = new Set<Decided>(['allow', 'allow_always', 'deny'])

const answer = (state: SessionState, requests: Map<string, Loose>, record: Loose): Loose | undefined => {
  const requestId = record.requestId as string
  const request = requests.get(requestId)
  if (requests.delete(requestId)) state.answered.set(requestId, record)
  return request
}

function addUsage(usage: Usage, by: Usage, sign: 1 | -1): Usage {
  const cost = (usage.costUsd ?? 0) + sign * (by.costUsd ?? 0)
  return {
    input: usage.input + sign * by.input,
    output: usage.output + sign * by.output,
    cached: usage.cached + sign * by.cached,
    ...(usage.costUsd === undefined && by.costUsd === undefined ? {} : { costUsd: cost }),
  }
}

const usageIn = ({ input, output, cached, costUsd }: Loose): Usage => ({
  input: numberIn(input) ?? 0,
  output: numberIn(output) ?? 0,
  cached: numberIn(cached) ?? 0,
  ...(numberIn(costUsd) === undefined ? {} : { costUsd: numberIn(costUsd) }),
})

/** What was said to a question of the daemon's own. */
function settleOwn(state: SessionState, { about, subject }: Loose, content: string): void {
  const word = content.trim().toLowerCase()
  if (about === 'budget') {
    if (word === 'stop') state.stopAt = textOf(subject)
    else grant(state, subject, word)
  }
  const undecided = about === 'undecided' ? state.messages.get(textOf(subject)) : undefined
  if (undecided === undefined) return
  if (word === 'send') undecided.sent = false
  if (word === 'skip') undecided.accepted = undecided.answered = true
}

/**
 * As much as was said; or as much again as at first, beyond what is used by now: one turn may have cost several budgets, and nobody
 * wants to be asked once for each. Any other word grants nothing, and it is asked again.
 */
function grant(state: SessionState, subject: unknown, word: string): void {
  const { granted, spec } = state
  if (!Object.hasOwn(granted, textOf(subject))) return
  const budget = subject as keyof typeof granted
  const limit = spec.budget?.[budget] ?? 0
  const over = Math.max(0, usedUp(state)[budget] - limit - granted[budget])
  const amount = word === 'continue' ? over + limit : Number(word)
  if (amount > 0) granted[budget] += amount
}

const handlers: Record<string, (state: SessionState, record: Loose) => void> = {
  daemon_started: (state) => {
    state.stopAt = undefined
    state.stalled = undefined
  },
  daemon_exited: (state, { epoch }) => {
    // The start after it must be one that can be.
    if (typeof epoch === 'number' && epochIn(epoch + 1) !== undefined) state.exited = Math.max(state.exited, epoch)
  },
  turn_started: (state) => {
    state.turns++
    state.inTurn = true
  },
  turn_ended: (state, { reason, error, cause }) => {
    state.inTurn = false
    state.lastTurn = {
      reason: textOf(reason),
      error: textIn(error),
      ...(cause === undefined ? {} : { cause: causeOf(cause) }),
    }
    state.turnUsage = { input: 0, output: 0, cached: 0 }
    for (const each of state.messages.values()) if (each.accepted) each.answered = true
  },
  usage: (state, record) => {
    const used = usageIn(record)
    if (record.scope === 'turn') {
      state.usage = addUsage(state.usage, state.turnUsage, -1)
      state.turnUsage = { input: 0, output: 0, cached: 0 }
    }
    state.usage = addUsage(state.usage, used, 1)
    state.turnUsage = addUsage(state.turnUsage, used, 1)
  },
  stalled: (state, { seconds }) => {
    state.stalled = numberIn(seconds)
  },
  stall_ended: (state) => {
    state.stalled = undefined
  },
  agent_session: (state, { nativeId, permissionMode, anew }) => {
    state.nativeId = textIn(nativeId)
    if (anew === true) state.anew = true
    state.permissionMode = textIn(permissionMode) ?? state.permissionMode
  },
  approval_request: (state, record) => void state.approvals.set(textOf(record.requestId), record),
  approval_response: (state, record) => {
    // Any other word is no answer: an agent could take it for a yes.
    if (decisions.has(record.decision)) answer(state, state.approvals, record)
  },
  approval_voided: (state, { requestId, why }) => {
    for (const requests of [state.approvals, state.inputs]) {
      if (requests.delete(requestId as string)) state.voided.set(requestId as string, textOf(why))
    }
  },
  input_request: (state, record) => void state.inputs.set(textOf(record.requestId), record),
  input_response: (state, record) => {
    if (typeof record.content !== 'string') return
    const request = answer(state, state.inputs, record)
    if (request !== undefined) settleOwn(state, request, record.content)
  },
  user_message: (state, { messageId, content, interrupt }) => {
    // Anybody may append one, and what is not a message must not be sent.
    if (typeof messageId !== 'string' || typeof content !== 'string') return
    const how = { interrupt: interrupt === true, waited: state.inTurn }
    if (!state.messages.has(messageId)) state.messages.set(messageId, newMessage(messageId, content, how))
  },
  message_sent: (state, { messageId }) => {
    const sent = state.messages.get(messageId as string)
    if (sent !== undefined) sent.sent = true
  },
  message_accepted: (state, { messageId }) => {
    const accepted = state.messages.get(messageId as string)
    if (accepted !== undefined) accepted.accepted = accepted.sent = true
    state.anew = false
  },
  cancel_requested: (state) => {
    state.cancelRequested = true
  },
  ...Object.fromEntries(
    terminalStatuses.map((status) => [
      `session_${status}`,
      (state: SessionState) => {
        state.cancelRequested = false
      },
    ]),
  ),
}
