/**
 * SSE frames of log lines: `id` is the record's address, `data` its bytes as text. No `event`, so that onmessage gets every
 * record. Made as bytes, in the memory that the lines lie in, since a copy of each line would take longer than to read and send it. Bytes
 * that are no UTF-8 become U+FFFD here, since SSE is text; ?follow=0 and the download give them unchanged.
 */
import { isUtf8 } from 'node:buffer'
import { lineKind, NEWLINE } from '../log/line.js'
import { splitLines } from '../log/read.js'
import { PAGE, type Page } from './page.js'

const RETURN = 0x0d
/** What stands beside the bytes of a record: names, blanks, an address of at most 16 digits, newlines. */
const BESIDE = 'id: \ndata: \n\n'.length + 16

/** Bytes that must be free before a page, for its frames to begin in. */
export const GAP = PAGE / 2

export interface Framed {
  /** Empty if nothing in the lines is to be told. */
  readonly bytes: Buffer
  /** The offset of the first line that is not among them: where there was no more room, or where something rare comes. */
  readonly to: number
}

/** @param page was read with GAP bytes before it, and is overwritten */
export const framesIn = ({ bytes, from }: Page): Framed =>
  framesBefore(Buffer.from(bytes.buffer, bytes.byteOffset - GAP, GAP + bytes.length), GAP, from)

/** Frames of whole lines that begin at file offset `base`; at least of the first one. The lines stay as they are. */
export function framesOf(lines: Buffer, base: number): Framed {
  const gap = BESIDE + (lines.length >> 1)
  const memory = Buffer.allocUnsafe(gap + lines.length)
  lines.copy(memory, gap)
  return framesBefore(memory, gap, base)
}

/** The lines stand from `first` on, and their frames take the place before them and then their own. */
function framesBefore(memory: Buffer, first: number, base: number): Framed {
  const lines = memory.subarray(first)
  if (lines.includes(RETURN) || !isUtf8(lines)) return rareFramesOf(lines, base)
  let [start, at] = [first, 0]
  for (let end = memory.indexOf(NEWLINE, start); end >= 0; end = memory.indexOf(NEWLINE, start)) {
    const kind = lineKind(memory, start, end)
    if (kind === 'damaged') {
      if (at === 0) return rareFramesOf(lines, base)
      break
    }
    if (kind === 'record') {
      if (start - at < BESIDE) break
      at = writeHead(memory, at, base + end + 1 - first)
      memory.copyWithin(at, start, end)
      at += end - start
      memory[at++] = NEWLINE
      memory[at++] = NEWLINE
    }
    start = end + 1
  }
  return { bytes: memory.subarray(0, at), to: base + start - first }
}

/** `id: ADDRESS\ndata: `, byte by byte: a call of any copy would take longer. @returns where it ends */
function writeHead(memory: Buffer, at: number, address: number): number {
  memory[at] = 0x69
  memory[at + 1] = 0x64
  memory[at + 2] = 0x3a
  memory[at + 3] = 0x20
  const end = writeNumber(memory, at + 4, address)
  memory[end] = 0x0a
  memory[end + 1] = 0x64
  memory[end + 2] = 0x61
  memory[end + 3] = 0x74
  memory[end + 4] = 0x61
  memory[end + 5] = 0x3a
  memory[end + 6] = 0x20
  return end + 7
}

const BILLION = 1e9
const ZERO = 0x30

/** A number in digits, without a string for each. @returns where they end */
function writeNumber(memory: Buffer, at: number, value: number): number {
  // What has 32 bits is divided much quicker.
  const from = value < BILLION ? at : writeNumber(memory, at, Math.floor(value / BILLION))
  let rest = (value % BILLION) | 0
  let digits = 9
  if (value < BILLION) {
    digits = 1
    for (let power = 10; rest >= power; power *= 10) digits++
  }
  for (let index = from + digits - 1; index >= from; index--) {
    const tenth = (rest / 10) | 0
    memory[index] = ZERO + rest - tenth * 10
    rest = tenth
  }
  return from + digits
}

/** The same for all that a log may hold, as text. */
function rareFramesOf(lines: Buffer, base: number): Framed {
  let frames = ''
  splitLines(
    lines,
    base,
    (start, end, offset) => {
      // SSE ends a line at a bare CR too. In JSON it can only stand between tokens, where a newline is as good.
      frames += `id: ${offset}\ndata: ${lines.toString('utf8', start, end).replaceAll('\r', '\ndata: ')}\n\n`
    },
    // Without an id: the client goes on counting from the last record.
    (damage) => {
      frames += `event: damaged\ndata: ${JSON.stringify(damage)}\n\n`
    },
  )
  return { bytes: Buffer.from(frames), to: base + lines.length }
}

/** The file begins again at 0, and so do addresses: `id: 0` makes a client that reconnects ask for all of it. */
export const resetFrame = (why: string): Buffer =>
  Buffer.from(`id: 0\nevent: reset\ndata: ${JSON.stringify({ why })}\n\n`)
