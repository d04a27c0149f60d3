/** An agent's process: how it starts, how its end is told, how it is ended. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { errno, reason } from '../base/errors.js'
import { oomCount, oomKills } from '../base/oom.js'
import { killAll, signalAll, treeOf, waitGone } from '../base/tree.js'
import type { Cause } from '../session/events.js'
import type { Spec } from '../session/spec.js'
import { short } from './cut.js'
import { findProgram } from './program.js'

/** How long the pipes may stay open after the exit: background processes can hold them for ever. */
const PIPE_MS = 2000
/** How much likelier than the daemon an agent is to be chosen when memory runs out; oom_score_adj goes to 1000. */
const OOM_STEP = 200

export type Exit =
  | { readonly code: number; readonly signal: null }
  | { readonly code: null; readonly signal: NodeJS.Signals; readonly oom: boolean }
  | { readonly error: Error }

export interface Started {
  readonly child: ChildProcess
  /** Its name for sentences. */
  readonly name: string
  readonly pid: number | undefined
  /** Never rejects; a program that could not be started ends with `error`. */
  readonly exited: Promise<Exit>
}

export interface StartOptions {
  readonly argv: readonly string[]
  readonly spec: Pick<Spec, 'sessionId' | 'workingDir' | 'umask'>
  readonly env: Readonly<Record<string, string>>
  readonly stdin: 'pipe' | 'ignore'
}

/** Starts a program without a shell, with the caller's environment, directory and umask. */
export function startProcess({ argv, spec, env, stdin }: StartOptions): Started {
  const [name = '', ...args] = argv
  const killsBefore = oomKills()
  const olderKills = () => Math.max(killsBefore, oomCount.settled())
  // An unfound name goes to spawn as it is: its ENOENT then ends the process like every other failure to start.
  const file = findProgram(name, env.PATH, spec.workingDir) ?? name
  const callersUmask = process.umask(Number.parseInt(spec.umask, 8))
  let child: ChildProcess
  try {
    child = spawn(file, args, {
      argv0: name,
      cwd: spec.workingDir,
      env: { ...env, AGENTZ_SESSION_ID: spec.sessionId },
      stdio: [stdin, 'pipe', 'pipe'],
    })
  } finally {
    process.umask(callersUmask)
  }
  const { pid } = child
  if (pid !== undefined) offerToOom(pid)
  const exited = new Promise<Exit>((resolve) => {
    // With a pid an error is one of signalling, and the exit is still to come.
    child.on('error', (error) => pid === undefined && resolve({ error }))
    child.once('exit', (code, signal) => {
      if (signal === null) resolve({ code: code ?? 0, signal })
      else resolve({ code: null, signal, oom: signal === 'SIGKILL' && oomKills() > olderKills() })
    })
  })
  return { child, name: short(basename(name)), pid, exited }
}

/**
 * Waits for the exit and then for `outputs`, which settle when the pipes are drained. A background process can hold
 * a pipe for ever, so after 2 s (time spent on a full log excluded) the pipes are closed from this side.
 * @returns the exit, and whether a pipe was given up
 */
export async function settle(
  { child, exited }: Started,
  outputs: Promise<unknown>,
  full: () => Promise<void> | undefined,
): Promise<{ exit: Exit; abandoned: boolean }> {
  const exit = await exited
  for (;;) {
    if (await within(outputs, PIPE_MS)) return { exit, abandoned: false }
    const wait = full()
    if (wait === undefined) break
    await wait
  }
  const open: (Readable | null)[] = [child.stdout, child.stderr]
  for (const stream of open) stream?.destroy()
  await outputs
  return { exit, abandoned: true }
}

/** Why the process ended, in systemd's words. Node does not tell whether a signal dumped core: it counts as killed. */
export function causeOf(exit: Exit): Cause {
  if ('error' in exit) {
    const missing = errno(exit.error) === 'ENOENT' || errno(exit.error) === 'EACCES'
    return { result: missing ? 'not-found' : 'resources', message: short(reason(exit.error)) }
  }
  if (exit.signal === null) {
    return { result: exit.code === 0 ? 'success' : 'exit-code', code: 'exited', status: exit.code }
  }
  return { result: exit.oom ? 'oom-kill' : 'signal', code: 'killed', status: exit.signal.replace(/^SIG/, '') }
}

/** The same as a sentence. */
export function sentenceOf(name: string, exit: Exit): string {
  if ('error' in exit) return `\`${name}\` could not be started: ${short(reason(exit.error))}`
  if (exit.signal === null) return `\`${name}\` exited with status ${exit.code}`
  if (exit.oom) return `\`${name}\` was killed because the session ran out of memory`
  return `\`${name}\` was ended by ${exit.signal}`
}

/**
 * Ends a process and everything below it: the signal (to `tree`, or to the process alone, where it looks after its own
 * children), up to `graceMs` to go, then SIGKILL to all that are left.
 */
export async function stopProcess(
  { child, pid, exited }: Started,
  { signal, to, graceMs }: { signal: NodeJS.Signals; to: 'tree' | 'process'; graceMs: number },
): Promise<void> {
  if (pid === undefined) return
  const end = performance.now() + graceMs
  const members = treeOf([pid])
  child.kill(signal)
  if (to === 'tree') {
    const below = members.filter((member) => member.pid !== pid)
    signalAll(below, signal)
  }
  await within(exited, graceMs)
  const left = await waitGone(members, end - performance.now())
  const late = treeOf([pid])
  child.kill('SIGKILL')
  await killAll([...left, ...late])
  await exited
}

/** @returns whether `promise` settled within `ms` milliseconds; a rejection is passed on */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController()
  try {
    return await Promise.race([promise.then(() => true), delay(ms, false, { signal: timer.signal })])
  } finally {
    timer.abort()
  }
}

function offerToOom(pid: number): void {
  try {
    const own = Number(readFileSync('/proc/self/oom_score_adj', 'latin1'))
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(Math.min(1000, own + OOM_STEP)))
  } catch (error) {
    // No such file: not Linux, or it has ended already. EACCES, EPERM: a sandbox forbids it; the agent runs all the same.
    if (!['ENOENT', 'ESRCH', 'EACCES', 'EPERM', 'EROFS'].includes(errno(error) ?? '')) throw error
  }
}
