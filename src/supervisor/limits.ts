/** Limits that a supervisor cannot keep are refused before anything is made: one that is asked for and not kept would be a lie. */
import { AgentzError } from '../base/errors.js'
import type { Fleet } from '../base/limits.js'
import type { Spec } from '../session/spec.js'
import type { Supervisor, SystemLimit } from './supervisor.js'

const systemLimits = ['memory', 'cpu', 'tasks'] as const satisfies readonly SystemLimit[]

type Keeper = Pick<Supervisor, 'name' | 'promises'>

/** @throws UNSUPPORTED */
export function checkLimits({ name, promises }: Keeper, { limits = {} }: Pick<Spec, 'limits'>): void {
  const unkept = systemLimits.filter((limit) => limits[limit] !== undefined && !promises.limits.includes(limit))
  if (unkept.length === 0) return
  const flags = unkept.map((limit) => `--${limit}`)
  throw new AgentzError(
    'UNSUPPORTED',
    `cannot run a session with ${flags.join(' ')} under ${name}: it keeps no such limit`,
    {
      hint: `Without it the session would run unlimited; ${flags.map((flag) => `${flag} none`).join(' ')} says so, and lifts what config.json has.`,
    },
  )
}

/** @throws UNSUPPORTED */
export function refuseFleetCaps({ name, promises }: Keeper, fleet: Fleet): void {
  const unkept = systemLimits.filter((limit) => fleet[limit] != null && !promises.limits.includes(limit))
  if (unkept.length === 0) return
  const fields = unkept.map((limit) => `fleet.${limit}`).join(', ')
  throw new AgentzError('UNSUPPORTED', `cannot cap all sessions together under ${name}: config.json has ${fields}`, {
    hint: 'Take it out of config.json; fleet.sessions, how many run at once, is kept everywhere.',
  })
}
