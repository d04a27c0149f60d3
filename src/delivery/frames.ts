/**
 * SSE frames of log lines: `id` is the record's address, `data` its bytes as text. No `event`, so that onmessage gets every
 * record. Made as bytes, once, for all who are sent them. Bytes that are no UTF-8 become U+FFFD here, since SSE is text; ?follow=0
 * and the download give them unchanged.
 */
import { isUtf8 } from 'node:buffer'
import { splitLines } from '../log/read.js'

const RETURN = 0x0d
/** What stands beside the bytes of a record: names, blanks, an address of at most 16 digits, newlines. */
const BESIDE = 'id: \ndata: \n\n'.length + 16

/** The frames of whole lines that begin at file offset `base`; empty if nothing in them is to be told. */
export function framesOf(lines: Buffer, base: number): Buffer {
  if (lines.includes(RETURN) || !isUtf8(lines)) return rareFramesOf(lines, base)
  const records: [start: number, end: number, offset: number][] = []
  const damages: string[] = []
  splitLines(
    lines,
    base,
    (...record) => void records.push(record),
    (damage) => void damages.push(JSON.stringify(damage)),
  )
  // They stand between the others.
  if (damages.length > 0) return rareFramesOf(lines, base)
  const frames = Buffer.allocUnsafe(lines.length + records.length * BESIDE)
  let at = 0
  for (const [start, end, offset] of records) {
    at += frames.write(`id: ${offset}\ndata: `, at, 'latin1')
    at += lines.copy(frames, at, start, end)
    frames[at++] = 0x0a
    frames[at++] = 0x0a
  }
  return frames.subarray(0, at)
}

/** The same for all that a log may hold, as text. */
function rareFramesOf(lines: Buffer, base: number): Buffer {
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
  return Buffer.from(frames)
}

/** The file begins again at 0, and so do addresses: `id: 0` makes a client that reconnects ask for all of it. */
export const resetFrame = (why: string): Buffer =>
  Buffer.from(`id: 0\nevent: reset\ndata: ${JSON.stringify({ why })}\n\n`)
