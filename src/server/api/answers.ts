/** What the API answers, as schemas: a promise for clients, held by a test of every route. An answer may come to have more fields. */
import * as z from 'zod/mini'
import { supervisorNames } from '../../base/config.js'
import { type ErrorCode, errorCodes } from '../../base/errors.js'
import { Cause, Creator, Metadata, Usage } from '../../session/events.js'
import { SessionId } from '../../session/id.js'
import type { Row as SessionRow } from '../../session/registry.js'
import { Budget, Labels } from '../../session/spec.js'
import { statuses } from '../../session/status.js'
import type { SessionView } from '../../session/view.js'

const Status = z.enum(statuses as [(typeof statuses)[number], ...(typeof statuses)[number][]])
const Code = z.enum(Object.keys(errorCodes) as [ErrorCode, ...ErrorCode[]])
const offset = z.int().check(z.gte(0))
const place = z.optional(z.int().check(z.gte(1)))
const count = z.int().check(z.gte(0))
const text = z.string()

/** A file may hold a word of a later version. */
const ReadCause = z.looseObject({ ...Cause.def.shape, result: text })
const Fault = z.object({ code: Code, message: text, hint: text })

/** Both the list and the session itself have these. */
const common = {
  sessionId: SessionId,
  status: Status,
  agentType: text,
  title: text,
  prompt: text,
  workingDir: text,
  model: z.optional(text),
  labels: z.optional(Labels),
  parent: z.optional(SessionId),
  unit: text,
  pid: z.optional(count),
  bootId: z.optional(text),
  createdAt: text,
  updatedAt: text,
  epoch: count,
  restarts: count,
  cause: z.optional(ReadCause),
  error: z.optional(text),
  metadata: z.optional(Metadata),
  usage: z.optional(Usage),
  stalled: z.optional(z.number()),
  frozen: z.optional(z.literal(true)),
  queuedAt: z.optional(text),
  place,
  log: text,
}
/** A request as it stands in the log, whole. */
const Request = z.looseObject({ requestId: text, timestamp: z.optional(text) })

/** The compiler holds both to name each field that the answer has. */
type Others<T> = Record<Exclude<keyof T, keyof typeof common>, z.ZodMiniType>

const Row = z.object({
  ...common,
  ...({
    creator: z.optional(Creator),
    invocationId: z.optional(text),
    supervisor: z.optional(z.enum(supervisorNames)),
    archived: z.optional(z.literal(true)),
  } satisfies Others<SessionRow>),
})

const Session = z.object({
  ...common,
  ...({
    advice: z.optional(text),
    command: z.optional(z.array(text)),
    permissionMode: z.optional(text),
    nativeId: z.optional(text),
    turns: count,
    activeMs: z.number(),
    budget: z.optional(Budget),
    queued: count,
    approvals: z.array(Request),
    inputs: z.array(Request),
    offset,
    events: count,
    damaged: count,
  } satisfies Others<SessionView>),
})

const answered = z.object({ sessionId: SessionId, requestId: text, offset })

/** By the names that they have in the document. */
export const answers = {
  Error: z.object({ error: Fault }),
  Session,
  Row,
  Sessions: z.object({ sessions: z.array(Row), offset, unasked: z.optional(Fault) }),
  Created: z.object({ sessionId: SessionId, unit: text, log: text, place }),
  Said: z.object({ sessionId: SessionId, messageId: text, offset, reopened: z.boolean(), place }),
  Answered: answered,
  Approvals: z.object({
    sessions: z.array(
      z.object({
        sessionId: SessionId,
        title: text,
        agentType: text,
        approvals: z.array(Request),
        inputs: z.array(Request),
      }),
    ),
  }),
  Cancelled: z.object({
    sessionId: SessionId,
    status: Status,
    done: z.boolean(),
    stopped: z.optional(z.literal(true)),
    offset: z.optional(offset),
  }),
  Frozen: z.object({
    sessionId: SessionId,
    status: Status,
    frozen: z.boolean(),
    done: z.boolean(),
    unanswered: z.optional(z.literal(true)),
  }),
  Page: z.object({
    from: offset,
    to: offset,
    end: offset,
    records: z.array(z.object({ offset, line: text })),
    damaged: z.array(z.object({ at: offset, length: count })),
  }),
  Agents: z.object({
    agents: z.array(
      z.object({ name: text, title: text, default: z.boolean(), installed: z.boolean(), modes: z.array(text) }),
    ),
  }),
  All: z.object({
    sessions: z.array(
      z.object({
        sessionId: SessionId,
        done: z.boolean(),
        status: z.optional(Status),
        stopped: z.optional(z.literal(true)),
        frozen: z.optional(z.boolean()),
        unanswered: z.optional(z.literal(true)),
        offset: z.optional(offset),
        error: z.optional(Fault),
      }),
    ),
  }),
  Server: z.object({ version: text, pid: z.int(), url: text, page: text }),
  Health: z.object({ status: z.literal('ok'), version: text }),
  LoggedIn: z.object({ status: z.literal('ok') }),
} as const

export type AnswerName = keyof typeof answers
