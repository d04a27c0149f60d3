/**
 * The registry: life-cycle events of all sessions, small lines, one file. A cache in the end: session files are the
 * truth. Rows are the fold; a checkpoint of it in cache/ saves reading the file from its beginning.
 */
import { closeSync, fstatSync } from 'node:fs'
import { numberIn, textIn } from '../base/field.js'
import type { Home } from '../base/paths.js'
import { appendOnce } from '../log/append.js'
import { foldRecords } from '../log/fold.js'
import { parseRecord } from '../log/line.js'
import { withLock } from '../log/lock.js'
import { openIfThere, readLog } from '../log/read.js'
import { loadCheckpoint, saveCheckpoint } from './checkpoint.js'
import { type RegistryEvent, Usage } from './events.js'
import { isId } from './id.js'
import { applyLife, type Life, type Loose, newLife, textOf } from './life.js'
import { Rows } from './rows.js'
import { Labels } from './spec.js'

/** One session as the registry knows it. */
export interface Row extends Life {
  sessionId: string
  agentType: string
  title: string
  prompt: string
  workingDir: string
  model?: string
  labels?: Record<string, string>
  parent?: string
  archived?: true
  /** Its place in the queue, from 1; whoever asks the units too adds it. */
  place?: number
}

export interface Registry {
  readonly rows: Rows
  readonly offset: number
  /** Of the file that was read; 0 if there was none. */
  readonly ino: number
  /** Lines that are no records. */
  readonly damaged: number
  /** Records of types, or of sessions, that are not known here. */
  readonly ignored: number
}

/** The state of a fold in progress; the checkpoint holds it as it is. */
export interface RegistryFold {
  rows: Rows
  damaged: number
  ignored: number
}

/** So many bytes past the checkpoint are folded again before a new one is written. */
const CHECKPOINT_EVERY = 256 * 1024
/** How far back an append looks for the same event; a repeat beyond is harmless to the fold. */
const LOOK_BACK = 64 * 1024

/**
 * Folds the registry, from its checkpoint or from an earlier reading, which it takes over. An absent file is empty.
 * Writes the checkpoint where it is worth it.
 */
export function readRegistry(home: Home, earlier?: Registry): Registry {
  const fd = openIfThere(home.registry)
  if (fd === undefined) return { rows: new Rows(), offset: 0, ino: 0, damaged: 0, ignored: 0 }
  try {
    const { ino, size } = fstatSync(fd)
    const goesOn = earlier !== undefined && earlier.ino === ino && earlier.offset <= size
    const known = goesOn ? { offset: earlier.offset, fold: { ...earlier } } : loadCheckpoint(home.checkpoint, fd)
    const fold: RegistryFold = known?.fold ?? { rows: new Rows(), damaged: 0, ignored: 0 }
    const from = known?.offset ?? 0
    const { offset, damaged } = foldRecords(fd, from, (record) => applyRegistry(fold, record))
    fold.damaged += damaged.length
    if (offset - from >= CHECKPOINT_EVERY) saveCheckpoint(home, fd, { offset, fold })
    return { rows: fold.rows, damaged: fold.damaged, ignored: fold.ignored, offset, ino }
  } finally {
    closeSync(fd)
  }
}

/** Applies one record to the fold, in place. */
export function applyRegistry(fold: RegistryFold, record: Loose): void {
  const id = record.sessionId
  if (!isId(id) || typeof record.type !== 'string') {
    fold.ignored++
    return
  }
  const row = fold.rows.get(id)
  switch (record.type) {
    case 'session_created':
      if (row !== undefined) return
      // Found again in its own file, by a repair: it is older than those that were not lost.
      if (record.by === 'supervisor') fold.rows.insert(id, newRow(id, record))
      else fold.rows.set(id, newRow(id, record))
      return
    case 'session_deleted':
      fold.rows.delete(id)
      return
    case 'session_archived':
      if (row !== undefined) row.archived = true
      return
    default:
      if (row === undefined || !applyLife(row, record)) fold.ignored++
      else if (record.type === 'session_updated') {
        // What a session's own file tells event by event.
        row.usage = Usage.safeParse(record.usage).data ?? row.usage
        row.stalled = numberIn(record.stalled)
      }
  }
}

function newRow(sessionId: string, record: Loose): Row {
  const model = textIn(record.model)
  const { success, data: labels } = Labels.safeParse(record.labels)
  const { parent } = record
  return {
    sessionId,
    agentType: textOf(record.agentType),
    title: textOf(record.title),
    prompt: textOf(record.prompt),
    workingDir: textOf(record.workingDir),
    ...(model === undefined ? {} : { model }),
    ...(success ? { labels } : {}),
    ...(isId(parent) ? { parent } : {}),
    ...newLife(record),
  }
}

/**
 * Appends one event, under the lock, unless the same (type, session, epoch) already stands near the end: reaper and
 * daemon may both have reason to write it. What was said before the session was queued (again) is no repeat of it.
 * @returns whether it was appended; it is on the disk then
 */
export function appendRegistry(home: Home, event: RegistryEvent): Promise<boolean> {
  return withLock(home.registry, () => {
    if (repeats(home, event)) return false
    appendOnce(home.registry, JSON.stringify(event))
    return true
  })
}

/** What may be said of a session again and again. */
const recurring: ReadonlySet<string> = new Set([
  'session_updated',
  'session_queued',
  'session_frozen',
  'session_thawed',
  'session_recovery',
])

function repeats(home: Home, event: RegistryEvent): boolean {
  // Nothing repeats what is not there.
  const size = recurring.has(event.type) ? 0 : registrySize(home)
  if (size === 0) return false
  let found = false
  const from = Math.max(0, size - LOOK_BACK)
  readLog(home.registry, { from }, ({ bytes }) => {
    if (!bytes.includes(event.sessionId)) return
    const isQueued = bytes.includes('"session_queued"')
    if (!isQueued && !bytes.includes(event.type)) return
    // The first line after a jump to `from` may be a part of one, and any line may be damaged inside.
    const record = parseRecord(bytes)
    if (record?.type === 'session_queued' && record.sessionId === event.sessionId) found = false
    else found ||= record !== undefined && isSame(record, event as unknown as Loose)
  })
  return found
}

/** Two daemons that died before they could count themselves have one epoch, and two invocations. */
const isSame = (record: Loose, event: Loose): boolean =>
  ['type', 'sessionId', 'epoch', 'invocationId'].every((field) => record[field] === event[field])

function registrySize(home: Home): number {
  const fd = openIfThere(home.registry)
  if (fd === undefined) return 0
  try {
    return fstatSync(fd).size
  } finally {
    closeSync(fd)
  }
}
