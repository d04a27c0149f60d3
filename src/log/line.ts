/**
 * What a line of a log is. A log is bytes; records are lines of JSON objects that end in "\n". Three other kinds of
 * line exist: empty ones (every one-shot writer begins with "\n"), sealed ones (a torn tail that a later writer closed
 * with SEAL), and damaged ones. The check looks at two bytes, so that logs pass at disk speed, unparsed.
 */

import { isDeep } from '../base/deep.js'

export const NEWLINE = 0x0a
const BRACE_OPEN = 0x7b
const BRACE_CLOSE = 0x7d
const CANCEL = 0x18

/** Closes a torn tail: CAN and a newline. No JSON text holds a raw 0x18, so a sealed line is never taken for a record. */
export const SEAL = '\x18\n'

/** The longest line, with its newline, in bytes. */
export const MAX_LINE = 1024 * 1024

export type LineKind = 'record' | 'empty' | 'damaged'

/** The kind of the line at [start, end) of `bytes`, newline excluded. A sealed line is a damaged one. */
export function lineKind(bytes: Uint8Array, start: number, end: number): LineKind {
  if (end === start) return 'empty'
  if (bytes[start] === BRACE_OPEN && bytes[end - 1] === BRACE_CLOSE) return 'record'
  // A writer that sealed a tail which had its newline after all leaves a line of one CAN: nothing was lost there.
  return end - start === 1 && bytes[start] === CANCEL ? 'empty' : 'damaged'
}

/**
 * The record that a line holds; undefined if it is no JSON after all, as a damaged line, or a part of one, may be, or nested so deep that
 * what it says could not be shown.
 */
export function parseRecord(bytes: Buffer): Record<string, unknown> | undefined {
  const text = bytes.toString('utf8')
  try {
    return isDeep(text) ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
