/** Files under AGENTZ_HOME that only their owner may read: made whole or not at all, and read without a trap. */
import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'

/**
 * Reads a file that is ours, regular, and closed to others. Neither a link is followed, nor does a FIFO hang us.
 * @throws as the system does (ENOENT); else an Error that says what is wrong with it
 */
export function readPrivate(path: string): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.uid !== process.getuid?.()) throw new Error('it is not a regular file of this user')
    if ((stat.mode & 0o077) !== 0) throw new Error('others may read it')
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/**
 * Writes a new file of mode 0600, whole and synced; one that is there already is left as it is.
 * @throws as the system does (EEXIST); nothing of it is left then
 */
export function writeNew(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    const data = Buffer.from(text)
    const count = writeSync(fd, data)
    if (count !== data.length) throw new Error(`only ${count} of ${data.length} bytes were written`)
    fsyncSync(fd)
  } catch (error) {
    rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

/**
 * Writes a new file of mode 0600 beside `path` and hands its name to `place`, which links or renames it to where it belongs:
 * nobody ever reads a half of it. @throws as the system does
 */
export function writeAside(path: string, text: string, place: (fresh: string) => void): void {
  const fresh = `${path}.${randomBytes(6).toString('hex')}`
  try {
    writeNew(fresh, text)
    place(fresh)
  } finally {
    rmSync(fresh, { force: true })
  }
}
