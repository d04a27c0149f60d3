/**
 * What the model is to say. The newest text of the user that holds "MOCK:" is the script; steps are separated by ";;",
 * and step n is played when n tool results have come back since:
 *
 *   text WORDS        answers, a delta a word           think WORDS      the same after a block of thinking
 *   bash COMMAND      calls the shell tool              write FILE TEXT  calls the tool that writes files
 *   escalate COMMAND  the same outside codex's sandbox  tool NAME JSON   calls any tool
 *   slow N MS         N deltas, MS milliseconds apart   flood N          N deltas without a pause
 *   hang              begins an answer, never goes on   cut              breaks the connection inside an answer
 *   error STATUS      an HTTP error
 *
 * After the last step the model repeats what the last tool said; without a script it repeats the user.
 *
 * @typedef {import('./tools.mjs').Tool} Tool
 * @typedef {import('./tools.mjs').Call} Call
 * @typedef {{ role: 'user' | 'result' | 'other', text: string }} Turn
 * @typedef {{
 *   kind: 'say' | 'hang' | 'cut' | 'fail', words: string[], thought?: string[], pauseMs?: number, status?: number, call?: Call,
 * }} Reply
 */
import { shellCall, writeCall } from './tools.mjs'

const MARK = 'MOCK:'

/** Each word keeps the white space after it. @param {string} text */
export const words = (text) => text.match(/\S+\s*/g) ?? []

/** The scripts of a conversation, in order; one turn may tell of several. @param {readonly Turn[]} turns */
export const scripts = (turns) => turns.filter(isScript).flatMap(scriptsOf)

/** What the last tool said, if one has said anything since the newest script. @param {readonly Turn[]} turns */
export const lastResult = (turns) => resultsOf(turns).at(-1)?.text

/**
 * @param {readonly Turn[]} turns the conversation, whatever the format it came in
 * @param {readonly Tool[]} tools that the agent offers; requests on the side offer none
 * @returns {Reply}
 */
export function replyTo(turns, tools) {
  const script = turns.findLast(isScript)
  const heard = turns.findLast((turn) => turn.role === 'user')?.text ?? ''
  if (script === undefined) return say(`You said: ${heard.slice(-80)}`)
  const step = scriptsOf(script).at(-1)?.split(';;')[resultsOf(turns).length]?.trim()
  if (step === undefined) return say(`The tool said: ${lastResult(turns)?.slice(0, 300) ?? ''}`)
  const [verb = '', ...rest] = step.split(' ')
  // A request on the side (a title, a summary) must neither call tools nor hang.
  if (tools.length === 0 && verb !== 'text' && verb !== 'think') return say('A title')
  return play(verb, rest, tools)
}

/** @param {string} verb @param {string[]} rest @param {readonly Tool[]} tools @returns {Reply} */
function play(verb, rest, tools) {
  const text = rest.join(' ')
  switch (verb) {
    case 'text':
      return say(text)
    case 'think':
      return { ...say(text), thought: ['I ', 'am ', 'thinking ', 'about ', 'it.'] }
    case 'bash':
      return call('I am running a command.', shellCall(tools, text))
    case 'escalate': {
      const shell = shellCall(tools, text)
      const further = { sandbox_permissions: 'require_escalated', justification: 'The mock wants out.' }
      return call('I am running a command.', shell && { ...shell, input: { ...shell.input, ...further } })
    }
    case 'write':
      return call('I am writing a file.', writeCall(tools, rest[0] ?? '', rest.slice(1).join(' ')))
    case 'tool':
      return call('I am using a tool.', { name: rest[0] ?? '', input: JSON.parse(rest.slice(1).join(' ') || '{}') })
    case 'slow':
      return { ...say(ticks(Number(rest[0] ?? 20))), pauseMs: Number(rest[1] ?? 100) }
    case 'flood':
      return say(ticks(Number(text || 1000)))
    case 'error':
      return { kind: 'fail', words: [], status: Number(text || 500) }
    case 'hang':
      return { kind: 'hang', words: [] }
    case 'cut':
      return { ...say('This answer breaks off'), kind: 'cut' }
    default:
      return say(`The mock knows no step ${verb}`)
  }
}

/** @param {string} text @returns {Reply} */
const say = (text) => ({ kind: 'say', words: words(text) })

/** @param {string} text @param {Call | undefined} call @returns {Reply} */
const call = (text, call) => (call === undefined ? say('I have no tool for that.') : { ...say(text), call })

/** @param {number} count */
const ticks = (count) => Array.from({ length: count }, (_, n) => `tick${n}`).join(' ')

/** @param {Turn} turn */
const isScript = ({ role, text }) => role === 'user' && text.includes(MARK)

/** @param {Turn} turn */
function scriptsOf({ text }) {
  const scripts = text.split(MARK).slice(1)
  // `opencode run` puts an argument that has spaces into quotes.
  const end = text.trimStart().startsWith('"') ? /"$/ : /$^/
  return scripts.map((script) => (script.split('\n')[0] ?? '').trim().replace(end, ''))
}

/** The tool results since the newest script. @param {readonly Turn[]} turns */
function resultsOf(turns) {
  return turns.slice(turns.findLastIndex(isScript) + 1).filter((turn) => turn.role === 'result')
}
