/** The bearer token of the server: 32 random bytes in a file of mode 0600, read by the server and by `agentz token` alone. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { AgentzError, errno, reason } from './errors.js'
import type { Home } from './paths.js'

/** Reads the token, making it at the first time. @throws HOME_UNUSABLE if the file is not ours or others may read it */
export function ensureToken(home: Home): string {
  if (existsSync(home.token)) return readToken(home)
  // Linked into place when whole: of several makers at once one wins, and nobody reads a half of it.
  const fresh = `${home.token}.${randomBytes(6).toString('hex')}`
  try {
    const fd = openSync(fresh, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
    try {
      writeSync(fd, `${randomBytes(32).toString('base64url')}\n`)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    linkSync(fresh, home.token)
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw unusable(home, reason(error), error)
  } finally {
    rmSync(fresh, { force: true })
  }
  return readToken(home)
}

function readToken(home: Home): string {
  let fd: number
  try {
    fd = openSync(home.token, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    throw unusable(home, reason(error), error)
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.uid !== process.getuid?.()) throw unusable(home, 'it is not a regular file of this user')
    if ((stat.mode & 0o077) !== 0) throw unusable(home, 'others may read it; remove it, and a new one is made')
    const token = readFileSync(fd, 'utf8').trim()
    if (!/^[\w-]{40,}$/.test(token)) throw unusable(home, 'it holds no token; remove it, and a new one is made')
    return token
  } finally {
    closeSync(fd)
  }
}

const unusable = (home: Home, why: string, cause?: unknown) =>
  new AgentzError('HOME_UNUSABLE', `cannot use the token file ${home.token}: ${why}`, { cause })
