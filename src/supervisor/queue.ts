/**
 * The queue of sessions, where config.json says how many may run at once. It is nobody's: who queues a session, and whoever sees
 * one end, starts the next ones, under one lock. So it survives all of them, and what waits is in the files.
 */
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../base/config.js'
import { AgentzError, toAgentzError } from '../base/errors.js'
import { type Home, sessionLog } from '../base/paths.js'
import { isRunning } from '../base/proc.js'
import { withLock } from '../log/lock.js'
import type { Cause } from '../session/events.js'
import { frame } from '../session/frame.js'
import { isOver, type Life } from '../session/life.js'
import { appendLifecycle } from '../session/lifecycle.js'
import { appendRegistry, type Registry, readRegistry } from '../session/registry.js'
import { readComplete, repairRegistry } from '../session/repair.js'
import type { Spec } from '../session/spec.js'
import { readSession, type SessionState } from '../session/state.js'
import { isLive } from '../session/status.js'
import { startConfined } from './sandbox.js'
import type { Supervisor, UnitState } from './supervisor.js'
import { carries } from './truth.js'

/** A start that the manager has taken shows among its units after milliseconds. */
const LOADED_MS = 2_000
const LOOK_AGAIN_MS = 20

export interface Admission {
  /** Who still waits, the next one first. */
  readonly waiting: readonly string[]
  /** Who could not be started, which is in the log. */
  readonly failed: ReadonlyMap<string, AgentzError>
}

/** Starts the daemon of a session, or leaves it in the queue. @returns its place there, from 1; undefined if it was started */
export async function startInTurn(home: Home, supervisor: Supervisor, spec: Spec): Promise<number | undefined> {
  if (readConfig(home).fleet.sessions === undefined) {
    await startConfined(supervisor, spec)
    return undefined
  }
  const { sessionId } = spec
  const { epoch } = readSession(home, sessionId)
  // Somebody else may have started it meanwhile.
  const check = () => {
    const now = readSession(home, sessionId)
    return now.epoch === epoch && (now.status === 'pending' || !isLive(now.status))
  }
  await appendLifecycle(home, { type: 'session_queued', sessionId }, 'supervisor', { epoch, check })
  const { waiting, failed } = await admit(home, supervisor)
  const error = failed.get(sessionId)
  if (error !== undefined) throw error
  return placeIn(waiting, sessionId)
}

/**
 * Starts what is next in the queue, as far as there is room. May be called by anybody at any time: who finds none waiting, or all
 * room taken, does nothing, since whoever ends later calls it again. Must not be called under the lock of a session or the registry.
 * @throws NO_MANAGER; the queue stays as it is
 */
export async function admit(home: Home, supervisor: Supervisor): Promise<Admission> {
  const failed = new Map<string, AgentzError>()
  // Of a registry that was deleted, whoever comes first would be the only one that waits.
  const { registry } = await repairRegistry(home)
  const before = await look(home, supervisor, readRegistry(home, registry))
  if (before.waiting.length === 0 || before.busy >= room(home)) return { waiting: before.waiting, failed }
  try {
    return await withLock(home.queue, () => admitLocked(home, supervisor, failed))
  } catch (error) {
    // Others have held it one after the other, and have seen all that we see.
    if (!(error instanceof AgentzError) || error.code !== 'LOCK_BUSY') throw error
    return { waiting: (await look(home, supervisor)).waiting, failed }
  }
}

/** The place of a session in the queue, from 1; undefined if it does not wait, or its unit is there already. */
export async function placeOf(home: Home, supervisor: Supervisor, id: string): Promise<number | undefined> {
  try {
    return placeIn((await look(home, supervisor, readComplete(home))).waiting, id)
  } catch (error) {
    // Nothing runs where no manager is: whoever is queued waits.
    if (!(error instanceof AgentzError) || error.code !== 'NO_MANAGER') throw error
    return placeIn(readComplete(home).rows.queue(), id)
  }
}

export function placeIn(queue: readonly string[], id: string): number | undefined {
  const at = queue.indexOf(id)
  return at < 0 ? undefined : at + 1
}

const room = (home: Home): number => readConfig(home).fleet.sessions ?? Number.POSITIVE_INFINITY

