/**
 * What the stand-in for launchd takes a property list for: every key that it honours, with the sentence of launchd.plist(5) that
 * it holds to in short. launchd itself skips a key that it does not know; here that is an error, since it would be a mistake of ours.
 */
import { readFileSync, statSync } from 'node:fs'
import { parse } from 'plist'

export interface JobKeys {
  /** "Label: uniquely identifies the job to launchd"; required. */
  readonly Label: string
  /** "ProgramArguments: maps to the second argument of execvp(3)", and its first word is the program where there is no Program. */
  readonly ProgramArguments: readonly string[]
  /** "EnvironmentVariables: additional environmental variables to be set before running the job." */
  readonly EnvironmentVariables: Readonly<Record<string, string>>
  /** "RunAtLoad: whether your job is launched once at the time the job is loaded. The default is false." */
  readonly RunAtLoad: boolean
  /**
   * "KeepAlive: whether your job is to be kept continuously running"; or a dictionary of conditions, of which this one is known:
   * "SuccessfulExit: if false, the job will be restarted in the inverse condition [...] implies that RunAtLoad is set to true".
   */
  readonly KeepAlive: boolean | { readonly SuccessfulExit: boolean }
  /** "ThrottleInterval: in seconds, and by default, jobs will not be spawned more than once every 10 seconds." */
  readonly ThrottleInterval: number
  /** "ExitTimeOut: the time launchd waits between sending SIGTERM and before sending SIGKILL. Zero is interpreted as infinity." */
  readonly ExitTimeOut: number
  /** "AbandonProcessGroup: when a job dies, launchd kills any remaining processes with the same process group ID; true disables that." */
  readonly AbandonProcessGroup: boolean
  /** "Umask: what value should be passed to umask(2) before running the job"; property lists have no octal numbers. */
  readonly Umask: number
  /** "WorkingDirectory: used to specify a directory to chdir(2) to before running the job." */
  readonly WorkingDirectory: string
  /** "StandardOutPath: what file should be used for data being sent to stdout"; it is made if need be, and appended to. */
  readonly StandardOutPath: string
  readonly StandardErrorPath: string
  /** "ProcessType: Background, Standard, Adaptive or Interactive; Interactive jobs run with the same limitations as apps, that is, none." */
  readonly ProcessType: string
  /** "LimitLoadToSessionType: this configuration file only applies to sessions of the type specified"; Aqua where it says nothing. */
  readonly LimitLoadToSessionType: readonly string[]
}

type Check = (value: unknown) => boolean
const isText: Check = (value) => typeof value === 'string'
const isSwitch: Check = (value) => typeof value === 'boolean'
const isCount: Check = (value) => Number.isInteger(value) && Number(value) >= 0
const isDictionary = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const texts: Check = (value) => Array.isArray(value) && value.length > 0 && value.every(isText)
const oneOf =
  (...words: string[]): Check =>
  (value) =>
    words.includes(value as string)
const isSession = oneOf('Aqua', 'Background', 'LoginWindow', 'StandardIO', 'System')

const checks: Record<keyof JobKeys, Check> = {
  Label: (value) => isText(value) && value !== '',
  ProgramArguments: texts,
  EnvironmentVariables: (value) => isDictionary(value) && Object.values(value).every(isText),
  RunAtLoad: isSwitch,
  KeepAlive: (value) =>
    isSwitch(value) ||
    (isDictionary(value) && Object.keys(value).join() === 'SuccessfulExit' && isSwitch(value.SuccessfulExit)),
  ThrottleInterval: isCount,
  ExitTimeOut: isCount,
  AbandonProcessGroup: isSwitch,
  Umask: isCount,
  WorkingDirectory: isText,
  StandardOutPath: isText,
  StandardErrorPath: isText,
  ProcessType: oneOf('Background', 'Standard', 'Adaptive', 'Interactive'),
  LimitLoadToSessionType: (value) =>
    isSession(value) || (Array.isArray(value) && value.length > 0 && value.every(isSession)),
}

const defaults: Omit<JobKeys, 'Label' | 'ProgramArguments'> = {
  EnvironmentVariables: {},
  RunAtLoad: false,
  KeepAlive: false,
  ThrottleInterval: 10,
  // As `launchctl print` shows it of jobs that say nothing.
  ExitTimeOut: 5,
  AbandonProcessGroup: false,
  Umask: 0o022,
  WorkingDirectory: '/',
  StandardOutPath: '/dev/null',
  StandardErrorPath: '/dev/null',
  ProcessType: 'Standard',
  LimitLoadToSessionType: ['Aqua'],
}

/** @throws a sentence, for what is no job */
export function readJob(path: string): JobKeys {
  // launchctl(1), load: files must belong to the user who loads them, and nobody else may write them.
  const stat = statSync(path)
  if (stat.uid !== process.getuid?.() || (stat.mode & 0o022) !== 0)
    throw new Error('Path had bad ownership/permissions')
  return checkJob(parse(readFileSync(path, 'utf8')))
}

export function checkJob(value: unknown): JobKeys {
  if (!isDictionary(value)) throw new Error('not a dictionary')
  for (const [key, item] of Object.entries(value)) {
    const check = checks[key as keyof JobKeys]
    if (check === undefined) throw new Error(`unknown key ${key}`)
    if (!check(item)) throw new Error(`${key} cannot be ${JSON.stringify(item)}`)
  }
  for (const key of ['Label', 'ProgramArguments']) if (!(key in value)) throw new Error(`${key} is missing`)
  const { LimitLoadToSessionType: sessions = defaults.LimitLoadToSessionType } = value
  return { ...defaults, ...(value as unknown as JobKeys), LimitLoadToSessionType: [sessions].flat() as string[] }
}
