/**
 * SSE frames of log lines: `id` is the record's address, `data` its bytes as text. No `event`, so that onmessage gets every
 * record. Bytes that are no UTF-8 become U+FFFD here, since SSE is text; ?follow=0 gives them unchanged.
 */
import { splitLines } from '../log/read.js'

const RETURN = 0x0d
/** Between two frames. The last frame of a text goes without: whoever sends it closes it. */
const BETWEEN = '\n\n'

/** The frames of whole lines that begin at file offset `base`; empty if nothing in them is to be told. */
export function framesOf(bytes: Buffer, base: number): string {
  const frames: string[] = []
  const returns = bytes.includes(RETURN)
  splitLines(
    bytes,
    base,
    (start, end, offset) => {
      const text = bytes.toString('utf8', start, end)
      // SSE ends a line at a bare CR too. In JSON it can only stand between tokens, where a newline is as good.
      frames.push(`id: ${offset}\ndata: ${returns ? text.replaceAll('\r', '\ndata: ') : text}`)
    },
    // Without an id: the client goes on counting from the last record.
    (damage) => frames.push(`event: damaged\ndata: ${JSON.stringify(damage)}`),
  )
  return frames.join(BETWEEN)
}

/** The file begins again at 0, and so do addresses: `id: 0` makes a client that reconnects ask for all of it. */
export const resetFrame = (why: string): string => `id: 0\nevent: reset\ndata: ${JSON.stringify({ why })}`
