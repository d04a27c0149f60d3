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
import type { ControlEvent, Unframed } from './events.js'
import { frame } from './frame.js'
import { SessionFold, type SessionState } from './state.js'
import { isLive } from './status.js'

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
    return appendOnce(path, frame(event, 'user'))
  })
  if (offset !== undefined) await ring(doorbell(home, id))
  return { offset, state: fold.state }
}

function readInto(home: Home, id: string, fold: SessionFold): void {
  let fd: number
  try {
    fd = openLog(sessionLog(home, id))
  } catch (error) {
    throw new AgentzError('NOT_FOUND', `there is no session ${id}`, { cause: error })
  }
  try {
    fold.read(fd)
  } finally {
    closeSync(fd)
  }
}

/** Whether the event changes anything. @throws as appendControl */
function needed(state: SessionState, event: Unframed<ControlEvent>): boolean {
  const id = state.spec.sessionId
  switch (event.type) {
    case 'cancel_requested':
      return !state.cancelRequested && (isLive(state.status) || state.status === 'interrupted')
    case 'approval_response':
    case 'input_response': {
      const { requestId } = event
      const open = event.type === 'approval_response' ? state.approvals : state.inputs
      if (open.has(requestId)) return true
      const request = JSON.stringify(requestId.slice(0, 80))
      if (state.settled.has(requestId)) {
        throw new AgentzError('CONFLICT', `request ${request} of session ${id} was answered already, or is void`)
      }
      throw new AgentzError('NOT_FOUND', `session ${id} has no request ${request}`, {
        hint: `\`agentz show ${id}\` lists what waits for an answer.`,
      })
    }
  }
}
