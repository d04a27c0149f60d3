/** What goes in and comes out: the types of the session's own schemas, as the API gives them. */
import type { Damage } from '../log/read.js'
import type { EventOf, RegistryEvent, SessionEvent } from '../session/events.js'
import type { Row } from '../session/registry.js'
import type { Status, TerminalStatus } from '../session/status.js'
import type { NewSession } from '../session/store.js'
import type { SessionView } from '../session/view.js'

export type { Damage, EventOf, NewSession, RegistryEvent, SessionEvent, Status, TerminalStatus }

export type ApprovalRequest = EventOf<'approval_request'>
export type InputRequest = EventOf<'input_request'>

/** One session, in full. */
export type Session = Omit<SessionView, 'approvals' | 'inputs'> & {
  approvals: ApprovalRequest[]
  inputs: InputRequest[]
}
/** One of a list. */
export type ListedSession = Row & { unit: string; log: string }

export interface Listed {
  sessions: ListedSession[]
  /** Where to follow all sessions from. */
  offset: number
  /** Why the manager could not be asked, if so: processes were looked at instead. */
  unasked?: { code: string; message: string; hint: string }
}

export interface Waiting {
  sessionId: string
  title: string
  agentType: string
  approvals: ApprovalRequest[]
  inputs: InputRequest[]
}

export interface Spawned {
  sessionId: string
  unit: string
  log: string
  /** In the queue, if it has to wait for its turn. */
  place?: number
}

export interface Sent {
  sessionId: string
  messageId: string
  offset: number
  /** It had ended, and was taken up again. */
  reopened: boolean
}

export interface Answered {
  sessionId: string
  requestId: string
  offset: number
}

export interface Done {
  sessionId: string
  status: Status
  /** False if there was nothing to be done. */
  done: boolean
}

/**
 * What is told of a log, one at a time, with the offset to go on from: an event; a damaged line, whose neighbours are whole; or that the
 * file begins anew, so that what came before counts no more. Types of events that are not known have to be skipped.
 */
export type Item<E> =
  | {
      readonly offset: number
      readonly event: E
      readonly line: string
      readonly damaged?: never
      readonly reset?: never
    }
  | {
      readonly offset: number
      readonly damaged: Damage
      readonly event?: never
      readonly line?: never
      readonly reset?: never
    }
  | {
      readonly offset: 0
      readonly reset: { readonly why: string }
      readonly event?: never
      readonly line?: never
      readonly damaged?: never
    }
