/** Names of durable streams, as clients choose them, where they stand in addresses, and of the files that they are kept in. */
import { AgentzError } from '../base/errors.js'

/** Bytes of a file's name that are left for it beside the longest ending, with room to spare. */
const LONGEST = 200

/** Most names are spelled as they are. */
const PLAIN = new RegExp(`^[a-z0-9_-]{1,${LONGEST}}$`)

/**
 * The name with every byte but a-z 0-9 - _ as %xx: no dot, no slash, and nothing that differs by its case alone, so that
 * different names are different files on every system. @throws BAD_INPUT for a name that is too long, or none
 */
export function keyOf(name: string): string {
  if (PLAIN.test(name)) return name
  const key = [...Buffer.from(name)].map(spelled).join('')
  if (key.length > 0 && key.length <= LONGEST) return key
  throw new AgentzError('BAD_INPUT', `the name of a stream must be 1 to ${LONGEST} characters, and is ${key.length}`, {
    hint: 'Take a shorter one; what is not a-z, 0-9, - or _ counts as three for each of its bytes.',
  })
}

function spelled(byte: number): string {
  const character = String.fromCharCode(byte)
  return /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
}

export const PREFIX = '/v1/stream/'

/** The name in the path of a stream. @param what where it stands, for errors. @throws BAD_INPUT, NOT_FOUND */
export function nameIn(url: string, what = 'the path of the request'): string {
  const [path = ''] = url.split('?', 1)
  // A router may take a path that is spelled otherwise for the same.
  if (!path.startsWith(PREFIX)) throw new AgentzError('NOT_FOUND', `streams are at ${PREFIX} alone`)
  try {
    return decodeURIComponent(path.slice(PREFIX.length))
  } catch (error) {
    throw new AgentzError('BAD_INPUT', `${what} is not UTF-8`, { cause: error })
  }
}

/** Logs of ours, and what the protocol keeps for itself. */
export const isOwn = (name: string): boolean => name.startsWith('sessions/') || name.startsWith('__')

/** Whether it is of no client. */
export function isOwnIn(url: string): boolean {
  try {
    return isOwn(nameIn(url))
  } catch {
    // Whatever it is, it is not for everybody; the handler says what is wrong.
    return true
  }
}
