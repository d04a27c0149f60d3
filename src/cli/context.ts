/** What every verb starts with. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { ArgumentsCamelCase, Argv } from 'yargs'
import { type Config, readConfig } from '../base/config.js'
import { AgentzError } from '../base/errors.js'
import { ensureHome, type Home, homePaths } from '../base/paths.js'
import { chooseSupervisor } from '../supervisor/choose.js'
import type { Supervisor } from '../supervisor/supervisor.js'

export interface Context {
  readonly home: Home
  readonly config: Config
  readonly supervisor: Supervisor
}

/** @throws HOME_UNUSABLE, CONFIG_INVALID, BAD_INPUT */
export function context(): Context {
  const home = homePaths()
  const parent = dirname(home.root)
  // Mistyped, it would be made, and look like a machine without sessions.
  if (!existsSync(parent)) {
    throw new AgentzError('HOME_UNUSABLE', `cannot make the directory ${home.root}: there is no ${parent}`, {
      hint: 'Correct AGENTZ_HOME, or make the directory that it stands in.',
    })
  }
  ensureHome(home)
  const config = readConfig(home)
  return { home, config, supervisor: chooseSupervisor(home, config) }
}

/** One verb: its file exports one of these. `handle` returns the exit status. */
export interface Verb<A> {
  readonly command: string
  readonly describe: string
  readonly build: (yargs: Argv) => Argv<A>
  /** `rest` is what stood behind `--`, untouched. */
  readonly handle: (args: ArgumentsCamelCase<A>, rest: readonly string[]) => Promise<number>
}

/** More of them is more than a timer of Node takes: it would refuse, or ring at once. */
const MOST_SECONDS = 2_147_483

/** The seconds that -t was given, as whole milliseconds. @throws BAD_INPUT */
export function milliseconds(text: string): number {
  const value = Number(text)
  // Of nothing at all, as of a variable that is not set, Number() makes 0.
  if (value >= 0 && value <= MOST_SECONDS && text.trim() !== '') return Math.round(value * 1000)
  throw new AgentzError('BAD_INPUT', `-t: ${JSON.stringify(text)} is not a number of seconds up to ${MOST_SECONDS}`)
}

export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  notFound: 3,
  needsAnswer: 4,
  failed: 10,
  cancelled: 11,
  interrupted: 12,
  timedOut: 124,
} as const
