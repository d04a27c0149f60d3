/** The facts of a daemon's end, as the OS gives them: daemon_exited at each exit, a terminal event only where nothing follows. */

import { closeSync, rmSync } from 'node:fs'
import { AgentzError } from '../base/errors.js'
import { asText, numberIn } from '../base/field.js'
import { oomKills } from '../base/oom.js'
import { doorbell, type Home, sessionLog } from '../base/paths.js'
import { openLog } from '../log/read.js'
import type { Cause, RegistryEvent } from '../session/events.js'
import { exitCause, isOver, type Loose } from '../session/life.js'
import { appendLifecycle, type LifeEvent } from '../session/lifecycle.js'
import { appendRegistry, type Row } from '../session/registry.js'
import { repairRegistry } from '../session/repair.js'
import { SessionFold, type SessionState } from '../session/state.js'
import { isLive } from '../session/status.js'
import { isOpen, isTerminal, readTail, wantsCancel } from '../session/tail.js'
import { run } from '../supervisor/exec.js'
import { failureFile, leaveForFailure } from '../supervisor/failure-file.js'
import type { Supervisor } from '../supervisor/supervisor.js'
import { insteadOf } from './ending.js'
import { givenUp, isFinal, isOverLimit, stoppedAlone, stoppedByAll, stoppedWith } from './fate.js'
import { notedKills } from './memory.js'

/** How much of the end of a session's file is looked at; the registry knows what lies further back. */
const TAIL = 256 * 1024
/** How long a manager has to say how it is before the fact of an exit is written without that. */
const PATIENCE_MS = 1000
/** And how long where the cause hangs on it: one that ends with a hundred sessions takes seconds to answer. Well below TimeoutStopSec. */
const LONG_PATIENCE_MS = 10_000
/** Where there is none that could be stopping. */
const NO_MANAGER = 'none'

type Exits = Pick<Supervisor, 'unitName' | 'promises' | 'isStoppedAlone'>
type Ending = Pick<Supervisor, 'show'>

/**
 * Writes daemon_exited, and session_interrupted where the daemon ended cleanly without a terminal event: it was told to stop.
 * After any other end a restart may follow; if none does, OnFailure= brings recordFailure.
 * @returns whether the daemon is to be started again, for those who do so by the reaper's exit status
 */
export async function recordExit(home: Home, id: string, env: NodeJS.ProcessEnv, supervisor: Exits): Promise<boolean> {
  const { lastWord, restarts } = supervisor.promises
  const manager = lastWord ? await managerState() : NO_MANAGER
  const row = (await repairRegistry(home)).registry.rows.get(id)
  const tail = readTail(home, id, TAIL)
  const start = tail.findLastIndex(({ type }) => type === 'daemon_started')
  const epoch = epochOf(row, tail, env.INVOCATION_ID)
  // Before the exit, which would close the row.
  for (const untold of untoldOf(row, tail.slice(Math.max(0, start)))) await tell(home, id, untold)
  const exit = tail.findIndex(
    ({ type, invocationId }) =>
      type === 'daemon_exited' && invocationId !== undefined && invocationId === env.INVOCATION_ID,
  )
  // An attempt before this one had room in the session's file alone.
  if (exit >= 0) for (const told of tail.slice(exit)) await tell(home, id, told)
  else await appendLifecycle(home, exitOf(home, id, { env, supervisor, manager, epoch }), 'supervisor', { epoch })
  if (!isStillOpen(home, id)) {
    sweep(home, id)
    return false
  }
  if (env.SERVICE_RESULT !== 'success') {
    if (!lastWord) return goesOn(home, id, restarts)
    leaveForFailure(home, id)
    return true
  }
  sweep(home, id)
  // From within a sandbox the manager cannot be asked. If it lives, it runs recordEnd outside, which knows then.
  if (env.AGENTZ_SANDBOX !== undefined) return false
  const isAlone = !env.KEEPER_TOLD || (await supervisor.isStoppedAlone?.(id))
  const cause = lastWord ? await stoppedBy(manager) : isAlone ? stoppedAlone : stoppedByAll
  await conclude(home, { type: 'session_interrupted', sessionId: id, cause }, epoch)
  return false
}

