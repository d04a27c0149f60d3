/**
 * The folded registry on disk, in cache/: a line of JSON about it, then a line for each row; deleting it changes nothing but
 * time. It names the place in the registry that it was made from and a hash of the rows; any mismatch, and anything odd in it,
 * means a full fold.
 */
import { isAscii } from 'node:buffer'
import type { Home } from '../base/paths.js'
import { readRegularFile } from '../base/read-file.js'
import { hashOf, isPlaceIn, type Place, placeOf, replaceCached } from './cache.js'
import type { RegistryFold } from './registry.js'
import { Rows } from './rows.js'

/** Raise it when rows change their shape. */
export const VERSION = 6

interface Stored extends Place {
  version: number
  damaged: number
  ignored: number
  /** How many rows follow, and the hash of their text. */
  rows: number
  rowsHash: string
}

/** The checkpoint that fits the open registry `fd`, if there is one. */
export function loadCheckpoint(path: string, fd: number): { offset: number; fold: RegistryFold } | undefined {
  let stored: Stored
  let rows: Rows
  try {
    const bytes = readRegularFile(path)
    const end = bytes.indexOf('\n') + 1
    stored = JSON.parse(bytes.toString('utf8', 0, end))
    const body = bytes.subarray(end)
    if (stored?.version !== VERSION || stored.rowsHash !== hashOf(body)) return undefined
    // Decoding UTF-8 takes ten times as long, and most prompts have no need of it.
    rows = Rows.parse(body.toString(isAscii(body) ? 'latin1' : 'utf8'))
  } catch {
    // Absent, unreadable or damaged: all the same, it is a cache.
    return undefined
  }
  if (!isPlaceIn(fd, stored) || stored.rows !== rows.size) return undefined
  return { offset: stored.offset, fold: { rows, damaged: stored.damaged, ignored: stored.ignored } }
}

/** Replaces the checkpoint. */
export function saveCheckpoint(home: Home, fd: number, { offset, fold }: { offset: number; fold: RegistryFold }): void {
  const { rows, damaged, ignored } = fold
  const body = [...[...rows.ids()].map((id) => rows.text(id)), ''].join('\n')
  const stored: Stored = {
    version: VERSION,
    ...placeOf(fd, offset),
    damaged,
    ignored,
    rows: rows.size,
    rowsHash: hashOf(body),
  }
  replaceCached(home.checkpoint, `${JSON.stringify(stored)}\n${body}`)
}
