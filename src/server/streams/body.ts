/** Lines of JSON as one array, without looking at what is in them. */
import { NEWLINE } from '../../log/line.js'

const [COMMA, BRACKET, BRACKET_END] = [0x2c, 0x5b, 0x5d]

export function asArray(lines: Buffer): Buffer {
  if (lines.length === 0) return Buffer.from('[]')
  const array = Buffer.allocUnsafe(lines.length + 1)
  array[0] = BRACKET
  lines.copy(array, 1)
  for (let at = array.indexOf(NEWLINE); at >= 0; at = array.indexOf(NEWLINE, at + 1)) array[at] = COMMA
  array[array.length - 1] = BRACKET_END
  return array
}
