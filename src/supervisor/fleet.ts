/** All sessions, or one, as they truly are: the registry held against the units. */
import { lstatSync } from 'node:fs'
import type { SupervisorName } from '../base/config.js'
import { AgentzError } from '../base/errors.js'
import { type Home, sessionLog } from '../base/paths.js'
import { argumentsOf } from '../base/proc.js'
import type { Life } from '../session/life.js'
import { type Registry, type Row, readRegistry } from '../session/registry.js'
import { repairRegistry } from '../session/repair.js'
import type { Head } from '../session/rows.js'
import { readSession, type SessionState } from '../session/state.js'
import { isLive, type Status } from '../session/status.js'
import { isOpen, readTail } from '../session/tail.js'
import { bootId } from './boot.js'
import { supervisorOf } from './choose.js'
import { thisMoment } from './moment.js'
import { placeIn } from './queue.js'
import type { Supervisor, UnitDetail, UnitState } from './supervisor.js'
import { carries, correction } from './truth.js'

export interface Fleet {
  /** In order of creation. */
  readonly ids: string[]
  /** The true status, without parsing the row. */
  status(id: string): Status
  /** What a list shows of it, with its true status. */
  head(id: string): Head
  /** The row with its true status. */
  row(id: string): Row
  /** The same as JSON text, with `unit` and `log`. */
  text(id: string): string
  readonly registry: Registry
  /** Why the manager could not be asked, if so: processes were looked at instead. */
  readonly unasked?: AgentzError
}

/** What one supervisor says of its units. */
type Units = { states: Map<string, UnitState>; unasked?: AgentzError }
type Asked = Map<SupervisorName, Units>

/**
 * Every session with its true status. Where any lives, units are asked before the registry is read to its end: what ends in between has
 * written so. What still looks lost is looked at once more, in that order, before it is called so.
 */
export async function readFleet(home: Home, supervisor: Supervisor): Promise<Fleet> {
  let { registry } = await repairRegistry(home)
  const live = () => [...registry.rows.ids()].filter((id) => isLive(registry.rows.status(id)!))
  const corrected = new Map<string, Row>()
  let units: Asked = new Map()
  const ask = () => askUnits(live().map((id) => supervisorOf(home, supervisor, registry.rows.get(id)!)))
  const unit = (id: string, row: Row) => unitOf(units.get(supervisorOf(home, supervisor, row).name), id, row)
  if (live().length > 0) {
    units = await ask()
    registry = readRegistry(home, registry)
    const isLost = (id: string) => !carries(unit(id, registry.rows.get(id)!))
    if (live().some(isLost)) {
      units = await ask()
      registry = readRegistry(home, registry)
    }
    const now = thisMoment()
    const states = units.get(supervisor.name)?.states
    const queue = registry.rows.queue().filter((id) => !states?.has(id))
    for (const id of live()) {
      const row = registry.rows.get(id)!
      const correct = correction(row, unit(id, row), now)
      const end = endOf(home, id, row, correct)
      if (end !== undefined) corrected.set(id, { ...row, ...end, pid: undefined, frozen: undefined })
      else
        corrected.set(id, {
          ...row,
          ...(await frozenNow(home, supervisor, id, row)),
          place: placeIn(queue, id),
          updatedAt: lastActivity(home, id, row.updatedAt),
        })
    }
  }
  const { rows } = registry
  const log = JSON.stringify({ log: sessionLog(home, '\n') }).slice(1, -1)
  // The last one: the home may have line ends of its own.
  const idAt = log.lastIndexOf('\\n')
  const [logHead, logTail] = [log.slice(0, idAt), log.slice(idAt + 2)]
  const unitName = (id: string) => {
    // Nearly all run under the one that is chosen now, and are not parsed to know it.
    const isOther = supervisor.name !== 'systemd' || rows.text(id).includes('"supervisor":"')
    return (isOther ? supervisorOf(home, supervisor, rows.get(id)!) : supervisor).unitName(id)
  }
  const text = (id: string) => (corrected.has(id) ? JSON.stringify(corrected.get(id)) : rows.text(id))
  return {
    ids: [...rows.ids()],
    status: (id) => corrected.get(id)?.status ?? rows.status(id)!,
    head: (id) => corrected.get(id) ?? rows.head(id)!,
    row: (id) => corrected.get(id) ?? rows.get(id)!,
    // What follows from the id is added without parsing the row.
    text: (id) => `${text(id).slice(0, -1)},"unit":"${unitName(id)}",${logHead}${id}${logTail}}`,
    registry,
    unasked: [...units.values()].find(({ unasked }) => unasked !== undefined)?.unasked,
  }
}

