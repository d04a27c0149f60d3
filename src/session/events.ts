/**
 * The event contract: every line of a session file and of the registry. EVENTS.md beside this file shows each type with
 * a sample line and says what is not promised; a test holds page, schemas and samples together.
 *
 * Readers must take unknown types and unknown fields in their stride; writers write only what stands here.
 */
import * as z from 'zod/mini'
import { supervisorNames } from '../base/config.js'
import { CauseWord } from './cause.js'
import { SessionId } from './id.js'
import { Spec } from './spec.js'

export const By = z.enum(['daemon', 'user', 'agent', 'supervisor'])

/** Why something ended. `result` is systemd's word where it has one, else ours. */
export const Cause = z.looseObject({
  result: CauseWord,
  /** exited, killed or dumped. */
  code: z.optional(z.string()),
  /** The exit status, the signal's name without SIG, or the HTTP status of the model's answer. */
  status: z.optional(z.union([z.int(), z.string()])),
  message: z.optional(z.string()),
})
export type Cause = z.infer<typeof Cause>

/** Tokens and money of a session so far. */
export const Usage = z.looseObject({
  input: z.int(),
  output: z.int(),
  cached: z.int(),
  costUsd: z.optional(z.number()),
})
export type Usage = Known<z.infer<typeof Usage>>

/** What a finished session did; counts are absent where the agent does not tell. */
export const Metadata = z.looseObject({
  durationMs: z.optional(z.number()),
  turns: z.optional(z.int()),
  usage: z.optional(z.record(z.string(), z.number())),
  costUsd: z.optional(z.number()),
  toolStats: z.optional(z.looseObject({ totalCalls: z.int(), byTool: z.record(z.string(), z.int()) })),
  editedFiles: z.optional(z.array(z.string())),
  /** How many more there were than are listed. */
  editedFilesMissing: z.optional(z.int()),
  exitCode: z.optional(z.int()),
  outputLines: z.optional(z.int()),
})
export type Metadata = z.infer<typeof Metadata>

const frame = {
  timestamp: z.string(),
  by: By,
  /** The start of the daemon that wrote the line; absent on lines of others. */
  epoch: z.optional(z.int()),
}

/** Fields of a type take the place of the frame's: `epoch` is required where a daemon speaks of itself. */
const event = <const T extends string, S extends z.core.$ZodShape>(type: T, fields: S) =>
  z.looseObject({ ...frame, ...fields, type: z.literal(type) } as Omit<typeof frame, keyof S> &
    S & { type: z.ZodMiniLiteral<T> })

const life = { sessionId: SessionId }
/** The process that creates a session: a later one of the same number is told from it by its start, in clock ticks since boot. */
export const Creator = z.looseObject({ pid: z.int(), start: z.string() })
export type Creator = Known<z.infer<typeof Creator>>

const json = z.unknown()
const text = z.string()

/** Written to both files: the session file first, then the registry. */
const lifecycle = [
  /** `epoch` is that of the daemon before, 0 if there was none: what comes late is told by it. */
  event('session_queued', { ...life, epoch: z.int() }),
  event('session_updated', {
    ...life,
    status: z.string(),
    /** Seconds for which its agent has said nothing, if they are more than `--stall-timeout` allows. */
    stalled: z.optional(z.number()),
    usage: z.optional(Usage),
  }),
  /** `unanswered`: its daemon did not answer, and its watchdog may end it. */
  event('session_frozen', { ...life, unanswered: z.optional(z.literal(true)) }),
  event('session_thawed', life),
  event('session_completed', { ...life, metadata: Metadata }),
  event('session_failed', { ...life, error: text, cause: Cause, metadata: z.optional(Metadata) }),
  event('session_cancelled', { ...life, cause: Cause, metadata: z.optional(Metadata) }),
  event('session_interrupted', { ...life, cause: Cause, metadata: z.optional(Metadata) }),
  event('session_recovery', {
    ...life,
    /** What `agentz recover` did with it. */
    action: z.enum(['resumed', 'marked', 'held', 'failed']),
    why: text,
  }),
  event('daemon_started', {
    ...life,
    unit: text,
    /** systemd, if it is not there. */
    supervisor: z.optional(z.enum(supervisorNames)),
    pid: z.int(),
    bootId: text,
    invocationId: z.optional(text),
    epoch: z.int(),
  }),
  event('daemon_exited', {
    ...life,
    unit: text,
    epoch: z.int(),
    invocationId: z.optional(text),
    result: text,
    code: z.optional(text),
    status: z.optional(z.union([z.int(), text])),
    /** `systemctl --user is-system-running` at that moment; "stopping" means log-out or shutdown. */
    manager: text,
  }),
] as const

export const RegistryEvent = z.discriminatedUnion('type', [
  event('session_created', {
    ...life,
    agentType: text,
    prompt: text,
    title: text,
    workingDir: text,
    model: z.optional(text),
    labels: z.optional(z.record(text, text)),
    parent: z.optional(SessionId),
    creator: z.optional(Creator),
  }),
  event('session_deleted', life),
  event('session_archived', life),
  ...lifecycle,
])

const Decided = z.enum(['allow', 'allow_always', 'deny'])
export type Decided = z.infer<typeof Decided>
/** One answer that the agent takes; `reason`: whether the reason of a denial reaches it. */
const ApprovalOption = z.looseObject({ decision: Decided, label: text, reason: z.optional(z.boolean()) })

