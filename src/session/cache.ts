/** What is derived from a log and kept in cache/: where in which file it was made, and how it is replaced in one step. */
import { createHash } from 'node:crypto'
import { fstatSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs'

const HASHED = 4096

/** An offset just after a newline, in one file, with a hash of the bytes before it. */
export interface Place {
  dev: number
  ino: number
  offset: number
  hash: string
}

export function placeOf(fd: number, offset: number): Place {
  const { dev, ino } = fstatSync(fd)
  return { dev, ino, offset, hash: hashBefore(fd, offset) }
}

/** Whether the open file is the one that `place` was taken in, as far as it can be told from there. `place` may be anything. */
export function isPlaceIn(fd: number, place: Place | undefined | null): boolean {
  const { dev, ino, size } = fstatSync(fd)
  return (
    place?.dev === dev &&
    place.ino === ino &&
    Number.isSafeInteger(place.offset) &&
    place.offset >= 0 &&
    place.offset <= size &&
    place.hash === hashBefore(fd, place.offset)
  )
}

export const hashOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')

/** Replaces a file in one step. A failure is no harm: it is a cache. */
export function replaceCached(path: string, text: string): void {
  const fresh = `${path}.${process.pid}`
  try {
    writeFileSync(fresh, text, { mode: 0o600 })
    renameSync(fresh, path)
  } catch {
    try {
      rmSync(fresh, { force: true })
    } catch {
      // The directory takes nothing and gives nothing: it is read-only, or gone.
    }
  }
}

function hashBefore(fd: number, offset: number): string {
  const bytes = Buffer.alloc(Math.min(HASHED, offset))
  readSync(fd, bytes, 0, bytes.length, offset - bytes.length)
  return hashOf(bytes)
}
