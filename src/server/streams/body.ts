/** What was read, with something around it. The memory it was read into has room for that, and is nobody else's: nothing is copied. */
import { NEWLINE } from '../../log/line.js'
import { ROOM } from '../../streams/source.js'

const [COMMA, BRACKET_END] = [0x2c, 0x5d]
const bracket = Buffer.from('[')

/** @param part of what was read, or other bytes @param read as a source has read it; of no use afterwards */
export function surround(part: Buffer, read: Buffer, head: Buffer, room: number): Buffer {
  if (part.buffer !== read.buffer || head.length > ROOM || room > ROOM) {
    const whole = Buffer.allocUnsafeSlow(head.length + part.length + room)
    part.copy(whole, head.copy(whole))
    return whole
  }
  const whole = Buffer.from(part.buffer, part.byteOffset - head.length, head.length + part.length + room)
  head.copy(whole)
  return whole
}

/** Makes the elements of an array of lines, in place: its first bracket is left to who puts something before them. */
export function closeArray(lines: Buffer): void {
  for (let at = lines.indexOf(NEWLINE); at >= 0; at = lines.indexOf(NEWLINE, at + 1)) lines[at] = COMMA
  lines[lines.length - 1] = BRACKET_END
}

/** Lines of JSON as one array, without looking at what is in them. */
export function asArray(lines: Buffer, read: Buffer): Buffer {
  if (lines.length === 0) return Buffer.from('[]')
  closeArray(lines)
  return surround(lines, read, bracket, 0)
}
