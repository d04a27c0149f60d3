/** Foreign text, as it may be shown: what agents write may try to look like something else, or to hide. */

/** Colours and cursors of terminals, titles of windows and the like. */
const escapes = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]/g
/** What turns the direction of a line around, and what cannot be seen at all. */
const hidden = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g

/** @param {unknown} value @returns {string} a text; of what is none, its JSON */
export function textOf(value) {
  if (typeof value === 'string') return value
  return value === undefined ? '' : JSON.stringify(value, null, 2)
}

/** Every character can be seen. @param {unknown} value @returns {string} */
export function spelled(value) {
  return textOf(value)
    .replaceAll('\r\n', '\n')
    .replace(controls, (sign) => (sign < ' ' ? String.fromCodePoint(0x2400 + sign.charCodeAt(0)) : code(sign)))
    .replace(hidden, code)
}

/** The same, without what is meant for terminals. @param {unknown} value @returns {string} */
export const readable = (value) => spelled(textOf(value).replace(escapes, ''))

/** In one line. @param {unknown} value @param {number} [most] characters @returns {string} */
export function oneLine(value, most = 160) {
  const text = readable(typeof value === 'string' ? value.slice(0, most * 4) : value)
    .replace(/\s+/g, ' ')
    .trim()
  return text.length > most ? `${text.slice(0, most - 1)}…` : text
}

/** @param {string} sign */
const code = (sign) => `⟨U+${sign.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}⟩`

/** How deep fields are taken apart; what is below stays JSON. */
const DEPTH = 3

/** Fields as lines: long texts keep their line ends. @param {unknown} value @returns {string} */
export function inputText(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return spelled(value)
  return Object.entries(value)
    .flatMap(([name, field]) => fieldLines(spelled(name), field, DEPTH))
    .join('\n')
}

/** @param {string} name @param {unknown} value @param {number} depth @returns {string[]} */
function fieldLines(name, value, depth) {
  const text = spelled(value)
  if (typeof value === 'string') return [text.includes('\n') ? `${name}:\n${text}` : `${name}: ${text}`]
  // A text of several lines within: JSON would make one of it that nobody can read.
  if (typeof value !== 'object' || value === null || depth === 0 || !text.includes('\\n')) return [`${name}: ${text}`]
  return Object.entries(value).flatMap(([key, field]) => fieldLines(`${name}.${spelled(key)}`, field, depth - 1))
}

/** A command line: what a shell would take apart stands in quotes. @param {unknown[]} words */
export const shellWords = (words) =>
  words
    .map(textOf)
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ')

/** What a tool is called upon. @param {unknown} input @returns {string} */
export function targetOf(input) {
  if (typeof input !== 'object' || input === null) return oneLine(input)
  const fields = /** @type {Record<string, unknown>} */ (input)
  for (const name of ['command', 'file_path', 'filePath', 'path', 'pattern', 'query', 'url', 'prompt', 'description']) {
    const value = fields[name]
    if (typeof value === 'string' && value !== '') return oneLine(value)
    if (Array.isArray(value) && value.length > 0) return oneLine(shellWords(value))
  }
  const rest = JSON.stringify(input)
  return rest === '{}' ? '' : oneLine(rest)
}

/** @param {number} count @param {string} one */
export const counted = (count, one) => `${count.toLocaleString('en')} ${one}${count === 1 ? '' : 's'}`

/** @param {string} text @returns {string} */
export const sentence = (text) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`

/** @param {string | undefined} time */
export const ago = (time) => (age(time) === 'now' ? 'now' : `${age(time)} ago`)

/** A moment as the clock on the wall has it, and whole, for who wants the date. @param {unknown} time @returns {{clock: string, moment: string}} */
export function local(time) {
  const date = new Date(typeof time === 'string' ? time : Number.NaN)
  if (Number.isNaN(date.getTime())) return { clock: '', moment: '' }
  return {
    clock: date.toLocaleTimeString(),
    moment: date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' }),
  }
}

/** @param {number} ms */
export function duration(ms) {
  const seconds = ms / 1000
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes} min ${Math.floor(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** How long ago. @param {string | undefined} time @param {number} [now] @returns {string} */
export function age(time, now = Date.now()) {
  const seconds = Math.round((now - Date.parse(time ?? '')) / 1000)
  if (Number.isNaN(seconds)) return ''
  if (seconds < 5) return 'now'
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86400)} d`
}
