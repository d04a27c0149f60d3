/** Which of all sessions are meant, wherever somebody asks for several. */
import { AgentzError } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import { readRegistry } from '../session/registry.js'
import { isLive, type Status } from '../session/status.js'
import type { Fleet } from './fleet.js'
import type { Supervisor, UnitState } from './supervisor.js'

export interface Wanted {
  readonly status?: readonly string[] | undefined
  readonly agent?: string | undefined
  /** KEY=VALUE, or KEY alone for any value; all of them. */
  readonly label?: readonly string[] | undefined
}

/** Another one fits nothing, and would say that there are no such sessions. */
export const isLabel = (text: string): boolean => /^[^=]/.test(text)

/** Rows are parsed where more than the status is asked for. */
export function isWanted(fleet: Fleet, id: string, { status, agent, label }: Wanted): boolean {
  if (status !== undefined && !status.includes(fleet.status(id) satisfies Status)) return false
  if (agent === undefined && label === undefined) return true
  const row = fleet.row(id)
  if (agent !== undefined && row.agentType !== agent) return false
  return (label ?? []).every((pair) => {
    const at = pair.indexOf('=')
    const value = Object.entries(row.labels ?? {}).find(([key]) => key === (at < 0 ? pair : pair.slice(0, at)))?.[1]
    return value !== undefined && (at < 0 || value === pair.slice(at + 1))
  })
}

/** Whether there is a session of that agent: one that is not known any more, or not yet, is a name all the same then. */
export const hadAgent = (fleet: Fleet, agent: string): boolean =>
  fleet.ids.some((id) => fleet.row(id).agentType === agent)

/** All that live; those that wait in the queue come first, so that nothing takes the place of what ends. */
export function allLive(fleet: Fleet): string[] {
  const live = fleet.ids.filter((id) => isLive(fleet.status(id)))
  const isQueued = (id: string) => fleet.head(id).place !== undefined
  return [...live.filter(isQueued), ...live.filter((id) => !isQueued(id))]
}

/** Whose unit runs though its log says otherwise, or is gone: an agent can write what it likes there. @param known all that live */
export async function leftOver(home: Home, supervisor: Supervisor, known: readonly string[]): Promise<string[]> {
  const units = await unitsOf(supervisor)
  const { rows } = readRegistry(home)
  const isOurs = (id: string) => rows.has(id) && !known.includes(id)
  return [...units].flatMap(([id, { active }]) => (active === 'active' && isOurs(id) ? [id] : []))
}

async function unitsOf(supervisor: Supervisor): Promise<ReadonlyMap<string, UnitState>> {
  try {
    return await supervisor.list()
  } catch (error) {
    // Those that live are asked all the same, and each says what came of it.
    if (error instanceof AgentzError && error.code === 'NO_MANAGER') return new Map()
    throw error
  }
}
