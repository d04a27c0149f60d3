/** Looking into JSON that others wrote: no shape is taken for granted, and what does not fit is as if it were absent. */
import { isDeep } from '../base/deep.js'

export type Json = Readonly<Record<string, unknown>>

export const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const object = (value: unknown): Json => (isObject(value) ? value : {})
export const objects = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : [])
export { asText as text, numberIn as number, textIn as string } from '../base/field.js'
/** A count; what is no whole number counts as nothing. */
export const count = (value: unknown): number => (Number.isSafeInteger(value) ? (value as number) : 0)

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
