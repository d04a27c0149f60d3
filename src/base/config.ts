/** config.json of AGENTZ_HOME: a person's own defaults, checked; what it leaves out is in the schema below. */
import * as z from 'zod/mini'
import { AgentzError, errno, reason } from './errors.js'
import { firstIssue } from './issue.js'
import { Fleet, Limits } from './limits.js'
import type { Home } from './paths.js'
import { readRegularFile } from './read-file.js'

/** A program to use instead of the one of that name on PATH. */
const Installed = z.optional(z.strictObject({ program: z.optional(z.string().check(z.minLength(1))) }))

/** The names of agents that are built in. */
export const builtIn = ['claude', 'codex', 'opencode', 'gemini', 'cerebras', 'demo', 'command'] as const
const ownName = z.string().check(
  z.regex(/^[a-z][a-z0-9-]{0,31}$/, 'a name is 1 to 32 of a-z 0-9 and -, and begins with a letter'),
  z.refine((name) => !(builtIn as readonly string[]).includes(name), 'an agent of this name is built in'),
)

/** What runs daemons. */
export const supervisorNames = ['systemd', 'launchd', 'plain'] as const
export type SupervisorName = (typeof supervisorNames)[number]

const Config = z.strictObject({
  /** The agent of `agentz run` without -a. */
  agent: z._default(z.string(), 'claude'),
  agents: z._default(
    z.strictObject({
      claude: Installed,
      codex: Installed,
      opencode: Installed,
      gemini: Installed,
      /** Any server that speaks chat completions, and the model it is asked for. */
      cerebras: z.optional(z.strictObject({ baseUrl: z.optional(z.url()), model: z.optional(z.string()) })),
      /** The `command` agent runs any program, so it can be switched off. */
      command: z.optional(z.strictObject({ enabled: z.optional(z.boolean()) })),
    }),
    {},
  ),
  /** Further agents, that speak the Agent Client Protocol on their standard streams. */
  acp: z._default(
    z.record(
      ownName,
      z.strictObject({
        /** The program and its arguments. */
        command: z.array(z.string()).check(z.minLength(1)),
        title: z.optional(z.string()),
        /** The permission mode of sessions that ask for none, as the agent calls it. */
        mode: z.optional(z.string()),
      }),
    ),
    {},
  ),
  /** Further names of environment variables that `run` captures; a trailing * matches any rest. */
  environment: z._default(z.array(z.string()), []),
  /** Of each session that does not ask for others. */
  limits: z._default(Limits, {}),
  /** Of each session that does not ask for another. */
  sandbox: z.optional(z.enum(['strict', 'none'])),
  /** Of all sessions together. */
  fleet: z._default(Fleet, {}),
  /** Instead of the one that fits the machine. */
  supervisor: z.optional(z.enum(supervisorNames)),
  server: z._default(
    z.strictObject({
      host: z._default(z.enum(['127.0.0.1', '::1', 'localhost']), '127.0.0.1'),
      port: z._default(z.int().check(z.gte(0), z.lte(65535)), 4201),
      /** The most SSE streams at once. */
      maxStreams: z._default(z.int().check(z.gte(1)), 1000),
    }),
    { host: '127.0.0.1', port: 4201, maxStreams: 1000 },
  ),
})

export type Config = z.infer<typeof Config>

/** Reads config.json; an absent file means the defaults. @throws CONFIG_INVALID naming the field */
export function readConfig(home: Home): Config {
  return Config.parse(readRaw(home))
}

function readRaw(home: Home): unknown {
  const invalid = (why: string, cause?: unknown) =>
    new AgentzError('CONFIG_INVALID', `cannot read ${home.config}: ${why}`, { cause })
  let raw: unknown
  try {
    raw = JSON.parse(readRegularFile(home.config).toString())
  } catch (error) {
    if (errno(error) === 'ENOENT') return {}
    throw invalid(reason(error), error)
  }
  const result = Config.safeParse(raw)
  if (!result.success) throw invalid(firstIssue(result.error))
  return raw
}
