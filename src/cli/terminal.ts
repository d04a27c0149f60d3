/** What reaches a terminal: colour only where a person looks, columns, and nothing that an agent could do harm with. */
import { shellWords } from '../base/shell.js'

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const
export type Colour = keyof typeof codes

const colourful = (): boolean => process.stdout.isTTY === true && !process.env.NO_COLOR

export function paint(text: string, ...colours: Colour[]): string {
  if (!colourful() || colours.length === 0) return text
  return `\x1b[${colours.map((colour) => codes[colour]).join(';')}m${text}\x1b[0m`
}

/** A field of an event, which may hold anything, in words. */
export const inWords = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

/** What the replacements below are about; nearly all text has none of it. */
const suspicious = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/
const acting = new RegExp(suspicious, 'g')

/**
 * All of it in one pass: what is left on both sides of something removed is never read together as something new. Of a string
 * sequence only with its end: what follows one that never ends is text, and must be seen.
 */
const harmful = new RegExp(
  [
    /\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)|\x1b[\]PX^_]/,
    /(?:\x1b\[|\x9b)([0-?]*)[ -/]*([@-~]?)/,
    /\x1b[ -/]*[0-~]?/,
    /\r\n?/,
    /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
)

/** Not what conceals (8). */
const isColour = (parameters: string): boolean =>
  /^[0-9;:]*$/.test(parameters) && !/(^|[;:])0*8([;:]|$)/.test(parameters)

/**
 * Removes what would move the cursor, set a title, or talk to the terminal: all control characters but newline and tab, and
 * all escape sequences but colours (SGR), which are kept only on a terminal. Bidirectional overrides are shown as U+FFFD.
 */
export function harmless(text: string): string {
  if (!suspicious.test(text)) return text
  const keepColour = colourful()
  const clean = text.replace(harmful, (found: string, parameters?: string, final?: string) => {
    if (final === 'm' && keepColour && isColour(parameters ?? '')) return `\x1b[${parameters}m`
    if (found[0] === '\r') return '\n'
    return found >= '\u202a' ? '\ufffd' : ''
  })
  // A colour that was begun ends here.
  return clean.includes('\x1b[') ? `${clean}\x1b[0m` : clean
}

/** Controls, what cannot be seen, what turns or breaks a line, halves of characters, and spaces that are none. */
const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{DI}\u2800]|(?![ \u3000])\p{Zs}/gu

/** Text that somebody decides on: nothing is left out, what cannot be seen is spelled. */
export const spelled = (text: string): string => text.replace(unseen, codeOf)

function codeOf(char: string): string {
  const code = char.codePointAt(0)?.toString(16) ?? ''
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`
}

/** The same JSON, with what a terminal would act upon spelled as JSON spells it: some of it JSON.stringify leaves as it is. */
export const harmlessJson = (json: string): string => (suspicious.test(json) ? json.replace(acting, codeOf) : json)

/** One line, without anything harmful, cut to `width` characters. */
export function oneLine(text: string, width: number): string {
  const line = harmless(text).replace(/\s+/g, ' ').trim()
  const characters = [...line]
  return characters.length <= width ? line : `${characters.slice(0, Math.max(width - 1, 0)).join('')}…`
}

/** For a terminal, lines that are broken between words and begin below each other; as it is for everything else. */
export function indented(text: string, indent: number): string {
  const room = columns() - indent
  if (process.stdout.isTTY !== true || room < 20) return text
  const lines = ['']
  for (const word of text.split(/(?<= )(?=[^ ])/)) {
    const last = lines.length - 1
    if (lines[last] === '' || `${lines[last]}${word}`.trimEnd().length <= room) lines[last] += word
    else lines.push(word)
  }
  return lines.map((line) => line.trimEnd()).join(`\n${' '.repeat(indent)}`)
}

/** The width to print to; 80 where nobody says. */
export const columns = (): number => process.stdout.columns || Number(process.env.COLUMNS) || 80

/** 1 turn, 2 turns. */
export const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`

/** 5s, 12m, 3h, 9d. */
export function age(from: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(from)) / 1000))
  if (!Number.isFinite(seconds)) return '?'
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86400)}d`
}

/** Writes data to standard output; resolves when it is taken, so that a slow pipe slows us. A closed pipe ends us quietly. */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve) => process.stdout.write(text, () => resolve()))
}

/** Talk: to standard error. */
export const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** The shell's way to append one line: as every one-shot writer, with a newline before it. */
export const appendLine = (line: string, path: string): string =>
  `printf '\\n%s\\n' ${shellWords([line])} >> ${shellWords([path])}`
