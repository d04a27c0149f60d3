/**
 * What the model is to say. The newest text of the user that holds "MOCK:" is the script; steps are separated by ";;",
 * and step n is played when n tool results have come back since:
 *
 *   text WORDS        answers, a delta a word           think WORDS      the same after a block of thinking
 *   bash COMMAND      calls the shell tool              write FILE TEXT  calls the tool that writes files
 *   slow N MS         N deltas, MS milliseconds apart   hang             begins an answer and never goes on
 *   error STATUS      an HTTP error                     cut              breaks the connection inside an answer
 *
 * After the last step the model repeats what the last tool said; without a script it repeats the user.
 *
 * @typedef {{ role: 'user' | 'result' | 'other', text: string }} Turn
 * @typedef {{
 *   kind: 'say' | 'hang' | 'cut' | 'fail', words: string[], thought?: string[], pauseMs?: number, status?: number,
 *   call?: { name: string, input: Record<string, unknown> },
 * }} Reply
 */

const MARK = 'MOCK:'

/** Each word keeps the white space after it. @param {string} text */
export const words = (text) => text.match(/\S+\s*/g) ?? []

/**
 * @param {readonly Turn[]} turns the conversation, whatever the format it came in
 * @param {readonly string[]} tools names of the tools that the agent offers; requests on the side offer none
 * @returns {Reply}
 */
export function replyTo(turns, tools) {
  const at = turns.findLastIndex((turn) => turn.role === 'user' && turn.text.includes(MARK))
  const heard = turns.findLast((turn) => turn.role === 'user')?.text ?? ''
  if (at < 0) return say(`You said: ${heard.slice(-80)}`)
  const script = turns[at]?.text.split(MARK).pop()?.split('\n')[0] ?? ''
  const results = turns.slice(at + 1).filter((turn) => turn.role === 'result')
  const step = script.split(';;')[results.length]?.trim()
  if (step === undefined) return say(`The tool said: ${results.at(-1)?.text.slice(0, 300) ?? ''}`)
  const [verb = '', ...rest] = step.split(' ')
  // A request on the side (a title, a summary) must neither call tools nor hang.
  if (tools.length === 0 && verb !== 'text' && verb !== 'think') return say('A title')
  return play(verb, rest)
}

/** @param {string} verb @param {string[]} rest @returns {Reply} */
function play(verb, rest) {
  const text = rest.join(' ')
  switch (verb) {
    case 'text':
      return say(text)
    case 'think':
      return { ...say(text), thought: ['I ', 'am ', 'thinking ', 'about ', 'it.'] }
    case 'bash':
      return {
        ...say('I am running a command.'),
        call: { name: 'Bash', input: { command: text, description: 'mock' } },
      }
    case 'write': {
      const [file = '', ...content] = rest
      const input = { file_path: file, content: content.join(' ') }
      return { ...say('I am writing a file.'), call: { name: 'Write', input } }
    }
    case 'slow':
      return {
        ...say(Array.from({ length: Number(rest[0] ?? 20) }, (_, n) => `tick${n}`).join(' ')),
        pauseMs: Number(rest[1] ?? 100),
      }
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
