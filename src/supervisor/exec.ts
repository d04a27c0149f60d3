/** The one place that runs the system's tools: an argv array, no shell, a time limit, errors that carry what the tool said. */
import { execFile } from 'node:child_process'
import { AgentzError, errno } from '../base/errors.js'
import { userRuntimeDirectory } from '../base/paths.js'

const TIMEOUT_MS = 10_000
const MAX_BUFFER = 64 * 1024 * 1024

export interface RunOptions {
  /** Some questions are answered by text and a non-zero exit status alike. */
  readonly anyStatus?: boolean
  readonly timeoutMs?: number
}

/** How a tool ended, whatever its exit status. */
export interface Outcome {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a tool whose exit status is part of its answer.
 * @throws NO_MANAGER where there is no such tool, or it does not answer; UNIT_FAILED where it was killed
 */
export function attempt(argv: readonly [string, ...string[]], doing: string, timeoutMs = TIMEOUT_MS): Promise<Outcome> {
  const [program, ...args] = argv
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C' }
    execFile(program, args, { env, timeout: timeoutMs, maxBuffer: MAX_BUFFER }, (error, stdout, stderr) => {
      if (error === null) return resolve({ status: 0, stdout, stderr })
      if (typeof error.code === 'number') return resolve({ status: error.code, stdout, stderr })
      const said = error.killed ? `no answer in ${timeoutMs / 1000} s` : stderr.trim() || error.message
      const code = error.killed || errno(error) === 'ENOENT' ? 'NO_MANAGER' : 'UNIT_FAILED'
      reject(new AgentzError(code, `cannot ${doing}: ${said}`, { cause: error }))
    })
  })
}

/**
 * Runs a tool of systemd to its end. @returns its standard output
 * @throws NO_MANAGER where no user manager answers; UNIT_FAILED with the tool's own words
 */
export function run(argv: readonly [string, ...string[]], doing: string, options: RunOptions = {}): Promise<string> {
  const { anyStatus = false, timeoutMs = TIMEOUT_MS } = options
  const [program, ...args] = argv
  return new Promise((resolve, reject) => {
    const env = { ...process.env, XDG_RUNTIME_DIR: userRuntimeDirectory(), LC_ALL: 'C' }
    execFile(program, args, { env, timeout: timeoutMs, maxBuffer: MAX_BUFFER }, (error, stdout, stderr) => {
      if (error === null || (anyStatus && stdout !== '')) return resolve(stdout)
      const said = error.killed ? `no answer in ${timeoutMs / 1000} s` : stderr.trim() || error.message
      // "is destructive": it is ending, and starts nothing any more.
      const absent =
        error.killed ||
        errno(error) === 'ENOENT' ||
        /Failed to connect to (user scope )?bus|not been booted with systemd|No such device or address|No medium found|is destructive/.test(
          said,
        )
      const code = absent ? 'NO_MANAGER' : 'UNIT_FAILED'
      reject(new AgentzError(code, `cannot ${doing}: ${said}`, { cause: error }))
    })
  })
}
