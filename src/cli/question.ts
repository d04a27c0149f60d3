/** What a session asks, and the command lines that answer it, each whole, so that it can be copied. */
import { shellWords } from '../base/shell.js'
import type { Loose } from '../session/life.js'
import { offersOf, wordsOf } from '../session/offer.js'
import type { SessionState } from '../session/state.js'
import { inWords, paint, spelled } from './terminal.js'

/** All of what a tool is to do, and the agent's own words for it where they are not the same. */
export function asked({ tool, input, title, question }: Loose): string {
  if (question !== undefined) return inWords(question)
  const json = JSON.stringify(input) ?? ''
  const said = typeof title === 'string' && !json.includes(title.slice(0, 20)) ? `${title}: ` : ''
  return `${said}${inWords(tool)} ${json}`
}

/**
 * The lines that answer a request.
 * @param named whether the request has to be named: it is not the only one, or the lines may be read when another one waits
 */
export function answers(id: string, request: Loose, named: boolean): [what: string, line: string][] {
  const requestId = inWords(request.requestId)
  const line = (verb: string, ...words: string[]) => spelled(shellWords(['agentz', verb, id, ...words]))
  if (request.question !== undefined) {
    const words = wordsOf(request)
    const which = named ? ['--request', requestId] : []
    const offered = words.length > 0 ? words : ['your answer']
    // An agent chooses the words: one that looks like an option (--file=secret) must not become one.
    return offered.map((content) => [
      'answer',
      line('answer', ...which, ...(content.startsWith('-') ? ['--', content] : [content])),
    ])
  }
  const options = offersOf(request)
  const takes = (decision: string) => options.length === 0 || options.some((each) => each.decision === decision)
  const which = named ? [requestId] : []
  const rows: [string, string, string[]][] = [
    ['allow', 'approve', which],
    ['allow_always', 'approve', [...which, '--always']],
    ['deny', 'deny', [...which, '-r', 'why not']],
  ]
  return rows
    .filter(([decision]) => takes(decision))
    .map(([decision, verb, words]) => [decision === 'allow_always' ? 'always' : decision, line(verb, ...words)])
}

/** What the lines alone do not tell: how far "always" reaches, and that a used-up budget takes a number, too. */
export function notes(request: Loose): string[] {
  const always = offersOf(request).find(({ decision }) => decision === 'allow_always')?.label
  const number = orNumber(request)
  return [
    ...(always === undefined ? [] : [`(always means: ${spelled(always)})`]),
    ...(number === undefined ? [] : [number]),
  ]
}

const units = new Map<unknown, string>([
  ['turns', 'turns'],
  ['cost', 'dollars'],
  ['tokens', 'tokens'],
  ['time', 'seconds'],
])

function orNumber({ about, subject }: Loose): string | undefined {
  const unit = units.get(subject)
  return about === 'budget' && unit !== undefined ? `(a number instead of "continue" adds so many ${unit})` : undefined
}

/** What is asked, and what to type now. @param isRead whether the reader has it before his eyes already */
export function howToAnswer({ spec, status, approvals, inputs }: SessionState, isRead = false): string {
  const open = [...approvals.values(), ...inputs.values()]
  const lines = open.flatMap((request) => {
    const named = (request.question === undefined ? approvals : inputs).size > 1
    const what = open.length > 1 || !isRead ? [`  ${spelled(asked(request))}`] : []
    const lines = answers(spec.sessionId, request, named).map(([, line]) => `  ${line}`)
    return [...what, ...lines, ...notes(request).map((note) => `  ${paint(note, 'dim')}`)]
  })
  return [paint(`${status.replace('_', ' for ')}; answer it with one of:`, 'yellow'), ...lines].join('\n')
}
