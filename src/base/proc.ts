/**
 * The processes of this machine: from /proc, and where there is none (Darwin) from ps(1). On a Mac ps shows no environment of
 * programs that the system protects, such as /bin/sh; that part has never been run on one.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { errno } from './errors.js'
import { parseArguments, parseProcesses, whoCarries } from './ps.js'

/** A process, named so that a later one with the same number is not taken for it. */
export interface Member {
  readonly pid: number
  /** When it was started, in the words of the system: clock ticks since the boot, or a date. */
  readonly start: string
}

export interface Stat extends Member {
  readonly parent: number
  /** One letter; Z and X are dead. */
  readonly state: string
}

const hasProc = existsSync('/proc/self/stat')

/** Every process, zombies too. */
export function processes(): Stat[] {
  if (!hasProc) return parseProcesses(ps('-axo', 'pid=,ppid=,stat=,lstart='))
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : []))
}

/** Those of `pids` that there are now. */
export function statsOf(pids: readonly number[]): Map<number, Stat> {
  const stats = hasProc ? pids.flatMap((pid) => statOf(pid) ?? []) : processes().filter(({ pid }) => pids.includes(pid))
  return new Map(stats.map((stat) => [stat.pid, stat]))
}

/** Processes of this user whose environment, as they were started with it, has `mark`: NAME=value. */
export function carriersOf(mark: string): Stat[] {
  if (hasProc) return processes().filter(({ pid }) => environmentOf(pid).includes(mark))
  const args = parseArguments(ps('-axwwo', 'pid=,args='))
  const carriers = whoCarries(mark, args, parseArguments(ps('-Eaxwwo', 'pid=,args=')))
  return processes().filter(({ pid }) => carriers.includes(pid))
}

/** The words that a process was started with; without /proc, words with blanks come in parts. Empty if there is none. */
export function argumentsOf(pid: number): string[] {
  if (!hasProc) return parseArguments(ps('-axwwo', 'pid=,args=')).get(pid)?.split(' ') ?? []
  return (readOf(pid, 'cmdline') ?? '').split('\0')
}

export const lives = (stat: Stat): boolean => stat.state !== 'Z' && stat.state !== 'X'

/** Whether a process that was noted earlier is still that one, and at work. */
export function isRunning({ pid, start }: Member): boolean {
  const stat = Number.isSafeInteger(pid) ? statOf(pid) : undefined
  return stat !== undefined && stat.start === start && lives(stat)
}

const environmentOf = (pid: number): string[] => (readOf(pid, 'environ') ?? '').split('\0')

/** proc_pid_stat(5): the second field is the name in brackets and may hold anything, so count from the last bracket. */
export function statOf(pid: number): Stat | undefined {
  if (!hasProc) return statsOf([pid]).get(pid)
  const text = readOf(pid, 'stat')
  if (text === undefined) return undefined
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { pid, state: fields[0] ?? '', parent: Number(fields[1]), start: fields[19] ?? '' }
}

function readOf(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch (error) {
    // EACCES, EPERM: of another user, and so not ours. ENOENT, ESRCH: it has ended, maybe between opening and reading.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(errno(error) ?? '')) return undefined
    throw error
  }
}

const ps = (...args: string[]): string =>
  execFileSync('ps', args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' }, maxBuffer: 64 * 1024 * 1024 })
