/**
 * Text that is too long for a log line. What counts is the size in the log: JSON escaping makes up to six bytes of one.
 * What goes missing is said twice: by a marker for whoever reads the text, by `missingBytes` for programs.
 */
import { MAX_LINE } from '../log/line.js'

/** Bytes of a line that one long text may take; the rest is for the other fields of its event. */
export const TEXT_BUDGET = MAX_LINE - 8 * 1024

/** Bytes for what is short unless somebody plays tricks: names, ids, reasons. */
const NAME_BUDGET = 1024

/** The marker with the largest number that can be exact, in bytes. */
const MARKER_ROOM = marker(Number.MAX_SAFE_INTEGER).length + 2

export interface Cut {
  readonly content: string
  /** UTF-8 bytes that were there and are not in `content`; absent if it is whole. */
  readonly missingBytes?: number
}

/**
 * Cuts `text` so that it takes at most `budget` bytes as a JSON string (quotes excluded), marker included, and never
 * inside a character.
 * @param missing bytes that were lost before, right after the end of `text`
 */
export function cut(text: string, budget: number = TEXT_BUDGET, missing = 0): Cut {
  if (missing === 0 && fits(text, budget)) return { content: text }
  const end = prefix(text, budget - MARKER_ROOM)
  const missingBytes = missing + Buffer.byteLength(text.slice(end))
  return { content: text.slice(0, end) + marker(missingBytes), missingBytes }
}

/** Names and the like: cut with a marker, without a count. */
export const short = (text: string): string => cut(text, NAME_BUDGET).content

/** A JSON value; one that is too long becomes the cut text of its JSON. */
export function cutJson(value: unknown, budget: number = TEXT_BUDGET): { value: unknown; missingBytes?: number } {
  const json = JSON.stringify(value) ?? 'null'
  if (json.length * 3 <= budget || Buffer.byteLength(json) <= budget) return { value }
  const { content, missingBytes } = cut(json, budget)
  return missingBytes === undefined ? { value: content } : { value: content, missingBytes }
}

function marker(bytes: number): string {
  return `[… ${bytes} bytes are missing here]`
}

function fits(text: string, budget: number): boolean {
  return text.length * 6 <= budget || prefix(text, budget) === text.length
}

/** How many UTF-16 units from the start of `text` fit into `budget` bytes of JSON. */
function prefix(text: string, budget: number): number {
  let bytes = 0
  let at = 0
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    const pair = isHigh(unit) && isLow(text.charCodeAt(at + 1))
    bytes += pair ? 4 : escapedSize(unit)
    if (bytes > budget) return at
    at += pair ? 2 : 1
  }
  return at
}

const isHigh = (unit: number) => unit >= 0xd800 && unit <= 0xdbff
const isLow = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff

/** Bytes of one UTF-16 unit in what JSON.stringify gives; a lone surrogate is escaped since ES2019. */
function escapedSize(unit: number): number {
  if (unit === 0x22 || unit === 0x5c) return 2
  if (unit < 0x20) return (unit >= 0x08 && unit <= 0x0a) || unit === 0x0c || unit === 0x0d ? 2 : 6
  if (unit < 0x80) return 1
  if (unit < 0x800) return 2
  return isHigh(unit) || isLow(unit) ? 6 : 3
}
