/** Cancelling a session, whoever asks: an event for its daemon; where none lives, the end is written here. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Home } from '../base/paths.js'
import { withLock } from '../log/lock.js'
import { appendControl } from '../session/control.js'
import type { Cause } from '../session/events.js'
import { isOver, type Life } from '../session/life.js'
import { appendLifecycle } from '../session/lifecycle.js'
import { readRegistry } from '../session/registry.js'
import { readSession, type SessionState } from '../session/state.js'
import { isLive, type Status } from '../session/status.js'
import { supervisorOf } from './choose.js'
import { unitState } from './fleet.js'
import { thawSession } from './freeze.js'
import type { Supervisor } from './supervisor.js'
import { carries } from './truth.js'

/** For so long a daemon may be at its end. */
const LAST_WORDS_MS = 5_000
const LOOK_AGAIN_MS = 100

export interface Cancelled {
  /** The address of cancel_requested, if it was appended. */
  readonly offset?: number
  readonly status: Status
  /** False: the session had ended before, and nothing was done. */
  readonly done: boolean
  /** Its unit ran on, though its log said otherwise or could not be read, and was stopped. */
  readonly stopped?: true
}

/**
 * Asks a session to end. Resolves when that is on disk and its daemon was rung, not when the agent is gone; a session that
 * nothing carries is cancelled when this resolves. @param via cli or http @throws NOT_FOUND
 */
export async function cancelSession(home: Home, supervisor: Supervisor, id: string, via: string): Promise<Cancelled> {
  let before: SessionState
  try {
    before = readSession(home, id)
  } catch (error) {
    // An agent can take its own file away, or spoil it: that is no way to stay. Units of other homes are none of ours.
    const row = readRegistry(home).rows.get(id)
    const leftOver = row && (await endLeftOver(home, supervisor, id, row))
    if (leftOver?.done) return { status: 'interrupted', ...leftOver }
    throw error
  }
  const cancel = () => cancelNow(home, supervisor, before, via)
  // Nobody may start it meanwhile: with its prompt unsaid it would run.
  return before.queuedAt === undefined ? cancel() : withLock(home.queue, cancel)
}

async function cancelNow(home: Home, supervisor: Supervisor, before: SessionState, via: string): Promise<Cancelled> {
  const id = before.spec.sessionId
  const { status } = before
  if (!isLive(status) && status !== 'interrupted') {
    return { status, ...(await endLeftOver(home, supervisor, id, before)) }
  }
  // A session between two starts of its daemon reads as interrupted, and its unit says that it goes on.
  const carried = carries(await unitState(home, supervisor, id, before))
  if (!isLive(status) && !carried) return { status, ...(await endLeftOver(home, supervisor, id, before)) }
  const { offset, state } = await appendControl(home, id, { type: 'cancel_requested', via })
  // It has ended just before.
  if (offset === undefined && isOver(state)) {
    return { status: state.status, ...(await endLeftOver(home, supervisor, id, state)) }
  }
  // It would never hear of it.
  if (state.frozen && carried) await thawSession(home, supervisor, id, via)
  if (carried || carries(await unitState(home, supervisor, id, state)))
    return { offset, status: state.status, done: true }
  const cause: Cause = { result: 'cancelled', message: 'cancelled on request; no daemon ran' }
  const options = { epoch: state.epoch || undefined, check: () => isLive(readSession(home, id).status) }
  await appendLifecycle(home, { type: 'session_cancelled', sessionId: id, cause }, 'user', options)
  return { offset, status: readSession(home, id).status, done: true }
}

/**
 * A daemon goes when it has written the end of its session. An end that somebody else has written, such as the agent itself, ends
 * nothing: then the unit is stopped.
 */
async function endLeftOver(
  home: Home,
  supervisor: Supervisor,
  id: string,
  life: Partial<Life>,
): Promise<Pick<Cancelled, 'done' | 'stopped'>> {
  // What the log says of its supervisor may be a lie, too.
  for (const each of new Set([supervisorOf(home, supervisor, life), supervisor])) {
    const isActive = async () => (await unitState(home, each, id, {}))?.active === 'active'
    const end = performance.now() + LAST_WORDS_MS
    while ((await isActive()) && performance.now() < end) await delay(LOOK_AGAIN_MS)
    if (!(await isActive())) continue
    await each.stop(id)
    return { done: true, stopped: true }
  }
  return { done: false }
}
