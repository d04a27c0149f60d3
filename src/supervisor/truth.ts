/**
 * Status cannot lie: what is shown is the fold of the log, times the state of the unit, times the boot. If the log says
 * that a session lives and nothing carries it, it is shown as interrupted, with the cause.
 */
import type { Cause } from '../session/events.js'
import type { Life } from '../session/life.js'
import { isLive } from '../session/status.js'
import type { UnitState } from './supervisor.js'

/** Between session_created and the manager's first word of the unit. */
const BIRTH_MS = 10_000

const carrying = new Set(['active', 'activating', 'reloading', 'deactivating'])

export const carries = (unit: UnitState | undefined): boolean => unit !== undefined && carrying.has(unit.active)

/** The part of `life` that has to be shown otherwise; undefined if the log is right. Pure. */
export function correction(
  life: Pick<Life, 'status' | 'epoch' | 'bootId' | 'createdAt' | 'queuedAt'>,
  unit: UnitState | undefined,
  now: { boot: string; time: number },
): { status: 'interrupted'; cause: Cause } | undefined {
  // What waits for its turn is carried by the queue.
  if (!isLive(life.status) || carries(unit) || life.queuedAt !== undefined) return undefined
  const born = Date.parse(life.createdAt)
  const age = now.time - born
  if (life.epoch === 0 && age >= 0 && age < BIRTH_MS) return undefined
  if (life.bootId !== undefined && life.bootId !== now.boot) {
    return { status: 'interrupted', cause: { result: 'reboot', message: 'the machine was started again meanwhile' } }
  }
  return { status: 'interrupted', cause: { result: 'lost', message: 'the log says it lives, but no unit carries it' } }
}
