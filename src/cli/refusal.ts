/** What yargs refuses, in our words: what is wrong with which part of the line, and what would be right. */
import { AgentzError } from '../base/errors.js'

/** As much of a word as is shown. */
const SHOWN = 80
const quoted = (text: string): string => JSON.stringify(text.slice(0, SHOWN))
const option = (name: string): string => `${name.length > 1 ? '--' : '-'}${name.slice(0, SHOWN)}`

/** @param command as its verb has it, `show <id>` @param words as they were typed */
export function refusal(message: string, command: string, words: readonly string[]): string {
  const few = /^Not enough non-option arguments: got (\d+)/.exec(message)
  if (few) {
    const missing = (command.match(/<[^>]+>/g) ?? []).slice(Number(few[1]))
    return `${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing: agentz ${command}`
  }
  const valueless = /^Not enough arguments following: (.+)/s.exec(message)
  if (valueless) return `${option(valueless[1] ?? '')} needs a value`
  const choice = /^Invalid values:\s+Argument: (.+?), Given: (.+), Choices: (.+)/s.exec(message)
  if (choice) {
    const [, name = '', given = '', choices = ''] = choice
    return `${option(name)}: ${given.slice(0, SHOWN)} is not one of ${choices.replaceAll('"', '')}`
  }
  const unknown = /^Unknown arguments?: (.*)/s.exec(message)?.[1]
  if (unknown === undefined) return message
  // An option comes without its dashes; a word may be of any length and hold commas.
  const [first = ''] = unknown.split(', ')
  const isOption = words.some((word) => /^--?/.test(word) && word.replace(/^--?/, '').split('=')[0] === first)
  const isLetter = first.length === 1 && words.some((word) => /^-[^-]/.test(word) && word.includes(first))
  if (isOption || isLetter) return `there is no option ${option(first)} here`
  return `${quoted(first === '""' ? '' : first)} is one word too many: agentz ${command}`
}

/** Options that may be given more than once, and positional words. */
const lists = new Set([
  '_',
  'prompt',
  'text',
  'id',
  'env',
  'e',
  'label',
  'l',
  'status',
  'streams-origin',
  'streamsOrigin',
])

/** Which of the two was meant? */
export function refuseDoubled(args: object, error: (message: string) => AgentzError): void {
  for (const [name, value] of Object.entries(args)) {
    if (!Array.isArray(value) || lists.has(name)) continue
    throw error(`${option(name)} was given more than once`)
  }
}

/** A verb that is none. */
export function noVerb(typed: string, words: readonly string[], verbs: readonly string[]): AgentzError {
  const near = verbs.find((verb) => isNear(typed, verb))
  const isPrompt = typed.includes(' ')
  return new AgentzError('USAGE', `there is no verb ${quoted(typed)}`, {
    hint: isPrompt
      ? `agentz run ${quoted(words.join(' '))}`
      : near
        ? `Did you mean \`agentz ${near}\`?`
        : 'See `agentz --help`.',
  })
}

/** The same letters, or one more, less or other. */
function isNear(a: string, b: string): boolean {
  if ([...a].sort().join() === [...b].sort().join()) return true
  const at = [...a].findIndex((letter, index) => letter !== b[index])
  if (at < 0) return b.length - a.length <= 1
  return [a.slice(at + 1), a.slice(at)].some((rest) => rest === b.slice(at + 1) || rest === b.slice(at))
}
