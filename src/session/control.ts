/**
 * What others say to a session: an answer, a message, a cancel. Each is an event appended to its file, under the lock, after a
 * look at the state: the first answer wins, a stale one is refused, a cancel of a finished session does nothing.
 */
import { closeSync } from 'node:fs'
import { AgentzError } from '../base/errors.js'
import { doorbell, type Home, sessionLog } from '../base/paths.js'
import { appendOnce } from '../log/append.js'
import { withLock } from '../log/lock.js'
import { openLog } from '../log/read.js'
import { ring } from './doorbell.js'
import type { ControlEvent, EventOf, Unframed } from './events.js'
import { frame } from './frame.js'
import { isOver, type Loose } from './life.js'
import { isOwn } from './message.js'
import { offersOf, wordsOf } from './offer.js'
import { SessionFold, type SessionState } from './state.js'
import { isLive } from './status.js'

type Answer = Unframed<EventOf<'approval_response'> | EventOf<'input_response'>>

export interface Controlled {
  /** The address of the appended event; undefined if there was nothing to do. */
  readonly offset: number | undefined
  readonly state: SessionState
}

/**
 * Appends a control event and rings the daemon; on the disk when this returns.
 * @throws NOT_FOUND for an unknown session or request; CONFLICT for a second answer or a finished session
 */
export async function appendControl(home: Home, id: string, event: Unframed<ControlEvent>): Promise<Controlled> {
  const path = sessionLog(home, id)
  const fold = new SessionFold(id)
  // Most of a long file is folded before the lock, so that the lock is held for milliseconds.
  readInto(home, id, fold)
  const offset = await withLock(path, () => {
    readInto(home, id, fold)
    if (!needed(fold.state, event)) return undefined
    const appended = appendOnce(path, frame(event, 'user'))
    if (event.type === 'approval_response' || event.type === 'input_response') {
      refuseLate(home, id, fold, event, appended)
    }
    return appended
  })
  if (offset !== undefined) await ring(doorbell(home, id))
  return { offset, state: fold.state }
}

/**
 * Whoever was suspended between look and word has lost the lock meanwhile, and another answer may stand before this one, which is then
 * in the file and counts for nothing. @throws CONFLICT, NOT_FOUND
 */
function refuseLate(home: Home, id: string, fold: SessionFold, { type, requestId }: Answer, address: number): void {
  let own: Loose | undefined
  readInto(home, id, fold, (record, offset) => {
    if (offset === address) own = record
  })
  const { state } = fold
  if (state.answered.get(requestId) === own) return
  waiting(state, type === 'approval_response' ? state.approvals : state.inputs, requestId)
}

function readInto(home: Home, id: string, fold: SessionFold, onEvent?: Parameters<SessionFold['read']>[1]): void {
  let fd: number
  try {
    fd = openLog(sessionLog(home, id))
  } catch (error) {
    throw new AgentzError('NOT_FOUND', `there is no session ${id}`, { cause: error })
  }
  try {
    fold.read(fd, onEvent)
  } finally {
    closeSync(fd)
  }
}

/** Whether the event changes anything. @throws as appendControl */
function needed(state: SessionState, event: Unframed<ControlEvent>): boolean {
  switch (event.type) {
    case 'cancel_requested':
      return !state.cancelRequested && !isOver(state)
    case 'freeze_requested':
    case 'thaw_requested':
      return isLive(state.status)
    case 'user_message':
      return isSayable(state, event)
    case 'approval_response': {
      const request = waiting(state, state.approvals, event.requestId)
      const options = offersOf(request)
      if (options.length === 0 || options.some(({ decision }) => decision === event.decision)) return true
      throw refused(
        event.decision,
        options.map(({ decision }) => decision),
      )
    }
    case 'input_response': {
      const request = waiting(state, state.inputs, event.requestId)
      const { about } = request
      const options = wordsOf(request)
      const isNumber = about === 'budget' && Number(event.content) > 0
      if (about === undefined || options.length === 0 || isNumber || options.includes(event.content.trim())) return true
      throw refused(event.content, options)
    }
  }
}

function isSayable(
  { spec, messages }: SessionState,
  { messageId, content }: Pick<EventOf<'user_message'>, 'messageId' | 'content'>,
): true {
  if (spec.agentType === 'command') {
    throw new AgentzError('BAD_INPUT', `session ${spec.sessionId} runs a program, which takes no messages`, {
      hint: 'What a program is to read goes into the prompt that it is started with.',
    })
  }
  if (content.trim() === '')
    throw new AgentzError('BAD_INPUT', 'the message is empty', { hint: 'Say something in it.' })
  if (content.includes('\0')) throw new AgentzError('BAD_INPUT', 'the message holds a NUL')
  // Models refuse it, and everything that is said after it.
  if (/\p{Surrogate}/u.test(content)) throw new AgentzError('BAD_INPUT', 'the message holds half a character')
  if (isOwn(messageId)) throw new AgentzError('BAD_INPUT', `${messageId} is an id of the daemon's own`)
  if (!messages.has(messageId)) return true
  throw new AgentzError(
    'CONFLICT',
    `session ${spec.sessionId} has a message ${JSON.stringify(messageId.slice(0, 80))} already`,
  )
}

/** The request that waits for this answer. @throws CONFLICT if it has one, or the session has ended; NOT_FOUND */
function waiting(state: SessionState, open: ReadonlyMap<string, Loose>, requestId: string): Loose {
  const { sessionId } = state.spec
  const name = `request ${JSON.stringify(requestId.slice(0, 80))} of session ${sessionId}`
  const request = open.get(requestId)
  if (request !== undefined && isLive(state.status)) return request
  if (request !== undefined) {
    throw new AgentzError('CONFLICT', `${name} cannot be answered now: its daemon is being started again`, {
      hint: 'Wait a moment: it is asked again.',
    })
  }
  const hint = `\`agentz show ${sessionId}\` lists what waits for an answer.`
  if (state.answered.has(requestId)) throw new AgentzError('CONFLICT', `${name} was answered already`, { hint })
  const why = state.voided.get(requestId)
  if (why !== undefined) throw new AgentzError('NOT_FOUND', `${name} is void: ${why}`, { hint })
  throw new AgentzError('NOT_FOUND', `there is no ${name}`, { hint })
}

const refused = (given: string, options: readonly string[]): AgentzError =>
  new AgentzError('BAD_INPUT', `${JSON.stringify(given.slice(0, 80))} is not one of the answers that are understood`, {
    hint: `Answers: ${options.join(', ')}.`,
  })
