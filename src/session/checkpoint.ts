/**
 * The folded registry on disk, in cache/: a line of JSON about it, then a line for each row; deleting it changes nothing but time. It names the file it was made from
 * (device, inode), how far (an offset just after a newline), and a hash of the bytes before that; any mismatch, and
 * anything odd in it, means a full fold.
 */
import { isAscii } from 'node:buffer'
import { createHash } from 'node:crypto'
import { fstatSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import type { Home } from '../base/paths.js'
import type { RegistryFold } from './registry.js'
import { Rows } from './rows.js'

/** Raise it when rows change their shape. */
const VERSION = 4
const HASHED = 4096

interface Stored {
  version: number
  dev: number
  ino: number
  offset: number
  hash: string
  damaged: number
  ignored: number
  /** How many rows follow. */
  rows: number
}

/** The checkpoint that fits the open registry `fd`, if there is one. */
export function loadCheckpoint(path: string, fd: number): { offset: number; fold: RegistryFold } | undefined {
  let stored: Stored
  let rows: Rows
  try {
    const bytes = readFileSync(path)
    // Decoding UTF-8 takes ten times as long, and most prompts have no need of it.
    const text = bytes.toString(isAscii(bytes) ? 'latin1' : 'utf8')
    const end = text.indexOf('\n') + 1
    stored = JSON.parse(text.slice(0, end))
    rows = Rows.parse(text.slice(end))
  } catch {
    // Absent, unreadable or damaged: all the same, it is a cache.
    return undefined
  }
  const { dev, ino, size } = fstatSync(fd)
  const fits =
    stored?.version === VERSION &&
    stored.dev === dev &&
    stored.ino === ino &&
    Number.isSafeInteger(stored.offset) &&
    stored.offset >= 0 &&
    stored.offset <= size &&
    stored.rows === rows.size &&
    stored.hash === hashBefore(fd, stored.offset)
  if (!fits) return undefined
  return { offset: stored.offset, fold: { rows, damaged: stored.damaged, ignored: stored.ignored } }
}

/** Replaces the checkpoint in one step. A failure is no harm: the next reader folds a little more. */
export function saveCheckpoint(home: Home, fd: number, state: { offset: number; fold: RegistryFold }): void {
  const { dev, ino } = fstatSync(fd)
  const { rows, damaged, ignored } = state.fold
  const stored: Stored = {
    version: VERSION,
    dev,
    ino,
    offset: state.offset,
    hash: hashBefore(fd, state.offset),
    damaged,
    ignored,
    rows: rows.size,
  }
  const fresh = `${home.checkpoint}.${process.pid}`
  try {
    const lines = [JSON.stringify(stored), ...[...rows.ids()].map((id) => rows.text(id)), '']
    writeFileSync(fresh, lines.join('\n'), { mode: 0o600 })
    renameSync(fresh, home.checkpoint)
  } catch {
    rmSync(fresh, { force: true })
  }
}

function hashBefore(fd: number, offset: number): string {
  const bytes = Buffer.alloc(Math.min(HASHED, offset))
  readSync(fd, bytes, 0, bytes.length, offset - bytes.length)
  return createHash('sha256').update(bytes).digest('hex')
}
