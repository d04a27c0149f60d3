/** Cancelling a session, whoever asks: an event for its daemon; where none lives, the end is written here. */
import type { Home } from '../base/paths.js'
import { withLock } from '../log/lock.js'
import { appendControl } from '../session/control.js'
import type { Cause } from '../session/events.js'
import { isOver } from '../session/life.js'
import { appendLifecycle } from '../session/lifecycle.js'
import { readSession, type SessionState } from '../session/state.js'
import { isLive, type Status } from '../session/status.js'
import { unitState } from './fleet.js'
import { thawSession } from './freeze.js'
import type { Supervisor } from './supervisor.js'
import { carries } from './truth.js'

export interface Cancelled {
  /** The address of cancel_requested, if it was appended. */
  readonly offset?: number
  readonly status: Status
  /** False: the session had ended before, and nothing was done. */
  readonly done: boolean
}

/**
 * Asks a session to end. Resolves when that is on disk and its daemon was rung, not when the agent is gone; a session that
 * nothing carries is cancelled when this resolves. @param via cli or http @throws NOT_FOUND
 */
export async function cancelSession(home: Home, supervisor: Supervisor, id: string, via: string): Promise<Cancelled> {
  const before = readSession(home, id)
  const cancel = () => cancelNow(home, supervisor, before, via)
  // Nobody may start it meanwhile: with its prompt unsaid it would run.
  return before.queuedAt === undefined ? cancel() : withLock(home.queue, cancel)
}

async function cancelNow(home: Home, supervisor: Supervisor, before: SessionState, via: string): Promise<Cancelled> {
  const id = before.spec.sessionId
  const { status } = before
  // A session between two starts of its daemon reads as interrupted, and its unit says that it goes on.
  const carried =
    isLive(status) || status === 'interrupted' ? carries(await unitState(home, supervisor, id, before)) : false
  if (!isLive(status) && !carried) return { status, done: false }
  const { offset, state } = await appendControl(home, id, { type: 'cancel_requested', via })
  // It has ended just before.
  if (offset === undefined && isOver(state)) return { status: state.status, done: false }
  // It would never hear of it.
  if (state.frozen && carried) await thawSession(home, supervisor, id, via)
  if (carried || carries(await unitState(home, supervisor, id, state)))
    return { offset, status: state.status, done: true }
  const cause: Cause = { result: 'cancelled', message: 'cancelled on request; no daemon ran' }
  const options = { epoch: state.epoch || undefined, check: () => isLive(readSession(home, id).status) }
  await appendLifecycle(home, { type: 'session_cancelled', sessionId: id, cause }, 'user', options)
  return { offset, status: readSession(home, id).status, done: true }
}
