/** Answering what a session asks: `approve`, `deny` and `answer` differ in the event alone. */
import { AgentzError } from '../base/errors.js'
import { sessionLog } from '../base/paths.js'
import { appendControl } from '../session/control.js'
import type { ControlEvent, Unframed } from '../session/events.js'
import { findSession } from '../session/find.js'
import { frame } from '../session/frame.js'
import { readSession, type SessionState } from '../session/state.js'
import { context, EXIT } from './context.js'
import { answers, asked } from './question.js'
import { appendLine, columns, oneLine, print, say, spelled } from './terminal.js'

export interface Args {
  id: string
  request?: string
  json?: boolean
  how?: boolean
}

type Kind = 'approvals' | 'inputs'

/** @param kind of question @param event what to append, once the request is known */
export async function decide(
  args: Args,
  kind: Kind,
  event: (requestId: string) => Unframed<ControlEvent>,
  done: string,
): Promise<number> {
  const { home } = context()
  const id = findSession(home, args.id)
  const state = readSession(home, id)
  refuseOther(state, kind, args.request)
  const requestId = args.request ?? onlyRequest(state, kind)
  if (args.how) {
    await print(`${appendLine(frame(event(requestId), 'user'), sessionLog(home, id))}   # found within a second\n`)
    return EXIT.ok
  }
  const { offset } = await appendControl(home, id, event(requestId))
  const request = state[kind].get(requestId)
  if (args.json) await print(`${JSON.stringify({ sessionId: id, requestId, offset })}\n`)
  else say(`${done}: ${request === undefined ? requestId : oneLine(spelled(asked(request)), columns() - 12)}`)
  if (state.frozen) say(`it is frozen, and reads it after: agentz thaw ${id}`)
  return EXIT.ok
}

/** What waits is of the other kind, and another verb answers it. @throws NOT_FOUND */
function refuseOther(state: SessionState, kind: Kind, requestId: string | undefined): void {
  const others = [...state[kind === 'approvals' ? 'inputs' : 'approvals'].values()]
  const meant = others.filter((other) =>
    requestId === undefined ? state[kind].size === 0 : other.requestId === requestId,
  )
  const [first] = meant
  if (first === undefined) return
  const id = state.spec.sessionId
  const what =
    kind === 'approvals' ? 'asks a question; nothing waits to be allowed' : 'asks for an approval, not for words'
  const lines = answers(id, first, others.length > 1).map(([, line]) => `  ${line}`)
  throw new AgentzError('NOT_FOUND', `session ${id} ${what}: ${spelled(asked(first))}`, {
    hint: `Answer it with one of:\n${lines.join('\n')}`,
  })
}

/** @throws NOT_FOUND if nothing waits, AMBIGUOUS if it is not clear what is meant */
function onlyRequest(state: SessionState, kind: Kind): string {
  const { status } = state
  const { sessionId } = state.spec
  const open = state[kind]
  const [first, ...more] = open.keys()
  if (first !== undefined && more.length === 0) return first
  if (first === undefined) {
    const what = kind === 'approvals' ? 'for an approval' : 'for an answer'
    throw new AgentzError('NOT_FOUND', `session ${sessionId} is ${status}; it does not wait ${what}`, {
      hint: `\`agentz show ${sessionId}\` shows how it is.`,
    })
  }
  const list = [...open].map(([requestId, request]) => `${requestId}  ${spelled(asked(request))}`)
  const how = kind === 'approvals' ? 'Name the request after the id' : 'Name the request with --request'
  throw new AgentzError('AMBIGUOUS', `session ${sessionId} waits for ${open.size} answers:\n  ${list.join('\n  ')}`, {
    hint: `${how}: ${answers(sessionId, open.get(first) ?? {}, true)[0]?.[1]}`,
  })
}
