/** The terminal event of a run, for each way in which it can end. Pure. */
import type { Outcome } from '../agents/agent.js'
import { knownCause, type ReadCause } from '../session/cause.js'
import type { Cause, Metadata } from '../session/events.js'
import type { LifeEvent } from '../session/lifecycle.js'
import { fitting } from '../session/metadata.js'
import type { Spec } from '../session/spec.js'
import type { Verdict } from './verdict.js'

type Session = Pick<Spec, 'sessionId'>

/** Of a conversation, with what it did. */
export function concluded({ sessionId }: Session, verdict: Verdict, did: Metadata): LifeEvent {
  const metadata = fitting(did)
  switch (verdict.kind) {
    case 'completed':
      return { type: 'session_completed', sessionId, metadata }
    case 'failed':
      return { type: 'session_failed', sessionId, error: verdict.error, cause: verdict.cause, metadata }
    case 'interrupted':
      return { type: 'session_interrupted', sessionId, cause: verdict.cause, metadata }
    case 'cancelled':
      return { type: 'session_cancelled', sessionId, cause: verdict.cause, metadata }
    case 'stopped':
      return { ...cancelled({ sessionId }), metadata }
  }
}

/** Of a program that was run once. */
export function ended({ sessionId }: Session, outcome: Outcome): LifeEvent {
  if (outcome.status === 'completed') {
    return { type: 'session_completed', sessionId, metadata: fitting(outcome.metadata) }
  }
  return { type: 'session_failed', sessionId, error: outcome.error, cause: outcome.cause }
}

export function cancelled({ sessionId }: Session): LifeEvent & { type: 'session_cancelled' } {
  return { type: 'session_cancelled', sessionId, cause: { result: 'cancelled', message: 'cancelled on request' } }
}

/** A cancel came before the end was written. What was cancelled already has its own reason. */
export function insteadOf(end: LifeEvent): LifeEvent {
  if (end.type === 'session_cancelled') return end
  return 'metadata' in end ? { ...cancelled(end), metadata: end.metadata } : cancelled(end)
}

/** The OS ended it by RuntimeMaxSec, and restarts what it ends: the limit would be none. */
export function outOfTime({ sessionId }: Session, seconds: number, cause: ReadCause): LifeEvent {
  return { type: 'session_failed', sessionId, error: `it ran longer than ${seconds} s`, cause: knownCause(cause) }
}

/** @param before why the daemon before has ended, if that is known */
export function notResumed({ sessionId, agentType, restart }: Spec, before: ReadCause | undefined): LifeEvent {
  const how = before === undefined ? 'ended' : `ended (${before.result})`
  const why =
    restart === 'mark'
      ? 'it was created with --restart mark'
      : `the ${agentType} agent cannot go on where it was; --restart rerun would run it again`
  const cause = knownCause({ ...before, result: before?.result ?? 'lost', message: `its daemon ${how}, and ${why}` })
  return { type: 'session_interrupted', sessionId, cause }
}

/** Else the program would be blamed: spawn has one word for both. */
export function nowhere({ sessionId, workingDir }: Spec): LifeEvent {
  const cause: Cause = { result: 'not-found', message: `${workingDir} was there when the session was created` }
  return { type: 'session_failed', sessionId, error: `the working directory ${workingDir} is gone`, cause }
}
