/** What a session, or all of them together, may take of the machine. The operating system holds them to it. */
import * as z from 'zod/mini'

const units = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/** The bytes of a size as systemd writes it, such as 4G. */
export const bytes = (size: string): number =>
  Number.parseInt(size, 10) * units[size.replace(/\d+/, '') as keyof typeof units]

const size = z.string().check(
  z.regex(/^[1-9][0-9]*[KMGT]?$/, 'a size is a number with K, M, G or T, such as 4G'),
  // Less, and the daemon itself is killed for memory before it can say anything.
  z.refine((text) => !(bytes(text) < 256 * 2 ** 20), 'must be at least 256M'),
  // Systemd counts in 64 bits, and refuses more only when the session has been made.
  z.refine((text) => !(bytes(text) >= 2 ** 64), 'must be less than 16777216T'),
)
const quota = z.string().check(z.regex(/^[1-9][0-9]*%$/, 'a CPU quota is per cent, such as 150%'))
const tasks = z.int().check(z.gte(64))
const runtime = z.int().check(z.gte(1))

export const Limits = z.strictObject({
  /** Bytes, as systemd writes them; at least 256M. */
  memory: z.optional(size),
  /** Per cent of one processor, such as 150%. */
  cpu: z.optional(quota),
  /** Processes and threads; at least 64, because a reaper that cannot fork hangs. */
  tasks: z.optional(tasks),
  /** Seconds until the OS ends the session. */
  runtime: z.optional(runtime),
})
export type Limits = z.infer<typeof Limits>

/** Limits as they are asked for: null lifts the one that config.json has. */
export const AskedLimits = z.strictObject({
  memory: z.optional(z.nullable(size)),
  cpu: z.optional(z.nullable(quota)),
  tasks: z.optional(z.nullable(tasks)),
  runtime: z.optional(z.nullable(runtime)),
})
export type AskedLimits = z.infer<typeof AskedLimits>

/** Of all sessions together; null lifts what was set before. */
export const Fleet = z.strictObject({
  memory: z.optional(z.nullable(size)),
  cpu: z.optional(z.nullable(quota)),
  tasks: z.optional(z.nullable(tasks)),
  /** So many run at once; the others wait for their turn. */
  sessions: z.optional(z.int().check(z.gte(1))),
})
export type Fleet = z.infer<typeof Fleet>

/** What is asked for, and the defaults for the rest; undefined if that is nothing. */
export function limitsOf(asked: AskedLimits = {}, defaults: Limits = {}): Limits | undefined {
  const all = Object.entries({ ...defaults, ...asked }).filter(([, limit]) => limit !== null && limit !== undefined)
  return all.length === 0 ? undefined : (Object.fromEntries(all) as Limits)
}
