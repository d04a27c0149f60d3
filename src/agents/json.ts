/** Looking into JSON that others wrote: no shape is taken for granted, and what does not fit is as if it were absent. */

export type Json = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const object = (value: unknown): Json => (isObject(value) ? value : {})
export const objects = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : [])
export const string = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
export const number = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined
/** A count; what is no whole number counts as nothing. */
export const count = (value: unknown): number => (Number.isSafeInteger(value) ? (value as number) : 0)

/** Levels. What can be parsed cannot always be written again: that ends at some thousands, by the size of the stack. */
const DEEPEST = 1000

/** A line of an agent's output; undefined if it is not a JSON object, or one of more levels than anybody means. */
export function parseObject(line: string): Json | undefined {
  if (!line.startsWith('{') || isDeep(line)) return undefined
  try {
    return object(JSON.parse(line))
  } catch {
    // The caller keeps the line as it is: that it is not JSON is all there is to say.
    return undefined
  }
}

function isDeep(json: string): boolean {
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