/** To the registry, in the name of the session: a line that somebody has written by hand may name none. */
const tell = (home: Home, id: string, record: Loose): Promise<boolean> =>
  appendRegistry(home, { ...record, sessionId: id } as unknown as RegistryEvent)

async function stoppedBy(manager: string): Promise<Cause> {
  const known = manager === 'unknown' ? await managerState(['--user'], LONG_PATIENCE_MS) : manager
  return known === 'stopping' ? stoppedWith(await managerState([])) : stoppedAlone
}

/** Where no manager counts the starts, its reaper does. @returns whether there is to be another one; else that is written */
export async function goesOn(home: Home, id: string, restarts: boolean): Promise<boolean> {
  const { state, runs } = readRuns(home, id)
  const isOver = state.cause !== undefined && isFinal(state.cause)
  if (!isOver && (!restarts || !isOverLimit(runs, Date.now()))) return restarts
  await recordFailure(home, id, {})
  return false
}

/** Writes session_failed: systemd has given up on the unit. Fires once, after the last restart. */
export async function recordFailure(home: Home, id: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { state, runs, newest } = readRuns(home, id)
  // Whoever has said something to it since has had it started again, or queued: its end is not ours to tell.
  const isAnother = env.MONITOR_INVOCATION_ID !== undefined && newest?.invocationId !== env.MONITOR_INVOCATION_ID
  if (newest?.type === 'daemon_started' && isAnother) return
  if (runs.length > 0 && state.queuedAt !== undefined) return
  sweep(home, id)
  const last = state.cause ?? exitCause({ result: env.MONITOR_SERVICE_RESULT ?? 'unknown' })
  const cause = givenUp(last, runs, Date.now())
  const error = `the daemon of this session ended (${cause.result}) and was not started again`
  await conclude(home, { type: 'session_failed', sessionId: id, error, cause }, state.epoch)
}

/**
 * Writes what no reaper could: in a sandbox, that the daemon ended cleanly without a terminal event, so that somebody has stopped the
 * unit; and that it was stopped between two starts of its daemon, when no reaper runs. Fires after each clean end of a unit, and under
 * systemd 252 before each restart too, which is none. In a sandbox it sweeps nothing: the next start may have left its file already.
 */
export async function recordEnd(home: Home, id: string, _env: unknown, supervisor: Ending): Promise<void> {
  const { state, runs } = readRuns(home, id)
  if (isOver(state) || isLive(state.status)) return
  if (state.cause?.result === 'success') {
    await conclude(home, { type: 'session_interrupted', sessionId: id, cause: stoppedAlone }, state.epoch)
    return
  }
  // It goes on, or it has failed for good, and OnFailure= knows more.
  if (isOverLimit(runs, Date.now()) || (await supervisor.show(id)) !== undefined) return
  const { message, ...cause } = await stoppedBy('unknown')
  const between = `${message}; its daemon had ended by ${state.cause?.result}, and was about to be started again`
  const end: LifeEvent = { type: 'session_interrupted', sessionId: id, cause: { ...cause, message: between } }
  if ((await conclude(home, end, state.epoch)) && state.spec.sandbox === undefined) sweep(home, id)
}

/** Writes the end of a session that has none. Whoever has asked for a cancel before that gets one. @returns whether it had none */
async function conclude(home: Home, end: LifeEvent, epoch: number): Promise<boolean> {
  for (const isCancelled of [false, true]) {
    const check = () => {
      const tail = readTail(home, end.sessionId, TAIL)
      return isOpen(tail) && wantsCancel(tail) === isCancelled
    }
    if (await appendLifecycle(home, isCancelled ? insteadOf(end) : end, 'supervisor', { epoch, check })) return true
  }
  return false
}

interface Ended {
  readonly env: NodeJS.ProcessEnv
  readonly supervisor: Exits
  readonly manager: string
  readonly epoch: number
}

