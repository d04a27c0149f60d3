/** The full specification of a session: what was asked for, by whom it is run, and under which limits. */
import { isAbsolute } from 'node:path'
import * as z from 'zod/mini'
import { firstIssue } from '../base/issue.js'
import { Limits } from '../base/limits.js'
import { SessionId } from './id.js'

/** What a session may use up before it asks; it pauses then, and is never killed for it. */
export const Budget = z.strictObject({
  /** Turns of the conversation. */
  turns: z.optional(z.int().check(z.gte(1))),
  /** Dollars, as far as the agent tells them. */
  cost: z.optional(z.number().check(z.gt(0))),
  /** Tokens in and out. */
  tokens: z.optional(z.int().check(z.gte(1))),
  /** Seconds of work; waiting for an answer does not count. */
  time: z.optional(z.number().check(z.gt(0))),
})
export type Budget = z.infer<typeof Budget>

/** What a person files a session under. */
export const Labels = z.record(z.string(), z.string())

export const Spec = z.strictObject({
  sessionId: SessionId,
  agentType: z.string().check(z.minLength(1), z.maxLength(64)),
  /** Empty only where `command` says what to run. */
  prompt: z.string(),
  title: z.string().check(z.maxLength(200)),
  /** The program and its arguments: what the `command` agent runs, or what config.json names in the place of another agent's own. */
  command: z.optional(z.array(z.string()).check(z.minLength(1))),
  workingDir: z.string().check(z.refine(isAbsolute, 'the working directory must be absolute')),
  /** Some agents take it by their command line, where it must not be an option of theirs. */
  model: z.optional(z.string().check(z.minLength(1), z.maxLength(200), z.regex(/^[^-]/, 'must not begin with -'))),
  /** One of session/mode.ts; for an agent of config.json, as that agent calls it. */
  permissionMode: z.optional(
    z.string().check(z.regex(/^[A-Za-z][\w.:-]{0,39}$/, 'is not the name of a permission mode')),
  ),
  labels: z.optional(Labels),
  limits: z.optional(Limits),
  budget: z.optional(Budget),
  /** How the operating system confines the session; never loosened by a restart. */
  sandbox: z.optional(z.enum(['strict'])),
  /** Seconds without a word of the agent, after which the session is marked as stalled. */
  stallTimeout: z.optional(z.number().check(z.gt(0))),
  /** What a restarted daemon does where the agent cannot resume: leave it (mark), or run it again (rerun). */
  restart: z._default(z.enum(['resume', 'mark', 'rerun']), 'resume'),
  /** Octal, of the caller. */
  umask: z.string().check(z.regex(/^[0-7]{4}$/)),
  /** The session inside which this one was created. */
  parent: z.optional(SessionId),
  createdAt: z.string(),
})

export type Spec = z.infer<typeof Spec>

/** Line 1 of a file that a later version has written may say more. */
const Found = z.object(Spec.def.shape)

/**
 * The specification in line 1 of the file of session `id`. Anybody may have written it: what is run, and shown, by it is what `run` itself
 * could have asked for.
 * @returns in words what is wrong with it, if it is none
 */
export function specIn(value: unknown, id: string): Spec | string {
  const { success, data, error } = z.safeParse(Found, value)
  if (!success) return firstIssue(error)
  return data.sessionId === id ? data : `sessionId: must be ${id}`
}