const toolId = text
export const SessionEvent = z.discriminatedUnion('type', [
  // Line 1: the file alone is enough to run, resume and understand the session.
  event('session_created', { ...life, spec: Spec, creator: z.optional(Creator) }),
  ...lifecycle,
  // What the agent did.
  event('text', {
    content: z.optional(text),
    stream: z.optional(z.enum(['stdout', 'stderr'])),
    /** Streamed pieces; a whole `text` follows when the block is finished. */
    partial: z.optional(z.literal(true)),
    delta: z.optional(z.array(text)),
    missingBytes: z.optional(z.int()),
  }),
  event('thinking', {
    content: z.optional(text),
    partial: z.optional(z.literal(true)),
    delta: z.optional(z.array(text)),
    missingBytes: z.optional(z.int()),
  }),
  event('tool_use', {
    toolId,
    tool: text,
    input: json,
    /** The files that it is to change, where the agent tells. */
    files: z.optional(z.array(text)),
    missingBytes: z.optional(z.int()),
  }),
  event('tool_result', {
    toolId,
    content: text,
    isError: z.optional(z.boolean()),
    missingBytes: z.optional(z.int()),
  }),
  event('plan', { entries: z.array(json) }),
  event('usage', {
    /** Of one call of the model, or of a whole turn: then it takes the place of the calls of that turn. */
    scope: z.enum(['step', 'turn']),
    input: z.optional(z.int()),
    output: z.optional(z.int()),
    cached: z.optional(z.int()),
    costUsd: z.optional(z.number()),
  }),
  event('system', {
    content: text,
    detail: z.optional(json),
    /** The kernel's count of kills for want of memory in the unit's control group, when its daemon saw that rise. */
    oomKills: z.optional(z.int()),
  }),
  event('error', { content: text, cause: z.optional(Cause), fatal: z.optional(z.boolean()) }),
  event('raw', { raw: json, missingBytes: z.optional(z.int()) }),
  // The conversation's frame.
  event('user_message', {
    messageId: text,
    content: text,
    /** The turn that runs is to be stopped first. */
    interrupt: z.optional(z.boolean()),
    via: z.optional(text),
  }),
  event('message_sent', { messageId: text, delivery: z.enum(['new', 'queued', 'steered']) }),
  event('message_accepted', { messageId: text }),
  event('turn_started', { turn: z.int() }),
  event('turn_ended', {
    turn: z.int(),
    reason: z.enum(['completed', 'interrupted', 'failed']),
    error: z.optional(text),
    cause: z.optional(Cause),
  }),
  event('status_change', { status: z.string() }),
  event('stalled', { seconds: z.number() }),
  event('stall_ended', {}),
  event('agent_session', {
    nativeId: text,
    model: z.optional(text),
    permissionMode: z.optional(text),
    agentVersion: z.optional(text),
    /** Its own history was gone: it has begun anew, and is told the conversation so far. */
    anew: z.optional(z.boolean()),
  }),
  // Questions and answers.
  event('approval_request', {
    requestId: text,
    tool: text,
    input: json,
    title: z.optional(text),
    /** What may be answered; all three decisions, where it is absent. */
    options: z.optional(z.array(ApprovalOption)),
    toolId: z.optional(text),
  }),
  event('approval_response', {
    requestId: text,
    decision: Decided,
    reason: z.optional(text),
    via: z.optional(text),
  }),
  event('approval_voided', { requestId: text, why: text }),
  event('input_request', {
    requestId: text,
    question: text,
    /** Answers that are understood; any text, where it is absent. */
    options: z.optional(z.array(text)),
    /** What the daemon itself asks about. */
    about: z.optional(z.enum(['budget', 'undecided'])),
    /** The budget that is used up, or the message whose fate is unknown. */
    subject: z.optional(text),
  }),
  event('input_response', { requestId: text, content: text, via: z.optional(text) }),
  // Control.
  event('cancel_requested', { via: z.optional(text) }),
  event('freeze_requested', { via: z.optional(text) }),
  event('thaw_requested', { via: z.optional(text) }),
])

/** A schema's own fields, without "and any further ones". */
type Known<T> = T extends unknown ? { [K in keyof T as string extends K ? never : K]: T[K] } : never

export type SessionEvent = Known<z.infer<typeof SessionEvent>>
export type RegistryEvent = Known<z.infer<typeof RegistryEvent>>
export type SessionEventType = SessionEvent['type']
export type EventOf<T extends SessionEventType> = Extract<SessionEvent, { type: T }>

type Frame = 'timestamp' | 'by' | 'epoch'
/** An event before its writer adds timestamp, by and epoch. */
export type Unframed<E> = E extends unknown ? Omit<E, Frame> : never

/** What an agent hands over to the daemon. */
export type AgentEvent = Unframed<SessionEvent>

/** The events that another party may append to a session file; all others are the daemon's and the reaper's. */
export const controlTypes = ['user_message', 'approval_response', 'input_response', 'cancel_requested'] as const
/** A freeze is more than its event, so that it is nothing to append by hand. */
export type ControlEvent = EventOf<(typeof controlTypes)[number] | 'freeze_requested' | 'thaw_requested'>
