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
  const lines = new Lines(body)
  const [start, end] = trim(body, 0, body.length)
  if (body[start] === BRACKET) addElements(lines, body, start + 1, end - 1)
  else lines.add([start, end])
  return lines.bytes()
}

type Part = readonly [from: number, to: number]

/** Parts of a body, each with a newline. They are copied as they are found: a list of them would take a hundred times the room of `1,`. */
class Lines {
  readonly #body: Buffer
  readonly #bytes: Buffer
  readonly #hasBreaks: boolean
  #length = 0

  constructor(body: Buffer) {
    this.#body = body
    // A comma or a bracket has gone for each newline, but for that of a body which is no array.
    this.#bytes = Buffer.allocUnsafe(body.length + 1)
    this.#hasBreaks = body.includes(NEWLINE) || body.includes(RETURN)
  }

  add([from, to]: Part): void {
    const begin = this.#length
    this.#body.copy(this.#bytes, begin, from, to)
    this.#length = begin + to - from
    if (this.#hasBreaks) this.#spaceOut(begin)
    this.#bytes[this.#length++] = NEWLINE
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length)
  }

  #spaceOut(from: number): void {
    for (let at = from; at < this.#length; at++) {
      if (this.#bytes[at] === NEWLINE || this.#bytes[at] === RETURN) this.#bytes[at] = SPACE
    }
  }
}

/** What stands between the commas of an array that is known to be right. */
function addElements(lines: Lines, body: Buffer, start: number, end: number): void {
  let depth = 0
  let from = start
  for (let at = start; at < end; at++) {
    const byte = body[at]
    if (byte === QUOTE) at = endOfString(body, at)
    else if (byte === BRACKET || byte === BRACE) depth++
    else if (byte === BRACKET_END || byte === BRACE_END) depth--
    else if (byte === COMMA && depth === 0) {
      lines.add(trim(body, from, at))
      from = at + 1
    }
  }
  const last = trim(body, from, end)
  if (last[0] !== last[1]) lines.add(last)
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
