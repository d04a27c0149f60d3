/**
 * Keeps secrets out of the log: the values of the agent's own environment that are secret by name, and what looks like a key of a
 * well-known kind. It is the last hand that a line passes before it is written, so it must be cheap where there is nothing to hide:
 * a glance at the line, and only one that looks suspicious is taken apart.
 *
 * A known value is found as it is, in JSON, in an address and in base64 (disguise.ts). One that is coded otherwise, or parted over several
 * lines, is not.
 */
import { Disguises, escaped, literal } from './disguise.js'

const MASKED = '[masked]'
/** Shorter values would be found in innocent text. */
const LEAST = 8

/** Keys that tell themselves by their form. Each begins where a word begins, so that no word and no picture holds one. */
const wordly = [
  /sk_(?:live|test)_\w{16,}/,
  /gh[oprsu]_\w{20,}/,
  /github_pat_\w{20,}/,
  /glpat-[\w-]{16,}/,
  /A[KS]IA[A-Z\d]{16}(?!\w)/,
  /xox[a-z]-[\w-]{10,}/,
]
/** These may stand within what holds hyphens, too: as an innocent part of it. */
const hyphened = [
  // OpenAI, Anthropic and all who imitate them; a class name of a style sheet has neither digit nor capital.
  /sk-(?=[\w-]*[\dA-Z])[\w-]{20,}/,
  /csk-[\w-]{16,}/,
  /AIza[\w-]{30,}/,
  /eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/,
]
const either = (all: readonly RegExp[]) => all.map(({ source }) => source).join('|')
const known = [
  // "\n" can be two characters, in JSON inside of text; and a line of a diff begins with a hyphen of its own.
  new RegExp(`(?<=^|\\W|\\\\[nrt])(?:${either(wordly)})`),
  new RegExp(`(?<=^-?|[^\\w-]|\\\\[nrt]-?)(?:${either(hyphened)})`),
  /(?<=[Bb]earer {1,4})(?=[\w.~+/=-]*\d)[\w.~+/=-]{12,}/,
  /(?<=[Aa]uthorization["']?[:=] ?["']?(?:[Bb]earer|[Bb]asic|[Tt]oken) )[\w.~+/=-]{8,}/,
  // A block that was cut has no end; then what looks like its lines belongs to it.
  /-----BEGIN [A-Z\d ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]*(?:-{1,4}[^-]+)*-----END [A-Z\d ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:(?:\s|\\+[nr])+[\w+/=]{16,})+)/,
]

/** The same, by what can be seen in the text of a line at first glance. */
const traces =
  /sk-[\w-]{16}|sk_[lt]|gh[oprsu]_\w{9}|hub_pat_|glpat-|A[KS]IA[A-Z\d]{9}|AIza[\w-]{9}|xox[a-z]-|eyJ[\w-]{8}|earer |rization["'\\]{0,3}[:=]|---BEGIN /

/** Strings, with the colon that makes a key of one, and brackets. */
const token = /"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*:)?|[{}[\]]/g

/** Fields of the event itself whose words are read by programs, even where one of them is somebody's password. */
const words = new Set(['type', 'timestamp', 'by', 'status', 'decision', 'stream', 'delivery', 'scope', 'about'])
/** Fields whose form is the agent's: what names a field in there may be anything. */
const foreign = new Set(['input', 'raw', 'detail', 'entries'])
const ends = /^"(?:completed|interrupted|failed)"$/

export class Mask {
  /** A glimpse of a value; undefined where there are none. */
  readonly #glimpse: RegExp | undefined
  readonly #disguises: Disguises
  readonly #secret: RegExp

  /** @param secrets the values that must not be seen; those that are too short to be told from other text are left out */
  constructor(secrets: Iterable<string>) {
    const whole = [...new Set(secrets)].filter((value) => value.length >= LEAST)
    const values = [...new Set(whole.flatMap(linesOf))].filter((value) => value.length >= LEAST)
    values.sort((a, b) => b.length - a.length)
    this.#disguises = new Disguises(whole)
    // As they stand in JSON; those of several words are streamed a word at a time, and betray themselves by the longest.
    const glimpses = new Set(values.map((value) => literal(escaped(longestWord(value)))))
    this.#glimpse = glimpses.size === 0 ? undefined : new RegExp([...glimpses].join('|'))
    const all = [...values.map(literal), ...this.#disguises.all, ...known.map(({ source }) => source)]
    this.#secret = new RegExp(all.join('|'), 'gm')
  }

  /** @param json one line of JSON, such as JSON.stringify writes */
  line(json: string): string {
    // Two looks: one expression for both takes twice as long, since its first letters have less in common.
    if (!traces.test(json) && this.#glimpse?.test(json) !== true && !this.#disguises.showIn(json)) return json
    const whole = json.includes('"partial":true') ? this.#streamed(json) : json
    let depth = 0
    let key = ''
    return whole.replace(token, (text) => {
      if (text === '{' || text === '[') depth++
      else if (text === '}' || text === ']') depth--
      else if (!text.endsWith('"')) {
        const name = text.slice(0, text.lastIndexOf('"') + 1)
        if (depth === 1) key = name.slice(1, -1)
        else if (foreign.has(key)) return this.#string(name) + text.slice(name.length)
      } else if (depth > 1 || !(words.has(key) || (key === 'reason' && ends.test(text)))) return this.#string(text)
      return text
    })
  }

  #string(json: string): string {
    const text: string = json.includes('\\') ? JSON.parse(json) : json.slice(1, -1)
    const masked = this.#text(text)
    return masked === text ? json : JSON.stringify(masked)
  }

  #text(text: string): string {
    return text.replace(this.#secret, MASKED)
  }

  /** The pieces of a streamed answer are words; what a secret of several words is, only all of them together show. */
  #streamed(json: string): string {
    const event: { delta?: unknown } = JSON.parse(json)
    if (!Array.isArray(event.delta)) return json
    const text = event.delta.join('')
    const masked = this.#text(text)
    return masked === text ? json : JSON.stringify({ ...event, delta: masked.match(/\s+|\S+\s*/g) })
  }
}

/** Names of variables that hold secrets; GIT_AUTHOR_NAME and MAX_TOKENS do not. */
const secretName =
  /(?:^|_)(?:[A-Z\d]*(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|COOKIE)S?|PASS|PAT|AUTH)(?:_|$)/i
/** What is about a secret, or where it is. */
const aboutSecret =
  /_(?:FILE|PATH|DIR|HOME|SOCK|SOCKET|URL|URI|ENDPOINT|HOST|PORT|NAME|USER|EMAIL|TYPE|MODE|METHOD|HELPER)$/i
const strongName = /SECRET|PASS|TOKEN/i
const path = /^(?:~|\.{0,2})\/(?:[^/+=:]+\/)*[^/+=:]*(?::|$)/
const setting = /^(?:true|false|disabled|enabled|required|optional|default|undefined)$/i
/** user:password@ of an address. */
const addressed = /^[a-z][a-z\d+.-]*:\/\/[^/?#:@]*:([^/?#@]+)@/i

/** The values of an environment that must not be seen. */
export function secretsOf(env: Readonly<Record<string, string | undefined>>): string[] {
  const secrets = new Set<string>()
  for (const [name, value = ''] of Object.entries(env)) {
    const password = addressed.exec(value)?.[1]
    if (password !== undefined) for (const form of [password, unescaped(password)]) secrets.add(form)
    else if (isSecret(name, value.trim())) secrets.add(value.trim())
  }
  return [...secrets].filter((secret) => secret.length >= LEAST)
}

function isSecret(name: string, value: string): boolean {
  if (!secretName.test(name) || aboutSecret.test(name) || setting.test(value)) return false
  if (/TOKENS$/i.test(name) && /^\d+$/.test(value)) return false
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(value)) return false
  // A secret in base64 may begin like a path.
  return strongName.test(name) || !path.test(value)
}

/** A key of many lines is also hidden where it is read a line at a time. */
function linesOf(secret: string): string[] {
  const lines = secret.split(/[\r\n]+/).filter((line) => line.length >= 16 && !line.startsWith('-----'))
  return /[\r\n]/.test(secret) ? [secret, ...lines] : [secret]
}

function longestWord(value: string): string {
  const longest = value.split(/\s+/).reduce((best, word) => (word.length > best.length ? word : best), '')
  return longest.length < 6 ? value : longest
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A lone "%" makes it no encoding, and so it is what it says.
    return text
  }
}
