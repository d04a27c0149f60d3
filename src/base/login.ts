/**
 * One-time codes, by which a browser logs in. `agentz open` writes the hash of a code under AGENTZ_HOME, any server of that home takes
 * it away: so the server keeps nothing, and of two requests with the same code one is too late, whichever server they go to.
 * A file is named after the SHA-256 of its code, and holds the millisecond at which the code is void.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, renameSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { AgentzError, errno, reason } from './errors.js'
import { type Home, privateDirectory } from './paths.js'
import { readPrivate, writeAside } from './private.js'

/** How long a code may wait for the browser to start, in milliseconds. */
export const CODE_MS = 60_000

/** Makes a code that is good for one login. @throws HOME_UNUSABLE, LOG_WRITE */
export function issueCode(home: Home, now = Date.now()): string {
  privateDirectory(home.logins)
  removeVoid(home, now)
  const code = randomBytes(32).toString('base64url')
  write(fileOf(home, code), `${now + CODE_MS}\n`)
  return code
}

/**
 * A page that leads to `url`, in a file of its own: what stands on a command line, such as a browser's, everybody on the machine may
 * read. It goes with the codes. @returns its path @throws LOG_WRITE
 */
export function leadTo(home: Home, code: string, url: string): string {
  const path = `${fileOf(home, code)}.html`
  const refresh = `<meta http-equiv="refresh" content="0;url=${url}">`
  write(path, `<!doctype html><meta name="referrer" content="no-referrer">${refresh}<a href="${url}">agentz</a>\n`)
  return path
}

/** Uses a code up. @returns whether it was good; never true twice */
export function takeCode(home: Home, code: string, now = Date.now()): boolean {
  const path = fileOf(home, code)
  let end: number
  try {
    end = Number(readPrivate(path))
    unlinkSync(path)
  } catch (error) {
    // It never was, or another request was quicker.
    if (errno(error) === 'ENOENT') return false
    throw unusable(path, error)
  }
  return isGood(end, now)
}

const unusable = (path: string, cause: unknown): AgentzError =>
  new AgentzError('HOME_UNUSABLE', `cannot use the login code ${path}: ${reason(cause)}`, {
    hint: 'Remove it, and run `agentz open` again.',
    cause,
  })

/** Not over; and not of a time to come, which a clock that went back makes of it. */
const isGood = (end: number, now: number): boolean => end > now && end <= now + CODE_MS

export const fileOf = (home: Home, code: string): string =>
  join(home.logins, createHash('sha256').update(code).digest('hex'))

function write(path: string, text: string): void {
  try {
    writeAside(path, text, (fresh) => renameSync(fresh, path))
  } catch (error) {
    throw new AgentzError('LOG_WRITE', `cannot write the login code ${path}: ${reason(error)}`, { cause: error })
  }
}

/** Codes that nobody used, and pages that lead to one. Files of other names are somebody else's, or are being written. */
function removeVoid(home: Home, now: number): void {
  for (const name of readdirSync(home.logins).filter((each) => /^[0-9a-f]{64}(\.html)?$/.test(each))) {
    const path = join(home.logins, name)
    try {
      const end = name.endsWith('.html') ? statSync(path).mtimeMs + CODE_MS : Number(readPrivate(path))
      if (!isGood(end, now)) unlinkSync(path)
    } catch (error) {
      // It was used at this very moment.
      if (errno(error) !== 'ENOENT') throw unusable(path, error)
    }
  }
}
