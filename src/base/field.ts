/** A field of JSON that others wrote, as far as it is what it should be; undefined if it is something else. */

export const textIn = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)

export const numberIn = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? value : undefined

/** As text to be shown or compared, whatever it is: JSON has objects that String() cannot make one of, {"toString":0}. */
export const asText = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