/** The flag of the log counts while the operating system says the same. */
async function frozenNow(home: Home, supervisor: Supervisor, id: string, life: Life): Promise<Pick<Life, 'frozen'>> {
  if (!life.frozen) return {}
  return { frozen: (await unitState(home, supervisor, id, life))?.frozen === false ? undefined : true }
}

/** So much of the end of a session's file is looked at for an end that the registry is about to be told. */
const LAST_WORDS = 8 * 1024

type End = Pick<Row, 'status' | 'cause' | 'error'>

/**
 * A session's own file is asked before it is called lost, and where it has just ended: the registry may not know it. A file that cannot
 * be read keeps no other session from being listed; whoever asks for this one is told why.
 */
function endOf(home: Home, id: string, { queuedAt }: Row, correct: End | undefined): End | undefined {
  try {
    if (correct === undefined && (queuedAt !== undefined || isOpen(readTail(home, id, LAST_WORDS)))) return undefined
    const { status, cause, error } = readSession(home, id)
    return isLive(status) ? correct : { status, cause, error }
  } catch {
    return correct
  }
}

/** One session's state with its true status. @throws NOT_FOUND */
export async function readTrue(home: Home, supervisor: Supervisor, id: string): Promise<SessionState> {
  for (let look = 0; ; look++) {
    const first = readSession(home, id)
    if (!isLive(first.status)) return first
    const unit = await unitState(home, supervisor, id, first)
    const state = readSession(home, id)
    const corrected = correction(state, unit, thisMoment())
    const flag = unit?.frozen === false ? { frozen: undefined } : {}
    if (corrected === undefined) return { ...state, ...flag, updatedAt: lastActivity(home, id, state.updatedAt) }
    if (look > 0) return { ...state, ...corrected, pid: undefined, frozen: undefined }
  }
}

/** The unit of one session; where no manager answers, its daemon's process stands for it. */
export async function unitState(
  home: Home,
  chosen: Supervisor,
  id: string,
  life: Partial<Life>,
): Promise<UnitDetail | undefined> {
  try {
    return await supervisorOf(home, chosen, life).show(id)
  } catch (error) {
    if (!(error instanceof AgentzError) || error.code !== 'NO_MANAGER') throw error
    return unitOf({ states: new Map(), unasked: error }, id, life)
  }
}

/** Output moves the file and nothing else. */
function lastActivity(home: Home, id: string, known: string): string {
  const moved = lstatSync(sessionLog(home, id), { throwIfNoEntry: false })?.mtime.toISOString() ?? ''
  return moved > known ? moved : known
}

/** Each supervisor that a live session runs under is asked once. */
async function askUnits(supervisors: readonly Supervisor[]): Promise<Asked> {
  const each = new Map(supervisors.map((supervisor) => [supervisor.name, supervisor]))
  return new Map(await Promise.all([...each].map(async ([name, one]) => [name, await askOne(one)] as const)))
}

async function askOne(supervisor: Supervisor): Promise<Units> {
  try {
    return { states: await supervisor.list() }
  } catch (error) {
    if (error instanceof AgentzError && error.code === 'NO_MANAGER') return { states: new Map(), unasked: error }
    throw error
  }
}

/** Without a manager to ask, a process that is the daemon of this very session stands for its unit. */
function unitOf(units: Units | undefined, id: string, life: Pick<Life, 'pid' | 'bootId'>): UnitState | undefined {
  if (units?.unasked === undefined) return units?.states.get(id)
  const runs = life.pid !== undefined && life.bootId === bootId() && argumentsOf(life.pid).includes(id)
  return runs ? { active: 'active', sub: 'process' } : undefined
}
