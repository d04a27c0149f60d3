/**
 * The messages of a JSON body as lines. They keep the bytes that were sent, so numbers of any size, `1.0` and doubled keys come
 * back as they were; only raw newlines, which can stand between tokens alone, become spaces.
 */
import { AgentzError, reason } from '../base/errors.js'
import { utf8 } from '../base/utf8.js'
import { NEWLINE } from '../log/line.js'

const [RETURN, SPACE, TAB, QUOTE, BACKSLASH, COMMA] = [0x0d, 0x20, 0x09, 0x22, 0x5c, 0x2c]
const [BRACKET, BRACKET_END, BRACE, BRACE_END] = [0x5b, 0x5d, 0x7b, 0x7d]

/** Whole lines, one for each message: an array is taken apart, once. Empty for `[]`. @throws BAD_INPUT */
export function linesOf(body: Buffer): Buffer {
  try {
    JSON.parse(utf8(body))
  } catch (error) {
    throw new AgentzError('BAD_INPUT', `the body is not JSON: ${reason(error)}`, { cause: error })
  }
  const [start, end] = trim(body, 0, body.length)
  const parts = body[start] === BRACKET ? elements(body, start + 1, end - 1) : [[start, end] as const]
  const lines = parts.flatMap(([from, to]) => [body.subarray(from, to), newline])
  const bytes = Buffer.concat(lines)
  return body.includes(NEWLINE) || body.includes(RETURN) ? inLines(bytes, parts) : bytes
}

const newline = Buffer.from('\n')

type Part = readonly [from: number, to: number]

/** What stands between the commas of an array that is known to be right. */
function elements(body: Buffer, start: number, end: number): Part[] {
  const parts: Part[] = []
  let depth = 0
  let from = start
  for (let at = start; at < end; at++) {
    const byte = body[at]
    if (byte === QUOTE) at = endOfString(body, at)
    else if (byte === BRACKET || byte === BRACE) depth++
    else if (byte === BRACKET_END || byte === BRACE_END) depth--
    else if (byte === COMMA && depth === 0) {
      parts.push(trim(body, from, at))
      from = at + 1
    }
  }
  const last = trim(body, from, end)
  return last[0] === last[1] ? parts : [...parts, last]
}

/** Where the string ends that begins at `start`. */
function endOfString(body: Buffer, start: number): number {
  for (let at = start + 1; ; at++) {
    if (body[at] === BACKSLASH) at++
    else if (body[at] === QUOTE) return at
  }
}

function trim(body: Buffer, start: number, end: number): Part {
  let [from, to] = [start, end]
  while (from < to && isBlank(body[from])) from++
  while (to > from && isBlank(body[to - 1])) to--
  return [from, to]
}

const isBlank = (byte: number | undefined): boolean =>
  byte === SPACE || byte === NEWLINE || byte === RETURN || byte === TAB

/** Spaces for newlines, but for those that end lines. */
function inLines(bytes: Buffer, parts: readonly Part[]): Buffer {
  let at = 0
  for (const [from, to] of parts) {
    for (const end = at + to - from; at < end; at++) {
      if (bytes[at] === NEWLINE || bytes[at] === RETURN) bytes[at] = SPACE
    }
    at++
  }
  return bytes
}
