/** Folding a log: parse each record, hand it to a reducer. A record that is not JSON after all is counted, never thrown. */
import { closeSync, fstatSync } from 'node:fs'
import { parseRecord } from './line.js'
import { type Damage, openLog, readRecords } from './read.js'

export interface FoldResult {
  /** The offset after the last whole line that was folded. */
  readonly offset: number
  /** Where lines were that are no records. */
  readonly damaged: Damage[]
}

/** Folds open log `fd` from an offset. `apply` gets each parsed record with its address. */
export function foldRecords(
  fd: number,
  from: number,
  apply: (record: Record<string, unknown>, offset: number) => void,
): FoldResult {
  const damaged: Damage[] = []
  const offset = readRecords(fd, { from, onDamage: (damage) => damaged.push(damage) }, (line) => {
    const record = parseRecord(line.bytes)
    if (record === undefined) {
      damaged.push({ at: line.offset - line.bytes.length - 1, length: line.bytes.length })
      return
    }
    apply(record, line.offset)
  })
  return { offset, damaged }
}

/** Folds a log by path. @throws ENOENT as the file system gives it */
export function foldLog(
  path: string,
  from: number,
  apply: (record: Record<string, unknown>, offset: number) => void,
): FoldResult & { size: number } {
  const fd = openLog(path)
  try {
    return { ...foldRecords(fd, from, apply), size: fstatSync(fd).size }
  } finally {
    closeSync(fd)
  }
}
