/** What `launchctl print` says, in the form that people have published (see test/supervisor/launchd/print.test.ts). */
import { constants } from 'node:os'
import type { Job } from './job.js'

/** strsignal(3), for what tests send. */
const signals: Partial<Record<NodeJS.Signals, string>> = {
  SIGHUP: 'Hangup',
  SIGINT: 'Interrupt',
  SIGKILL: 'Killed',
  SIGSEGV: 'Segmentation fault',
  SIGTERM: 'Terminated',
}
const exits: Record<number, string> = {
  64: 'EX_USAGE',
  65: 'EX_DATAERR',
  70: 'EX_SOFTWARE',
  74: 'EX_IOERR',
  78: 'EX_CONFIG',
}
const spawnTypes: Record<string, string> = {
  Background: 'background (5)',
  Standard: 'daemon (3)',
  Adaptive: 'adaptive (6)',
  Interactive: 'interactive (4)',
}

export function ofJob(target: string, domain: string, job: Job): string {
  const { keys, state, pid, runs } = job
  const blockOf = (name: string, lines: string[]) => [`${name} = {`, ...lines.map((line) => `\t${line}`), '}', '']
  const lines = [
    `active count = ${pid === undefined ? 0 : 1}`,
    `path = ${job.path}`,
    'type = LaunchAgent',
    `state = ${state}`,
    '',
    `program = ${keys.ProgramArguments[0]}`,
    ...blockOf('arguments', [...keys.ProgramArguments]),
    `working directory = ${keys.WorkingDirectory}`,
    '',
    `stdout path = ${keys.StandardOutPath}`,
    `stderr path = ${keys.StandardErrorPath}`,
    ...blockOf(
      'environment',
      Object.entries(job.environment).map(([name, value]) => `${name} => ${value}`),
    ),
    `domain = ${domain}`,
    'asid = 100008',
    `minimum runtime = ${keys.ThrottleInterval}`,
    `exit timeout = ${keys.ExitTimeOut}`,
    'nice = 0',
    `runs = ${runs}`,
    ...(pid === undefined ? [] : [`pid = ${pid}`, 'immediate reason = speculative', 'forks = 0', 'execs = 1']),
    ended(job.exit),
    '',
    `spawn type = ${spawnTypes[keys.ProcessType]}`,
    'jetsam priority = 40',
    `properties = ${[...(keys.RunAtLoad ? ['runatload'] : []), 'inferred program'].join(' | ')}`,
  ]
  return `${target} = {\n${lines.map((line) => (line === '' ? '' : `\t${line}`)).join('\n')}\n}\n`
}

function ended(exit: Job['exit']): string {
  if (exit === undefined) return 'last exit code = (never exited)'
  const { code, signal } = exit
  if (signal !== null) return `last terminating signal = ${signals[signal] ?? signal}: ${constants.signals[signal]}`
  return `last exit code = ${code}${exits[code ?? 0] === undefined ? '' : `: ${exits[code ?? 0]}`}`
}

export function ofDomain(domain: string, jobs: readonly Job[], disabled: ReadonlySet<string>): string {
  const last = ({ exit }: Job) =>
    exit === undefined ? '-' : exit.signal === null ? String(exit.code) : `-${constants.signals[exit.signal]}`
  const row = (job: Job) => `\t\t${String(job.pid ?? 0).padStart(8)} ${last(job).padStart(6)} \t${job.keys.Label}`
  return [
    `${domain} = {`,
    `\ttype = ${domain.startsWith('gui/') ? 'login' : 'user'}`,
    `\tactive count = ${jobs.length}`,
    '\tservices = {',
    ...jobs.map(row),
    '\t}',
    '',
    '\tdisabled services = {',
    ...[...disabled].map((label) => `\t\t"${label}" => disabled`),
    '\t}',
    '}',
    '',
  ].join('\n')
}
