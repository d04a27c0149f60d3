/** Questions of an agent that want words: a form, which a person answers by text. */
import { cut, short } from '../cut.js'
import { isObject, type Json, object, parseObject, string } from '../json.js'

const QUESTION_BUDGET = 64 * 1024
const MOST_OPTIONS = 50

/** What the protocol wants for a question whose turn is cancelled. */
export const WITHDRAWN: Json = { action: 'cancel' }
export const DECLINED: Json = { action: 'decline' }

/** @returns undefined if it is no form: a page that a person is to visit needs more than words */
export function formOf({ mode, message, requestedSchema }: Json): Form | undefined {
  const { properties } = object(requestedSchema)
  if (mode !== 'form' || !isObject(properties)) return undefined
  return new Form(string(message) ?? '', properties)
}

export class Form {
  readonly question: string
  /** What may be answered, where it is one of a few words. */
  readonly options: string[] | undefined
  readonly #fields: readonly (readonly [string, Json])[]

  constructor(message: string, properties: Json) {
    this.#fields = Object.entries(properties).map(([name, field]) => [name, object(field)])
    const list = this.#fields.map(([name, { title, description }]) => {
      return `${name}: ${[title, description].filter((text) => typeof text === 'string').join('. ')}`
    })
    const many = this.#fields.length > 1 ? `\nAnswer with JSON: an object with these fields.\n${list.join('\n')}` : ''
    this.question = cut(message + many, QUESTION_BUDGET).content
    this.options = this.#fields.length === 1 ? choices(this.#fields[0]![1]) : undefined
  }

  /** @returns undefined if the text does not answer the question */
  answer(text: string): Json | undefined {
    const [first] = this.#fields
    if (first === undefined) return { action: 'accept', content: {} }
    const given = parseObject(text.trim())
    if (given === undefined && this.#fields.length > 1) return undefined
    const content = given ?? { [first[0]]: value(first[1], text.trim()) }
    return Object.values(content).includes(undefined) ? undefined : { action: 'accept', content }
  }
}

function choices(field: Json): string[] | undefined {
  if (field.type === 'boolean') return ['yes', 'no']
  const { enum: words, oneOf } = field
  const all = Array.isArray(words) ? words : Array.isArray(oneOf) ? oneOf.map((one) => object(one).const) : []
  const texts = all.filter((word) => typeof word === 'string').slice(0, MOST_OPTIONS)
  return texts.length > 0 ? texts.map(short) : undefined
}

function value({ type }: Json, text: string): unknown {
  switch (type) {
    case 'boolean':
      return /^(yes|true|y)$/i.test(text) ? true : /^(no|false|n)$/i.test(text) ? false : undefined
    case 'integer':
      return Number.isSafeInteger(Number(text)) && text !== '' ? Number(text) : undefined
    case 'number':
      return Number.isFinite(Number(text)) && text !== '' ? Number(text) : undefined
    case 'array':
      return text.split(',').map((item) => item.trim())
    default:
      return text
  }
}
