/**
 * What the daemon asks of an agent. One implementation a protocol; each turns its agent's words into events and the
 * daemon's wishes into its agent's protocol. It fits agents that run one prompt to its end as well as conversations.
 */
import type { AgentEvent, Cause, Metadata } from '../session/events.js'
import type { Spec } from '../session/spec.js'

/** What the daemon lends to an agent for one run. */
export interface AgentContext {
  readonly spec: Spec
  /** The agent's whole environment: captured from the caller, never the daemon's. */
  readonly env: Readonly<Record<string, string>>
  /** The native session id that an earlier run reported by `agent_session`, if any. */
  readonly nativeId?: string
  /** Appends events in order. They are written together at the end of the event-loop turn. */
  emit(events: readonly AgentEvent[]): void
  /**
   * Undefined while the log takes more; else wait for it before reading on from the agent. Here a full disk, and an agent
   * that talks faster than the disk, push back.
   */
  full(): Promise<void> | undefined
  /** Something odd that belongs in the journal, not in the session. */
  warn(message: string, detail?: unknown): void
}

export type Outcome =
  | { readonly status: 'completed'; readonly metadata: Metadata }
  | { readonly status: 'failed'; readonly error: string; readonly cause: Cause; readonly metadata?: Metadata }

export type Decision = { requestId: string; decision: 'allow' | 'allow_always' | 'deny'; reason?: string }

/** A started agent. */
export interface RunningAgent {
  /** The agent's process, where it has one. */
  readonly pid: number | undefined
  /** Settles once, when nothing more will come; never rejects. */
  readonly ended: Promise<Outcome>
  /** A further message; says how it goes in. Absent where the agent takes none. */
  send?(message: { messageId: string; content: string }): Promise<'queued' | 'steered' | 'new'>
  /** Answers a pending approval. */
  decide?(decision: Decision): Promise<void>
  /** Ends the turn, keeps the agent. */
  interrupt?(): Promise<void>
  /** Ends the agent in the order that was measured for it: protocol, stdin, signal, kill. Resolves when it is gone. */
  stop(): Promise<void>
}

/** A kind of agent. */
export interface Agent {
  readonly name: string
  /** Whether a later daemon can go on with the native session; if not, nothing runs it twice unasked. */
  readonly resumable: boolean
  /** How to install it, for the error that it is missing. */
  readonly install: string
  /**
   * Checks before anything is created that the agent could start. @returns the program that would run
   * @throws AGENT_MISSING
   */
  check(spec: Pick<Spec, 'command'>, env: Readonly<Record<string, string>>, workingDir: string): string
  start(context: AgentContext): RunningAgent
}
