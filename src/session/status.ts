/**
 * The life of a session as a table: which event leads from which status to which. Pure. What is not in the table
 * changes nothing, so any order of events gives a legal status.
 */

export const liveStatuses = ['pending', 'running', 'waiting_approval', 'waiting_input', 'idle'] as const
export const terminalStatuses = ['completed', 'failed', 'cancelled', 'interrupted'] as const
export type LiveStatus = (typeof liveStatuses)[number]
export type TerminalStatus = (typeof terminalStatuses)[number]
export type Status = LiveStatus | TerminalStatus

export const statuses: readonly Status[] = [...liveStatuses, ...terminalStatuses]
const live: ReadonlySet<string> = new Set(liveStatuses)

export const isLive = (status: Status): status is LiveStatus => live.has(status)
export const needsAnswer = (status: Status): boolean => status === 'waiting_approval' || status === 'waiting_input'

type Row = Partial<Record<Status, Status>>
const from = (sources: readonly Status[], to: Status): Row => Object.fromEntries(sources.map((status) => [status, to]))

/** Terminal is terminal for one run of the daemon: the next daemon_started, or the queue for it, reopens the session. */
const table: Record<string, Row> = {
  daemon_started: from(statuses, 'running'),
  turn_started: from(liveStatuses, 'running'),
  turn_ended: from(['running', 'waiting_approval', 'waiting_input'], 'idle'),
  approval_request: from(liveStatuses, 'waiting_approval'),
  approval_response: { waiting_approval: 'running' },
  approval_voided: { waiting_approval: 'running', waiting_input: 'running' },
  input_request: from(liveStatuses, 'waiting_input'),
  input_response: { waiting_input: 'running' },
  user_message: { idle: 'running' },
  // Taken up again, once it is its turn.
  session_queued: from(terminalStatuses, 'pending'),
  session_completed: from(liveStatuses, 'completed'),
  session_failed: from([...liveStatuses, 'interrupted'], 'failed'),
  session_cancelled: from([...liveStatuses, 'interrupted'], 'cancelled'),
  session_interrupted: from([...liveStatuses, 'interrupted'], 'interrupted'),
  // The fact that the daemon is gone. If the OS restarts it, daemon_started says so; until then nothing runs.
  daemon_exited: from(liveStatuses, 'interrupted'),
}

/** Events that name the status they lead to; only a live session follows, and only to a live status. */
const naming = new Set(['session_updated', 'status_change'])

/** The status after an event of `type`; `named` is the event's own `status` field, if it has one. */
export function nextStatus(status: Status, type: string, named?: unknown): Status {
  if (naming.has(type)) return isLive(status) && live.has(named as string) ? (named as LiveStatus) : status
  return table[type]?.[status] ?? status
}