async function admitLocked(home: Home, supervisor: Supervisor, failed: Map<string, AgentzError>): Promise<Admission> {
  const started = new Set<string>()
  const passed = new Set<string>()
  for (let registry: Registry | undefined; ; ) {
    const now = await look(home, supervisor, readRegistry(home, registry))
    registry = now.registry
    const waiting = now.waiting.filter((id) => !started.has(id) && !passed.has(id))
    // What was just started and is not among the units yet takes its room all the same.
    const unseen = now.waiting.filter((id) => started.has(id))
    const [next] = waiting
    if (next === undefined || now.busy + unseen.length >= room(home)) {
      await seen(home, supervisor, unseen)
      return { waiting, failed }
    }
    passed.add(next)
    const state = stillQueued(home, next)
    if (state === undefined) continue
    try {
      await startConfined(supervisor, state.spec)
      started.add(next)
    } catch (thrown) {
      const error = toAgentzError(thrown)
      // Somebody was faster, or it was not confirmed and has happened all the same.
      if (carries(await supervisor.show(next))) started.add(next)
      else if (error.code === 'NO_MANAGER') throw error
      else failed.set(next, await recordNotStarted(home, state, error))
    }
  }
}

/** The next one who has the lock counts units: what was started here has to be among them. */
async function seen(home: Home, supervisor: Supervisor, ids: readonly string[]): Promise<void> {
  let unseen = ids
  for (const end = performance.now() + LOADED_MS; unseen.length > 0 && performance.now() < end; ) {
    await delay(LOOK_AGAIN_MS)
    const { waiting } = await look(home, supervisor)
    unseen = unseen.filter((id) => waiting.includes(id))
  }
}

async function recordNotStarted(home: Home, { spec, epoch }: SessionState, error: AgentzError): Promise<AgentzError> {
  const { sessionId } = spec
  const cause: Cause = { result: 'not-started', message: error.message }
  const check = () => readSession(home, sessionId).queuedAt !== undefined
  const event = { type: 'session_failed' as const, sessionId, error: error.message, cause }
  await appendLifecycle(home, event, 'supervisor', { epoch, check })
  return error
}

interface Look {
  readonly registry: Registry
  readonly waiting: readonly string[]
  readonly busy: number
}

/** Who waits, and how many run. */
async function look(home: Home, supervisor: Supervisor, known: Registry = readRegistry(home)): Promise<Look> {
  let registry = known
  if (await complete(home, registry)) registry = readRegistry(home, registry)
  const queue = registry.rows.queue()
  if (queue.length === 0) return { registry, waiting: [], busy: 0 }
  const units = new Map(await supervisor.list())
  // What a manager that was killed has left of a unit is listed, and nothing is about to run by it.
  for (const id of queue) if (units.get(id)?.active === 'inactive' && !(await supervisor.show(id))) units.delete(id)
  const waits = new Set(queue)
  const busy = [...units].filter(([id, unit]) => takesRoom(home, supervisor, id, unit, registry, waits)).length
  return { registry, waiting: queue.filter((id) => !units.has(id)), busy }
}

function takesRoom(
  home: Home,
  { promises }: Supervisor,
  id: string,
  unit: UnitState,
  { rows }: Registry,
  waits: ReadonlySet<string>,
): boolean {
  // It is queued only once its old unit is gone: whatever is there is its start, also before the manager has begun with it.
  if (waits.has(id)) return true
  // A manager may carry sessions of other homes.
  if (!carries(unit) || !existsSync(sessionLog(home, id))) return false
  const row = rows.get(id)
  const hasEnded = promises.restarts ? isOver : ({ status }: Life) => !isLive(status)
  // Its reaper runs, and its agent does not any more. Of one that may be started again, the room is kept. Only a system that runs the
  // reaper itself can tell; elsewhere what has ended is over.
  const isReaped = !promises.lastWord || /^(stop-post|final-)/.test(unit.sub)
  return !(isReaped && row !== undefined && hasEnded(row))
}

/** A session is in the queue if its own file says so. @returns undefined if it has ended or is gone meanwhile */
function stillQueued(home: Home, id: string): SessionState | undefined {
  try {
    const state = readSession(home, id)
    return state.queuedAt === undefined ? undefined : state
  } catch (error) {
    if (error instanceof AgentzError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

/** Tells the registry of new sessions whose creator has queued them and died before it could. @returns whether there were any */
async function complete(home: Home, { rows }: Registry): Promise<boolean> {
  let found = false
  for (const id of rows.ids()) {
    if (rows.status(id) !== 'pending') continue
    const { queuedAt, epoch, creator } = rows.get(id)!
    if (queuedAt !== undefined || epoch > 0 || creator === undefined) continue
    if (isRunning(creator)) continue
    const state = stillQueued(home, id)
    if (state?.queuedAt === undefined) continue
    const line = frame({ type: 'session_queued', sessionId: id }, 'supervisor', state.epoch, state.queuedAt)
    found = (await appendRegistry(home, JSON.parse(line))) || found
  }
  return found
}
