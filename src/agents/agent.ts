/**
 * What the daemon asks of an agent. One implementation a protocol; each turns its agent's words into events and the
 * daemon's wishes into its agent's protocol. There are two sorts: a program that runs once to its end, and a conversation.
 */
import type { AgentEvent, Cause, Decided, Metadata } from '../session/events.js'
import type { Spec } from '../session/spec.js'

/** What the daemon lends to an agent for one start of it. */
export interface AgentContext {
  readonly spec: Spec
  /** The agent's whole environment: captured from the caller, never the daemon's. */
  readonly env: Readonly<Record<string, string>>
  /** The native session id that an earlier start reported by `agent_session`, if it is to be gone on with. */
  readonly nativeId?: string | undefined
  /** Counts the starts of agents in this session, over all daemons: ids of questions that carry it are never used twice. */
  readonly start: number
  /** Turns of the session so far; the next `turn_started` is one more. */
  readonly turns: number
  /** Questions that are still open from before; empty but for agents that keep them. */
  readonly open: ReadonlySet<string>
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

export interface Decision {
  readonly requestId: string
  readonly decision: Decided
  readonly reason?: string | undefined
}

export interface Message {
  readonly messageId: string
  readonly content: string
}

/** How a program that runs once has ended. */
export type Outcome =
  | { readonly status: 'completed'; readonly metadata: Metadata }
  | { readonly status: 'failed'; readonly error: string; readonly cause: Cause; readonly metadata?: Metadata }

/** A started program. */
export interface RunningProgram {
  /** The agent's process, where it has one. */
  readonly pid: number | undefined
  /** Settles once, when nothing more will come; never rejects. */
  readonly ended: Promise<Outcome>
  /** Ends it and its whole process tree. Resolves when it is gone. */
  stop(): Promise<void>
}

/** How the process of a conversation has ended. What became of its turns, events have told. */
export type End =
  /** As it was asked to, by finish() or stop(). */
  | { readonly kind: 'finished' }
  /** Unasked. `again`: something from outside ended it (a signal), so that starting it again makes sense. */
  | { readonly kind: 'died'; readonly error: string; readonly cause: Cause; readonly again: boolean }
  /** It does not know the native session that it was to go on with. */
  | { readonly kind: 'forgotten'; readonly error: string }

/**
 * A started agent that is talked with. What it does is told by events:
 * - `agent_session` once it takes messages, with the permission mode read back, in our words (session/mode.ts);
 * - `turn_started` and `turn_ended` in strict turns; one turn may answer several messages;
 * - whatever a turn leaves open when it ends (tools, questions) is closed before `turn_ended`, also when the process dies.
 */
export interface Conversation {
  readonly pid: number | undefined
  /** Settles once, when nothing more will come; never rejects. */
  readonly ended: Promise<End>
  /** Settles when it takes messages. Stays pending if it ends before. */
  readonly ready: Promise<void>
  /** Whether a message may be handed over during a turn. If not, the daemon holds it until the turn has ended. */
  readonly steers: boolean
  /** Whether a message that is handed over now waits in the agent's own queue until the turn has ended. */
  readonly queues?: boolean
  /**
   * Whether the agent's own history holds the message; undefined if nobody can tell. Asked once it is ready, before anything is
   * sent, about a message that an earlier daemon may have sent.
   */
  has(message: Message): Promise<boolean | undefined>
  /** Hands over a message; resolves when the agent has it. @throws CONFLICT if it takes none any more */
  send(message: Message): Promise<void>
  /** Answers a pending approval. @throws CONFLICT if it does not wait for this answer (any more) */
  decide(decision: Decision): Promise<void>
  /** Answers a question that was told by `input_request`. @throws as decide */
  answer(requestId: string, content: string): Promise<void>
  /** Ends the turn, keeps the agent. Resolves when the turn has ended, or the agent has; at once where no turn runs. */
  interrupt(): Promise<void>
  /** No more messages will come: lets it end by itself. Resolves when it is gone. */
  finish(): Promise<void>
  /** Ends it in the order that was measured for it: interrupt, close stdin, signal, kill. Resolves when it is gone. */
  stop(): Promise<void>
}

interface AgentKind {
  readonly name: string
  /** What it is, in a few words. */
  readonly title: string
  /** How to install it, for the error that it is missing; empty where nothing is to be installed. */
  readonly install: string
  /** Whether somebody is logged in, as far as files and variables tell. */
  login(env: Readonly<Record<string, string>>): Login
  /**
   * Checks before anything is created that the agent could start. @returns the program that would run
   * @throws AGENT_MISSING
   */
  check(spec: Pick<Spec, 'command'>, env: Readonly<Record<string, string>>, workingDir: string): string
}

export interface Login {
  readonly state: 'yes' | 'no' | 'unknown' | 'not needed'
  /** Where that was seen, or what to do. */
  readonly detail: string
}

/** A program that is run once. Nothing runs it a second time unasked. */
export interface ProgramAgent extends AgentKind {
  readonly converses: false
  start(context: AgentContext): RunningProgram
}

export interface ConversingAgent extends AgentKind {
  readonly converses: true
  /** The permission modes that it knows, of session/mode.ts; undefined: the mode goes to the agent as it was given. */
  readonly modes: readonly string[] | undefined
  /** Whether a question outlives the process that asked it, and keeps its id. */
  readonly keepsQuestions: boolean
  /** Milliseconds between two starts of this kind on a machine; starts at once have logged each other out. */
  readonly spacing: number
  start(context: AgentContext): Promise<Conversation>
}

export type Agent = ProgramAgent | ConversingAgent
