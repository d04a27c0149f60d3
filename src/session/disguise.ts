/**
 * The forms in which a known secret may stand in a text besides its own: in JSON, in an address (percent), and in base64 (as of
 * `Authorization: Basic`). Other codings, and whoever wants to hide it, are not found.
 */

/** A text as it stands within a JSON string. */
export const escaped = (text: string): string => JSON.stringify(text).slice(1, -1)

export const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')

/** The disguises of some secrets. */
export class Disguises {
  /** A regular expression for each. */
  readonly all: string[]
  readonly #inBase64: RegExp
  readonly #others: RegExp

  constructor(secrets: readonly string[]) {
    const coded = secrets.flatMap(inBase64)
    const others = secrets.flatMap((secret) => [...inJson(secret), ...inAddress(secret)])
    // Plain words alone are looked for fast, so each alphabet has its own.
    const words = coded.flatMap(({ own }) => [own, own.replaceAll('+', '-').replaceAll('/', '_')])
    this.#inBase64 = oneOf([...new Set(words)].map(literal))
    this.#others = oneOf(others.map(({ glimpse }) => glimpse))
    this.all = [...coded, ...others].map(({ whole }) => whole)
  }

  /** Whether a line of JSON looks as if it held one. */
  showIn(json: string): boolean {
    if (this.#inBase64.test(json)) return true
    return (json.includes('%') || json.includes('\\\\')) && this.#others.test(json)
  }
}

/** Of none it matches nothing. */
const oneOf = (sources: string[]): RegExp => new RegExp(sources.join('|') || '(?!)')

function inJson(secret: string): { glimpse: string; whole: string }[] {
  const json = escaped(secret)
  return json === secret ? [] : [{ glimpse: literal(escaped(json)), whole: literal(json) }]
}

/** Which signs are coded differs from program to program, and so does the case of the digits. */
function inAddress(secret: string): { glimpse: string; whole: string }[] {
  if (/^\w*$/.test(secret)) return []
  const coded = (sign: string) => [...Buffer.from(sign)].map((byte) => `%${hexOf(byte)}`).join('')
  const forms = (sign: string) => [literal(sign), coded(sign), ...(sign === ' ' ? ['\\+'] : [])]
  const whole = [...secret].map((sign) => (/\w/.test(sign) ? sign : `(?:${forms(sign).join('|')})`)).join('')
  return [{ glimpse: whole, whole }]
}

const hexOf = (byte: number): string =>
  byte
    .toString(16)
    .padStart(2, '0')
    .replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)

/** In a longer text it begins at one of three places of a group; the signs at its ends are made of its neighbours too. */
function inBase64(secret: string): { own: string; whole: string }[] {
  const bytes = Buffer.from(secret)
  return [0, 1, 2].map((before) => {
    const end = before + bytes.length
    const group = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    const own = group.slice(Math.ceil((before * 8) / 6), Math.floor((end * 8) / 6))
    // The alphabet for addresses differs in two signs.
    const form = own.replaceAll('+', '[+-]').replaceAll('/', '[/_]')
    const neighbour = '[\\w+/-]?'
    return { own, whole: `${before > 0 ? neighbour : ''}${form}${end % 3 > 0 ? `${neighbour}={0,2}` : ''}` }
  })
}
