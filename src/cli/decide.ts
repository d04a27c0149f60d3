/** Answering what a session asks: `approve`, `deny` and `answer` differ in the event alone. */
import { AgentzError } from '../base/errors.js'
import { sessionLog } from '../base/paths.js'
import { appendControl } from '../session/control.js'
import type { ControlEvent, Unframed } from '../session/events.js'
import { findSession } from '../session/find.js'
import { frame } from '../session/frame.js'
import { readSession } from '../session/state.js'
import { context, EXIT } from './context.js'
import { appendLine, print, say, spelled } from './terminal.js'

export interface Args {
  id: string
  request?: string
  json?: boolean
  how?: boolean
}

/** @param kind of question @param event what to append, once the request is known */
export async function decide(
  args: Args,
  kind: 'approvals' | 'inputs',
  event: (requestId: string) => Unframed<ControlEvent>,
  done: string,
): Promise<number> {
  const { home } = context()
  const id = findSession(home, args.id)
  const requestId = args.request ?? onlyRequest(readSession(home, id)[kind], id, kind)
  if (args.how) {
    await print(`${appendLine(frame(event(requestId), 'user'), sessionLog(home, id))}   # found within a second\n`)
    return EXIT.ok
  }
  const { offset } = await appendControl(home, id, event(requestId))
  if (args.json) await print(`${JSON.stringify({ sessionId: id, requestId, offset })}\n`)
  else say(`${id} ${done} ${requestId}`)
  return EXIT.ok
}

/** @throws NOT_FOUND if nothing waits, AMBIGUOUS if it is not clear what is meant */
function onlyRequest(open: ReadonlyMap<string, object>, id: string, kind: 'approvals' | 'inputs'): string {
  const [first, ...more] = open.keys()
  if (first !== undefined && more.length === 0) return first
  if (first === undefined) {
    const what = kind === 'approvals' ? 'for an approval' : 'for an answer'
    throw new AgentzError('NOT_FOUND', `session ${id} does not wait ${what}`, {
      hint: `\`agentz show ${id}\` shows how it is.`,
    })
  }
  const list = [...open].map(([requestId, request]) => {
    const { tool = '', input, question = '' } = request as { tool?: string; input?: unknown; question?: string }
    return `${requestId}  ${spelled(`${tool}${question} ${input === undefined ? '' : JSON.stringify(input)}`)}`
  })
  throw new AgentzError('AMBIGUOUS', `session ${id} waits for ${open.size} answers:\n  ${list.join('\n  ')}`, {
    hint: 'Name the request after the id.',
  })
}
