/** JSON that is nested too deep to be written again: one line of it, by hand, must not keep a session from being shown. */

/** Levels. What can be parsed cannot always be written again: that ends at some thousands, by the size of the stack. */
const DEEPEST = 1000

/** Whether a JSON text has more levels than anybody means. */
export function isDeep(json: string): boolean {
  if (json.length < 2 * DEEPEST) return false
  let depth = 0
  for (let at = 0; at < json.length; at++) {
    const sign = json[at]
    if (sign === '"') at = endOfString(json, at)
    else if (sign === '[' || sign === '{') depth++
    else if (sign === ']' || sign === '}') depth--
    if (depth > DEEPEST) return true
  }
  return false
}

/** Where the string that begins at `start` ends. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end > 0; end = json.indexOf('"', end + 1)) {
    let before = end
    while (json[before - 1] === '\\') before--
    if ((end - before) % 2 === 0) return end
  }
  return json.length
}
