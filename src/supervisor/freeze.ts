/**
 * Freezing a session and thawing it. Its daemon is asked first: it tells systemd that it will be silent, or the watchdog would
 * end what is frozen. One that does not answer is frozen all the same.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { AgentzError } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import { appendControl } from '../session/control.js'
import { appendLifecycle } from '../session/lifecycle.js'
import { readRegistry } from '../session/registry.js'
import { readSession } from '../session/state.js'
import { isLive, type Status } from '../session/status.js'
import type { Supervisor } from './supervisor.js'

/** A daemon answers within milliseconds; it waits itself, longer than this, for the freeze that it was told of. */
const PATIENCE_MS = 3_000
const LOOK_AGAIN_MS = 20

export interface Freezing {
  readonly status: Status
  readonly frozen: boolean
  /** False: it was so already, or nothing runs that could be frozen. */
  readonly done: boolean
  /** Its daemon did not answer. */
  readonly unanswered?: true
}

/** @param via cli or http @throws NOT_FOUND, UNSUPPORTED, TIMED_OUT */
export async function freezeSession(home: Home, supervisor: Supervisor, id: string, via: string): Promise<Freezing> {
  const { status, epoch } = readSession(home, id)
  const freezer = await supervisor.freezer(id)
  if (freezer === undefined || !isLive(status)) return { status, frozen: false, done: false }
  if (freezer.wanted()) return { status, frozen: true, done: false }
  const answered = await ask(home, id, 'freeze_requested', via)
  if (!answered) {
    const event = { type: 'session_frozen' as const, sessionId: id, unanswered: true as const }
    const check = () => isLive(readSession(home, id).status)
    await unlessFull(appendLifecycle(home, event, 'supervisor', { epoch, check }))
  }
  await freezer.set(true)
  return { status: readSession(home, id).status, frozen: true, done: true, ...(!answered && { unanswered: true }) }
}

/** @param via cli or http @throws NOT_FOUND, UNSUPPORTED, TIMED_OUT */
export async function thawSession(home: Home, supervisor: Supervisor, id: string, via: string): Promise<Freezing> {
  const { status, frozen = false } = readSession(home, id)
  const freezer = await supervisor.freezer(id)
  if (freezer === undefined || (!freezer.wanted() && !frozen)) return { status, frozen: false, done: false }
  // The group first: it has to go on whatever the disk says.
  await freezer.set(false)
  const answered = await ask(home, id, 'thaw_requested', via)
  return { status: readSession(home, id).status, frozen: false, done: true, ...(!answered && { unanswered: true }) }
}

/** Whether the daemon has done what was asked for, and has told both files: frozen, it could hold a lock. */
async function ask(home: Home, id: string, type: 'freeze_requested' | 'thaw_requested', via: string): Promise<boolean> {
  const wanted = type === 'freeze_requested'
  if (!(await unlessFull(appendControl(home, id, { type, via })))) return false
  for (const end = performance.now() + PATIENCE_MS; performance.now() < end; await delay(LOOK_AGAIN_MS)) {
    const isSaid = (readSession(home, id).frozen ?? false) === wanted
    if (isSaid && (readRegistry(home).rows.get(id)?.frozen ?? false) === wanted) return true
  }
  return false
}

/** A full disk takes no request, and is no reason to let an agent run on. */
async function unlessFull(append: Promise<unknown>): Promise<boolean> {
  try {
    await append
    return true
  } catch (error) {
    if (!(error instanceof AgentzError) || error.code !== 'LOG_WRITE') throw error
    return false
  }
}
