/**
 * Up to where the registry was last seen to agree with the session files; in cache/. A registry that was cut off, changed or put
 * back from a copy since then does not fit it any more, and has to be held against the session files again.
 */
import { statSync } from 'node:fs'
import type { Home } from '../base/paths.js'
import { readRegularFile } from '../base/read-file.js'
import { isPlaceIn, type Place, placeOf, replaceCached } from './cache.js'

const VERSION = 1
/** A directory that has changed so lately may have changed once more at the same time on the clock. */
const SETTLED_MS = 2_000

export interface Mark extends Place {
  version: number
  /** Damaged lines before it, which were made up for. */
  damaged: number
  /** The directory of sessions when its names were last looked through; absent if it was changing then. */
  sessions?: string
}

/** @returns undefined if there is none, or nothing that can be read as one */
export function loadMark(home: Home): Mark | undefined {
  try {
    const mark: Mark | null = JSON.parse(readRegularFile(home.mark).toString())
    return mark?.version === VERSION ? mark : undefined
  } catch {
    // Absent, unreadable or damaged: all the same, it is a cache.
    return undefined
  }
}

export const fits = (fd: number, mark: Mark): boolean => isPlaceIn(fd, mark)

/** Replaces the mark, where it would say something else than `before`. */
export function saveMark(
  home: Home,
  fd: number,
  known: { offset: number; damaged: number; sessions: string | undefined },
  before: Mark | undefined,
): void {
  const { offset, damaged, sessions } = known
  const mark: Mark = { version: VERSION, ...placeOf(fd, offset), damaged, ...(sessions && { sessions }) }
  const text = JSON.stringify(mark)
  if (text !== JSON.stringify(before)) replaceCached(home.mark, text)
}

/** What stays the same while no file comes or goes; undefined if it has just changed. */
export function stampOf(directory: string): string | undefined {
  const { dev, ino, mtimeNs, mtimeMs } = statSync(directory, { bigint: true })
  return Math.abs(Date.now() - Number(mtimeMs)) < SETTLED_MS ? undefined : `${dev} ${ino} ${mtimeNs}`
}
