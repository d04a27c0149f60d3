/** All sessions, or one, as they truly are: the registry held against the units. */
import { readFileSync } from 'node:fs'
import { AgentzError, errno } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import type { Life } from '../session/life.js'
import { type Registry, type Row, readRegistry } from '../session/registry.js'
import { readSession, type SessionState } from '../session/state.js'
import { isLive } from '../session/status.js'
import { bootId } from './boot.js'
import type { Supervisor, UnitState } from './supervisor.js'
import { carries, correction } from './truth.js'

export interface Fleet {
  readonly rows: Row[]
  readonly registry: Registry
  /** Why the manager could not be asked, if so: processes were looked at instead. */
  readonly unasked?: AgentzError
}

type Units = { states: Map<string, UnitState>; unasked?: AgentzError }

/**
 * Every session with its true status, in order of creation. Units are asked before the registry is read to its end: what ends
 * in between has written so. What still looks lost is looked at once more, in that order, before it is called so.
 */
export async function readFleet(home: Home, supervisor: Supervisor): Promise<Fleet> {
  const asked = askUnits(supervisor)
  let registry = readRegistry(home)
  const live = (row: Row) => isLive(row.status)
  if (![...registry.rows.values()].some(live)) {
    asked.catch(() => undefined)
    return { rows: [...registry.rows.values()], registry }
  }
  let units = await asked
  registry = readRegistry(home, registry)
  const lost = () => [...registry.rows.values()].some((row) => live(row) && !carries(unitOf(units, row.sessionId, row)))
  if (lost()) {
    units = await askUnits(supervisor)
    registry = readRegistry(home, registry)
  }
  const now = { boot: bootId(), time: Date.now() }
  const rows = [...registry.rows.values()].map((row) => {
    if (!live(row)) return row
    const corrected = correction(row, unitOf(units, row.sessionId, row), now)
    return corrected === undefined ? row : { ...row, ...corrected, pid: undefined }
  })
  return { rows, registry, unasked: units.unasked }
}

/** One session's state with its true status. @throws NOT_FOUND */
export async function readTrue(home: Home, supervisor: Supervisor, id: string): Promise<SessionState> {
  for (let look = 0; ; look++) {
    const units = isLive(readSession(home, id).status) ? await askUnits(supervisor) : undefined
    const state = readSession(home, id)
    if (units === undefined) return state
    const corrected = correction(state, unitOf(units, id, state), { boot: bootId(), time: Date.now() })
    if (corrected === undefined) return state
    if (look > 0) return { ...state, ...corrected, pid: undefined }
  }
}

async function askUnits(supervisor: Supervisor): Promise<Units> {
  try {
    return { states: await supervisor.list() }
  } catch (error) {
    if (error instanceof AgentzError && error.code === 'NO_MANAGER') return { states: new Map(), unasked: error }
    throw error
  }
}

/** Without a manager to ask, a process that is the daemon of this very session stands for its unit. */
function unitOf(units: Units, id: string, life: Pick<Life, 'pid' | 'bootId'>): UnitState | undefined {
  if (units.unasked === undefined) return units.states.get(id)
  const runs = life.pid !== undefined && life.bootId === bootId() && isDaemon(life.pid, id)
  return runs ? { active: 'active', sub: 'process' } : undefined
}

function isDaemon(pid: number, id: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(id)
  } catch (error) {
    if (errno(error) === 'ENOENT' || errno(error) === 'ESRCH') return false
    throw error
  }
}
