/** What the registry and a session's own file tell alike: status, daemon, cause. Both folds go through here. */
import { type SupervisorName, supervisorNames } from '../base/config.js'
import { textIn } from '../base/field.js'
import { meaningOf, type ReadCause } from './cause.js'
import { Creator, Metadata, type Usage } from './events.js'
import { isLive, nextStatus, type Status } from './status.js'

export interface Life {
  status: Status
  createdAt: string
  updatedAt: string
  /** The newest start of the daemon, counted from 1; 0 before the first. */
  epoch: number
  restarts: number
  /** Who created it; known until its first daemon speaks. */
  creator?: Creator
  /** The operating system holds all its processes still. */
  frozen?: true
  /** Since when it waits for its turn, because as many run as may. */
  queuedAt?: string
  pid?: number
  bootId?: string
  invocationId?: string
  /** What ran the newest daemon, if not systemd. */
  supervisor?: SupervisorName
  cause?: ReadCause
  error?: string
  metadata?: Metadata
  /** Tokens and money so far. */
  usage?: Usage
  /** Seconds of silence, while the agent is marked as stalled. */
  stalled?: number
}

/** A record as it came from the file: known only to be an object. */
export type Loose = Record<string, unknown>

/** Of a field that should be a text. JSON has objects that cannot be made one: {"toString":0}. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

const countIn = (value: unknown): number | undefined =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined

/** More starts than any session sees. A damaged line can hold a number near 2^53, behind which one start would be like the next. */
const MOST_STARTS = 2 ** 31

export const epochIn = (value: unknown): number | undefined => {
  const epoch = countIn(value)
  return epoch === undefined || epoch > MOST_STARTS ? undefined : epoch
}

export const newLife = ({ timestamp, creator }: Loose): Life => ({
  status: 'pending',
  createdAt: textOf(timestamp),
  updatedAt: textOf(timestamp),
  epoch: 0,
  restarts: 0,
  ...(Creator.safeParse(creator).success ? { creator: creator as Creator } : {}),
})

/**
 * Whether a record is of a daemon before the newest one, which was thought dead and still writes; or tells of its start once more, which
 * would open what has ended since.
 */
export const isPast = ({ epoch: newest }: Pick<Life, 'epoch'>, { type, epoch }: Loose): boolean =>
  typeof epoch === 'number' && (epoch < newest || (epoch === newest && type === 'daemon_started'))

/**
 * Applies one record to `life`, in place: folds run over millions. What is past is left out.
 * @returns whether the record was of a kind that belongs to the life cycle
 */
export function applyLife(life: Life, record: Loose): boolean {
  const type = record.type as string
  if (isPast(life, record)) return true
  const before = life.status
  const status = nextStatus(before, type, record.status)
  const moved = status !== before
  life.status = status
  const { queuedAt } = life
  if (queuedAt !== undefined && status !== 'pending') life.queuedAt = undefined
  if (life.frozen && (!isLive(status) || type === 'daemon_started')) life.frozen = undefined
  // To look at a session is nothing that happens in it.
  if (typeof record.timestamp === 'string' && type !== 'session_recovery') life.updatedAt = record.timestamp
  switch (type) {
    case 'daemon_started':
      if (life.epoch > 0 && queuedAt === undefined && wasBroken(before, life.cause)) life.restarts++
      life.stalled = undefined
      life.creator = undefined
      life.epoch = epochIn(record.epoch) ?? life.epoch + 1
      life.pid = countIn(record.pid) || undefined
      life.bootId = textIn(record.bootId)
      life.invocationId = textIn(record.invocationId)
      life.supervisor = supervisorNames.find((name) => name === record.supervisor)
      life.cause = undefined
      life.error = undefined
      return true
    case 'session_frozen':
      if (isLive(status)) life.frozen = true
      return true
    case 'session_thawed':
      life.frozen = undefined
      return true
    case 'session_queued':
      if (status !== 'pending') return true
      life.queuedAt ??= life.updatedAt
      life.cause = undefined
      life.error = undefined
      return true
    case 'daemon_exited':
      // Of a daemon that is gone, the log keeps these; a fold of 10,000 sessions need not.
      life.pid = undefined
      life.bootId = undefined
      life.invocationId = undefined
      if (moved) life.cause = exitCause(record)
      return true
    case 'session_failed':
    case 'session_cancelled':
    case 'session_interrupted':
      // The first end of a run counts. A bare exit of its daemon is none: whoever writes an end knows more.
      if (!moved && isOver({ status: before, cause: life.cause })) return true
      life.cause = endCause(life.cause, record)
      life.error = textIn(record.error)
      life.metadata = Metadata.safeParse(record.metadata).data ?? life.metadata
      return true
    case 'session_completed':
      if (moved) life.metadata = Metadata.safeParse(record.metadata).data
      return true
    default:
      return moved || lifeless.has(type)
  }
}

/** Ended by an event; after a bare exit of its daemon a restart may follow. */
export const isOver = ({ status, cause }: Pick<Life, 'status' | 'cause'>): boolean =>
  !isLive(status) && (status !== 'interrupted' || cause?.message !== undefined)

/** It did not end by an event: to take up a session that has ended is no restart. */
const wasBroken = (before: Status, cause: ReadCause | undefined): boolean =>
  isLive(before) || (before === 'interrupted' && cause?.message === undefined)

const lifeless = new Set(['session_recovery', 'session_updated'])

/** A cause as far as it is one: a line may have come from anywhere, and whoever shows it makes a text of it. */
export function causeOf(given: unknown): ReadCause {
  const { result, code, status, message, ...rest } = (typeof given === 'object' && given !== null ? given : {}) as Loose
  return {
    result: typeof result === 'string' ? result : 'unknown',
    ...(typeof code === 'string' ? { code } : {}),
    ...(typeof status === 'string' || typeof status === 'number' ? { status } : {}),
    ...(typeof message === 'string' ? { message } : {}),
    ...rest,
  }
}

/** systemd's account of an exit, as a cause. */
export const exitCause = ({ result, code, status }: Loose): ReadCause => causeOf({ result, code, status })

/** The cause in an end. One that names none leaves the one that is known; an interruption is told from a bare exit by its message. */
function endCause(known: ReadCause | undefined, { type, cause: given }: Loose): ReadCause {
  const cause = given === undefined && known !== undefined ? known : causeOf(given)
  if (type !== 'session_interrupted' || cause.message !== undefined) return cause
  return { ...cause, message: meaningOf(cause.result)?.says ?? 'an event says so' }
}