/** The fact, in the words of systemd.exec(5). */
function exitOf(home: Home, id: string, { env, supervisor, manager, epoch }: Ended): LifeEvent {
  return {
    type: 'daemon_exited',
    sessionId: id,
    unit: supervisor.unitName(id),
    invocationId: env.INVOCATION_ID,
    // Without a control group of its own, what was killed for memory nearby is none of its business.
    result: supervisor.promises.lastWord ? resultOf(home, id, env, epoch) : (env.SERVICE_RESULT ?? 'unknown'),
    code: env.EXIT_CODE,
    status: statusOf(env.EXIT_STATUS),
    manager,
  }
}

/**
 * What the registry was not told of the last run that the file knows: its start, and its end. The daemon has died before it could, or
 * the reaper of that run has. Told again, an old start would open what has ended.
 * @param run from its start on
 */
function untoldOf(row: Row | undefined, run: readonly Loose[]): Loose[] {
  const [started] = run
  if (started?.type !== 'daemon_started') return []
  const { epoch = 0, status, queuedAt } = row ?? {}
  const isNew = epoch < (numberIn(started.epoch) ?? 0)
  // What waits to be taken up again has ended before, and that was told.
  if (!isNew && (queuedAt !== undefined || (status !== undefined && !isLive(status)))) return []
  const ended = run.find(isTerminal)
  return [...(isNew ? [started] : []), ...(ended === undefined ? [] : [ended])]
}

/** The session, and when each of its runs was first heard of: of one that died at once, its exit is all that tells. */
function readRuns(home: Home, id: string): { state: SessionState; runs: number[]; newest: Loose | undefined } {
  const runs = new Map<unknown, number>()
  let newest: Loose | undefined
  const fd = openLog(sessionLog(home, id))
  try {
    const fold = new SessionFold(id)
    fold.read(fd, (record) => {
      const { type, invocationId, epoch, timestamp } = record
      if (type !== 'daemon_started' && type !== 'daemon_exited') return
      newest = record
      const run = invocationId ?? epoch
      if (!runs.has(run)) runs.set(run, Date.parse(asText(timestamp)))
    })
    return { state: fold.state, runs: [...runs.values()], newest }
  } finally {
    closeSync(fd)
  }
}

const isStillOpen = (home: Home, id: string): boolean => isOpen(readTail(home, id, TAIL))

/** Nothing of the session stays in the runtime directory. */
function sweep(home: Home, id: string): void {
  rmSync(doorbell(home, id), { force: true })
  rmSync(failureFile(home, id), { force: true })
}

function epochOf(row: Row | undefined, tail: readonly Loose[], invocationId: string | undefined): number {
  const started = tail.findLast(({ type }) => type === 'daemon_started')
  const told = started?.invocationId === invocationId ? numberIn(started?.epoch) : undefined
  if (told !== undefined) return told
  if (row !== undefined && row.invocationId === invocationId) return row.epoch
  // It died before it could write that it started.
  const epochs = tail.map(({ epoch }) => (typeof epoch === 'number' ? epoch : 0))
  return Math.max(row?.epoch ?? 0, ...epochs) + 1
}

function resultOf(home: Home, id: string, env: NodeJS.ProcessEnv, epoch: number): string {
  const result = env.SERVICE_RESULT ?? 'unknown'
  if (result !== 'signal' || env.EXIT_STATUS !== 'KILL') return result
  const kills = oomKills()
  return kills > 0 && kills > notedKills(home, id, epoch) ? 'oom-kill' : result
}

const statusOf = (text: string | undefined): string | number | undefined =>
  text === undefined || text === '' ? undefined : /^\d+$/.test(text) ? Number(text) : text

/** @param which the user's manager, or the system's. @returns `unknown` for one that does not answer in time */
export async function managerState(which: readonly string[] = ['--user'], timeoutMs = PATIENCE_MS): Promise<string> {
  const argv = ['systemctl', ...which, 'is-system-running'] as const
  try {
    return (await run(argv, 'ask the manager how it is', { anyStatus: true, timeoutMs })).trim()
  } catch (error) {
    if (error instanceof AgentzError) return 'unknown'
    throw error
  }
}
