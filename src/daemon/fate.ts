/** Why the OS ended a session, or starts it no more: judged by what it says and by what stands in the file. Pure. */
import { knownCause, type ReadCause } from '../session/cause.js'
import type { Cause } from '../session/events.js'
import { finalExits, startLimit } from '../supervisor/systemd.js'

/** Its unit alone was told to stop. */
export const stoppedAlone: Cause = { result: 'stopped', message: 'the unit was stopped' }

/** So were its daemon and who keeps that one: nobody stops both who means the session. */
export const stoppedByAll: Cause = {
  result: 'log-out',
  message: 'all processes were told to end: log-out or shutdown',
}

/** The user manager ends. @param system how the manager of the machine is */
export const stoppedWith = (system: string): Cause =>
  system === 'stopping'
    ? { result: 'reboot', message: 'the machine was shutting down' }
    : { result: 'log-out', message: 'the user manager ended: log-out or shutdown' }

/**
 * systemd hands on the result of the last run, and keeps for itself that it was one too many. It starts again whatever has not succeeded,
 * but for the exits that a start would only repeat; so where it does not, the limit is the reason, once there were so many runs. A unit
 * that does not stop in time is no such case: then only runs that followed each other closely prove it.
 * @param runs when each of them began, by the clock, which may have been set meanwhile
 */
export function givenUp(last: ReadCause, runs: readonly number[], now: number): Cause {
  const counted = last.result === 'timeout' ? recent(runs, now) : runs
  if (isFinal(last) || counted.length < startLimit.burst) return knownCause(last)
  const message = `${startLimit.burst} starts in ${startLimit.intervalSec} s; the last one ended by ${last.result}`
  return { ...last, result: 'start-limit-hit', message }
}

/** It ended in a way that a start would only repeat. */
export const isFinal = (last: Pick<ReadCause, 'code' | 'status'>): boolean =>
  last.code === 'exited' && finalExits.includes(last.status)

/** One start more, and there would be too many of them in a short time. */
export const isOverLimit = (runs: readonly number[], now: number): boolean =>
  recent(runs, now).length >= startLimit.burst

const recent = (runs: readonly number[], now: number): number[] =>
  runs.filter((begin) => begin > now - startLimit.intervalSec * 1000)
