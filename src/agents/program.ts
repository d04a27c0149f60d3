/** Where a program is, by the caller's PATH and not by the daemon's. */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { AgentzError } from '../base/errors.js'
import type { Spec } from '../session/spec.js'

/** What execvp(3) searches where PATH is not set. */
const DEFAULT_PATH = '/usr/bin:/bin'

/**
 * The absolute path of the executable file that `name` stands for, undefined if there is none. A name with a slash, and
 * the relative entries of `path`, count from `workingDir`.
 */
export function findProgram(name: string, path: string | undefined, workingDir = '/'): string | undefined {
  if (name === '') return undefined
  if (name.includes('/')) {
    const file = resolve(workingDir, name)
    return isExecutable(file) ? file : undefined
  }
  return (path ?? DEFAULT_PATH)
    .split(delimiter)
    .map((directory) => join(resolve(workingDir, directory), name))
    .find(isExecutable)
}

/**
 * The program of an agent: `name` on PATH, or what config.json puts in its place.
 * @throws AGENT_MISSING with the line that installs it
 */
export function ownProgram(
  name: string,
  install: string,
  { command }: Pick<Spec, 'command'>,
  env: Readonly<Record<string, string>>,
  workingDir: string,
): string {
  const wanted = command?.[0] ?? name
  const program = findProgram(wanted, env.PATH, workingDir)
  if (program !== undefined) return program
  const where = wanted.includes('/') ? 'is not an executable file' : 'is not on PATH'
  const hint =
    command === undefined
      ? `Install it: ${install}. \`agentz agents\` lists the others.`
      : 'config.json of AGENTZ_HOME names it; correct it there.'
  throw new AgentzError('AGENT_MISSING', `cannot start the agent: \`${wanted}\` ${where}`, { hint })
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    // Whatever the reason (ENOENT, EACCES, ELOOP ...): this one cannot be run, and the next directory is asked.
    return false
  }
}
