/**
 * Status cannot lie: what is shown is the fold of the log, times the state of the unit, times the boot. If the log says
 * that a session lives and nothing carries it, it is shown as interrupted, with the cause.
 */
import type { Cause, Creator } from '../session/events.js'
import type { Life } from '../session/life.js'
import { isLive } from '../session/status.js'
import type { UnitState } from './supervisor.js'

/** Between session_created and the manager's first word of the unit. */
const BIRTH_MS = 10_000
/** For so long a creator that lives may still start it; a server, which creates many, lives for ever. */
const SLOW_BIRTH_MS = 120_000

/** What is asked of the machine, at one moment. */
export interface Moment {
  readonly boot: string
  /** Milliseconds since 1970. */
  readonly time: number
  /** Whether who has created a session is still there. */
  readonly lives: (creator: Creator) => boolean
}

const carrying = new Set(['active', 'activating', 'reloading', 'deactivating'])

export const carries = (unit: UnitState | undefined): boolean => unit !== undefined && carrying.has(unit.active)

/** The part of `life` that has to be shown otherwise; undefined if the log is right. Pure. */
export function correction(
  life: Pick<Life, 'status' | 'epoch' | 'bootId' | 'createdAt' | 'queuedAt' | 'creator'>,
  unit: UnitState | undefined,
  now: Moment,
): { status: 'interrupted'; cause: Cause } | undefined {
  // What waits for its turn is carried by the queue.
  if (!isLive(life.status) || carries(unit) || life.queuedAt !== undefined) return undefined
  if (life.status === 'pending' && life.epoch === 0 && isBeingBorn(life, now)) return undefined
  if (life.bootId !== undefined && life.bootId !== now.boot) {
    return { status: 'interrupted', cause: { result: 'reboot', message: 'the machine was started again meanwhile' } }
  }
  return { status: 'interrupted', cause: { result: 'lost', message: 'the log says it lives, but no unit carries it' } }
}

function isBeingBorn({ createdAt, creator }: Pick<Life, 'createdAt' | 'creator'>, { time, lives }: Moment): boolean {
  const age = time - Date.parse(createdAt)
  if (age >= 0 && age < BIRTH_MS) return true
  return age >= 0 && age < SLOW_BIRTH_MS && creator !== undefined && lives(creator)
}
