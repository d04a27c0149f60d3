/** The forms of MCP servers: flat, with fields of text, numbers, and yes or no. A person answers with a text. */
import { type Json, object, parseObject } from '../json.js'

export interface FormField {
  readonly name: string
  readonly type: unknown
}

export const fieldsOf = (schema: unknown): FormField[] =>
  Object.entries(object(object(schema).properties)).map(([name, field]) => ({ name, type: object(field).type }))

/** One field takes the whole answer; several are read from JSON, and the first one takes what is no JSON. */
export function filledIn(fields: readonly FormField[], answer: string): Json {
  const json = parseObject(answer.trim())
  if (json !== undefined && fields.some(({ name }) => name in json)) return json
  const [first] = fields
  return first === undefined ? {} : { [first.name]: valueIn(first.type, answer) }
}

function valueIn(type: unknown, answer: string): unknown {
  const text = answer.trim()
  if (type === 'boolean') return /^(true|yes|y|1)$/i.test(text)
  const number = Number(text)
  return (type === 'number' || type === 'integer') && text !== '' && Number.isFinite(number) ? number : answer
}
