/**
 * What `launchctl print` says, read. launchctl(1) calls its form no interface, and there is no other that tells how a job has
 * ended; so only lines are read whose form has stayed the same since OS X 10.10, and what else there is changes nothing.
 */
import type { Exit } from '../supervisor.js'

export interface Job {
  /** In launchd's words: running, xpcproxy, spawn scheduled, not running. */
  readonly state: string
  readonly pid?: number
  /** How often it was started since it was loaded. */
  readonly runs?: number
  /** How the last run ended; absent before the first end. */
  readonly exit?: Exit
}

/** Fields stand behind one tab, and those of the blocks in between behind two or more. */
const field = /^\t([a-z][a-z ]*) = (.*)$/
const block = /^\t[a-z][^=]* = \{$/

/** `launchctl print DOMAIN/LABEL` */
export function parseJob(text: string): Job {
  const fields = new Map<string, string>()
  let inBlock = false
  for (const line of text.split('\n')) {
    if (inBlock) inBlock = line !== '\t}'
    else if (block.test(line)) inBlock = true
    else {
      const [, name, value] = field.exec(line) ?? []
      // An argument with line breaks could look like a field of the job: what launchd says itself comes once.
      if (name !== undefined && !fields.has(name)) fields.set(name, value!)
    }
  }
  const pid = Number(fields.get('pid'))
  const runs = Number(fields.get('runs') ?? Number.NaN)
  return {
    state: fields.get('state') ?? 'unknown',
    ...(pid > 0 ? { pid } : {}),
    ...(Number.isInteger(runs) ? { runs } : {}),
    ...exitOf(fields),
  }
}

/** A signal takes the place of the code; either line may carry a name, as in `78: EX_CONFIG` and `Killed: 9`. */
function exitOf(fields: Map<string, string>): { exit?: Exit } {
  const number = Number(/: (\d+)$/.exec(fields.get('last terminating signal') ?? '')?.[1])
  if (number > 0) {
    return { exit: { result: 'signal', code: 'killed', status: darwinSignals[number - 1] ?? number } }
  }
  const reason = fields.get('last exit reason')
  // Such as OS_REASON_CODESIGNING: the kernel ended it, and launchd tells no number.
  if (reason !== undefined) return { exit: { result: 'signal', code: 'killed', status: reason } }
  const code = /^\d+/.exec(fields.get('last exit code') ?? '')?.[0]
  if (code === undefined) return {}
  return { exit: { result: code === '0' ? 'success' : 'exit-code', code: 'exited', status: Number(code) } }
}

/** `launchctl print DOMAIN`: the labels of its jobs, and the process of each that has one. */
export function parseDomain(text: string): Map<string, number | undefined> {
  const jobs = new Map<string, number | undefined>()
  const lines = text.split('\n')
  const begin = lines.indexOf('\tservices = {')
  for (const line of begin < 0 ? [] : lines.slice(begin + 1)) {
    if (line === '\t}') break
    const [, pid, label] = /^\s+(\d+)\s+\S+\s+(\S.*)$/.exec(line) ?? []
    if (label !== undefined) jobs.set(label, Number(pid) || undefined)
  }
  return jobs
}

/** signal(3) of Darwin, from 1: some numbers differ from those of Linux. */
export const darwinSignals = [
  ...['HUP', 'INT', 'QUIT', 'ILL', 'TRAP', 'ABRT', 'EMT', 'FPE', 'KILL', 'BUS', 'SEGV', 'SYS', 'PIPE', 'ALRM', 'TERM'],
  ...['URG', 'STOP', 'TSTP', 'CONT', 'CHLD', 'TTIN', 'TTOU', 'IO', 'XCPU', 'XFSZ', 'VTALRM', 'PROF', 'WINCH', 'INFO'],
  ...['USR1', 'USR2'],
]
