/** The one place that runs the system's tools: an argv array, no shell, a time limit, errors that carry what the tool said. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { AgentzError, errno } from '../base/errors.js'

const TIMEOUT_MS = 30_000

/**
 * Runs a tool of systemd to its end. @returns its standard output
 * @param anyStatus some questions are answered by text and a non-zero exit status alike
 * @throws NO_MANAGER where no user manager answers; UNIT_FAILED with the tool's own words
 */
export function run(argv: readonly [string, ...string[]], doing: string, anyStatus = false): Promise<string> {
  const [program, ...args] = argv
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...managerAddress(), LC_ALL: 'C' }
    execFile(program, args, { env, timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null || (anyStatus && stdout !== '')) return resolve(stdout)
      const said = stderr.trim() || error.message
      const absent =
        errno(error) === 'ENOENT' || /Failed to connect to (user scope )?bus|not been booted with systemd/.test(said)
      const code = absent ? 'NO_MANAGER' : 'UNIT_FAILED'
      reject(new AgentzError(code, `cannot ${doing}: ${said}`, { cause: error }))
    })
  })
}

/** A shell that was entered with su or from cron lacks the variable; the directory is there all the same. */
function managerAddress(): NodeJS.ProcessEnv {
  if (process.env.XDG_RUNTIME_DIR) return {}
  const runtime = `/run/user/${process.getuid?.()}`
  return existsSync(`${runtime}/bus`) ? { XDG_RUNTIME_DIR: runtime } : {}
}
