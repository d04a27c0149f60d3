/** The full specification of a session: what was asked for, by whom it is run, and under which limits. */
import { isAbsolute } from 'node:path'
import * as z from 'zod/mini'
import { SessionId } from './id.js'

const units = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }
const bytes = (size: string): number => Number.parseInt(size, 10) * units[size.replace(/\d+/, '') as keyof typeof units]
const size = z.string().check(
  z.regex(/^[1-9][0-9]*[KMGT]?$/, 'a size is a number with K, M, G or T, such as 4G'),
  // Less, and the daemon itself is killed for memory before it can say anything.
  z.refine((text) => !(bytes(text) < 256 * 2 ** 20), 'must be at least 256M'),
)

export const Limits = z.strictObject({
  /** Bytes, as systemd writes them; at least 256M. */
  memory: z.optional(size),
  /** Per cent of one processor, such as 150%. */
  cpu: z.optional(z.string().check(z.regex(/^[1-9][0-9]*%$/, 'a CPU quota is per cent, such as 150%'))),
  /** Processes and threads; at least 64, because a reaper that cannot fork hangs. */
  tasks: z.optional(z.int().check(z.gte(64))),
  /** Seconds until the OS ends the session. */
  runtime: z.optional(z.int().check(z.gte(1))),
})

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

export const Spec = z.strictObject({
  sessionId: SessionId,
  agentType: z.string().check(z.minLength(1), z.maxLength(64)),
  /** Empty only where `command` says what to run. */
  prompt: z.string(),
  title: z.string().check(z.maxLength(200)),
  /** The program and its arguments: what the `command` agent runs, or what config.json names in the place of another agent's own. */
  command: z.optional(z.array(z.string()).check(z.minLength(1))),
  workingDir: z.string().check(z.refine(isAbsolute, 'the working directory must be absolute')),
  model: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
  /** One of session/mode.ts; for an agent of config.json, as that agent calls it. */
  permissionMode: z.optional(
    z.string().check(z.regex(/^[A-Za-z][\w.:-]{0,39}$/, 'is not the name of a permission mode')),
  ),
  labels: z.optional(z.record(z.string(), z.string())),
  limits: z.optional(Limits),
  budget: z.optional(Budget),
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
