/** The newest life-cycle records and cancels of a session, from the end of its file: a fold of a long one would take too long where this is asked. */
import { closeSync, fstatSync } from 'node:fs'
import { type Home, sessionLog } from '../base/paths.js'
import { parseRecord } from '../log/line.js'
import { openLog, readRecords } from '../log/read.js'
import type { Loose } from './life.js'
import { terminalStatuses } from './status.js'

const terminal: ReadonlySet<unknown> = new Set(terminalStatuses.map((status) => `session_${status}`))

/** Whatever holds none of them is no such record. */
const marks = ['"daemon_', '"session_', '"cancel_requested"']

/** Whether a run ends with a record of this type. */
export const isTerminal = ({ type }: Loose): boolean => terminal.has(type)

/** @param bytes how much of the end is looked at */
export function readTail(home: Home, id: string, bytes: number): Loose[] {
  const fd = openLog(sessionLog(home, id))
  try {
    const records: Loose[] = []
    const from = Math.max(0, fstatSync(fd).size - bytes)
    readRecords(fd, { from }, ({ bytes: line }) => {
      if (!marks.some((mark) => line.includes(mark))) return
      // Cut at the front by the jump to `from`, or damaged: whoever reads the whole file counts it.
      const record = parseRecord(line)
      if (record !== undefined) records.push(record)
    })
    return records
  } finally {
    closeSync(fd)
  }
}

/** No terminal record has followed the last start, as far as the tail goes. */
export function isOpen(tail: readonly Loose[]): boolean {
  const start = tail.map(({ type }) => type).lastIndexOf('daemon_started')
  return !tail.slice(start + 1).some(isTerminal)
}

/** Somebody has asked for its end, and none has followed. */
export const wantsCancel = (tail: readonly Loose[]): boolean =>
  tail.findLast((record) => record.type === 'cancel_requested' || isTerminal(record))?.type === 'cancel_requested'
