/**
 * The bearer token of the server: 32 random bytes in a file of mode 0600, read by the server and by `agentz token` alone. Whoever
 * has it may do everything that its owner may; what a browser is given (cookie.ts) is made from it, and ends with it.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { existsSync, linkSync, lstatSync, renameSync } from 'node:fs'
import { AgentzError, errno, reason } from './errors.js'
import type { Home } from './paths.js'
import { readPrivate, writeAside } from './private.js'

/** Reads the token, making it at the first time. @throws HOME_UNUSABLE if the file is not ours or others may read it */
export function ensureToken(home: Home): string {
  // Linked into place: of several makers at once one wins.
  if (!existsSync(home.token)) make(home, (fresh) => linkSync(fresh, home.token))
  return readToken(home)
}

/** The same for who asks at each request: one look at the file tells whether it is the one that was read. */
export function tokenOf(home: Home): () => string {
  let [seen, token] = ['', '']
  return () => {
    const stat = lstatSync(home.token, { bigint: true, throwIfNoEntry: false })
    const now = stat === undefined ? '' : [stat.ino, stat.size, stat.ctimeNs, stat.mode].join()
    if (now === '' || now !== seen) {
      token = ensureToken(home)
      seen = now
    }
    return token
  }
}

/** The token as it stands there, for who has only to know what must not be seen. @returns undefined if there is none that can be read */
export function presentToken(home: Home): string | undefined {
  try {
    return readToken(home)
  } catch {
    // Absent, or out of reach in a sandbox: then nobody in there can read it out either.
    return undefined
  }
}

/** Makes another token: the one before, and all that browsers were given for it, count no more. @throws HOME_UNUSABLE */
export function rotateToken(home: Home): string {
  make(home, (fresh) => renameSync(fresh, home.token))
  return readToken(home)
}

function make(home: Home, place: (fresh: string) => void): void {
  try {
    writeAside(home.token, `${randomBytes(32).toString('base64url')}\n`, place)
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw unusable(home, reason(error), error)
  }
}

function readToken(home: Home): string {
  let token: string
  try {
    token = readPrivate(home.token).trim()
  } catch (error) {
    throw unusable(home, reason(error), error)
  }
  if (!/^[\w-]{40,}$/.test(token)) throw unusable(home, 'it holds no token')
  return token
}

const unusable = (home: Home, why: string, cause?: unknown) =>
  new AgentzError('HOME_UNUSABLE', `cannot use the token file ${home.token}: ${why}`, {
    hint: 'Remove it, and a new one is made, or run `agentz token --rotate`.',
    cause,
  })

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Whether an Authorization header carries this token. */
export function bears(authorization: string | undefined, token: string): boolean {
  const [scheme, given, ...rest] = (authorization ?? '').split(' ')
  // Hashes are of equal length, whatever was sent: the time of the comparison tells nothing.
  const fits = given !== undefined && rest.length === 0 && timingSafeEqual(digest(given), digest(token))
  return fits && scheme?.toLowerCase() === 'bearer'
}
