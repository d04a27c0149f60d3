/** Creating sessions: the file with its full specification first, then its environment, then the registry. */
import { accessSync, constants, rmSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import * as z from 'zod/mini'
import type { Config } from '../base/config.js'
import { AgentzError, errno, reason } from '../base/errors.js'
import { firstIssue } from '../base/issue.js'
import { AskedLimits, limitsOf } from '../base/limits.js'
import { ensureHome, type Home, sessionEnv, sessionLog } from '../base/paths.js'
import { writeNew } from '../base/private.js'
import { statOf } from '../base/proc.js'
import { shellWords } from '../base/shell.js'
import { callersUmask } from '../base/umask.js'
import { createLog } from '../log/append.js'
import { creationOf } from './creation.js'
import { type Environment, formatEnvironment } from './environment.js'
import type { Creator } from './events.js'
import { frame } from './frame.js'
import { newId, SessionId } from './id.js'
import { appendRegistry } from './registry.js'
import { Budget, Labels, Spec } from './spec.js'

const TITLE_LENGTH = 80
/** A specification must fit into one line of 1 MiB, with JSON escapes. */
const PROMPT_MAX = 900_000

/** What a person or a client says of a new session; the rest has defaults. */
export const NewSession = z.strictObject({
  agentType: z.string().check(z.minLength(1), z.maxLength(64)),
  prompt: z._default(z.string(), ''),
  command: z.optional(z.array(z.string()).check(z.minLength(1))),
  workingDir: z.string().check(z.minLength(1)),
  title: z.optional(
    z.string().check(
      z.maxLength(200),
      z.refine((title) => title.trim() !== '', 'must not be empty'),
    ),
  ),
  model: z.optional(z.string()),
  permissionMode: z.optional(z.string()),
  labels: z.optional(Labels),
  limits: z.optional(AskedLimits),
  budget: z.optional(Budget),
  stallTimeout: z.optional(z.number()),
  /** `none` lifts what config.json says. */
  sandbox: z.optional(z.enum(['strict', 'none'])),
  restart: z.optional(z.enum(['resume', 'mark', 'rerun'])),
  parent: z.optional(SessionId),
})
export type NewSession = z.input<typeof NewSession>

/**
 * Checks a request and completes it to a specification. Creates nothing.
 * @param defaults of config.json, where the request says nothing of them
 * @throws BAD_INPUT, DIR_MISSING, each naming the field
 */
export function specify(input: unknown, defaults: Partial<Pick<Config, 'limits' | 'sandbox'>> = {}): Spec {
  const request = parse(NewSession, input)
  const { agentType, prompt, command } = request
  if (agentType === 'command' && command === undefined) {
    throw new AgentzError('BAD_INPUT', 'the command agent needs a program to run', {
      hint: 'agentz run -a command -- CMD ARG...',
    })
  }
  if (agentType === 'command' && (request.budget !== undefined || request.stallTimeout !== undefined)) {
    const field = request.budget === undefined ? 'stallTimeout' : 'budget'
    throw new AgentzError('BAD_INPUT', `${field}: a program has no turns to pause between, and may be silent`, {
      hint: 'What ends a program is `--runtime SECONDS`.',
    })
  }
  if (agentType !== 'command' && command !== undefined) {
    throw new AgentzError('BAD_INPUT', `the ${agentType} agent takes a prompt, not a command`)
  }
  if (agentType !== 'command' && prompt.trim() === '')
    throw new AgentzError('BAD_INPUT', 'the prompt is empty', { hint: 'agentz run "your prompt"' })
  if (Buffer.byteLength(prompt) > PROMPT_MAX) {
    throw new AgentzError(
      'BAD_INPUT',
      `the prompt has ${Buffer.byteLength(prompt)} bytes; ${PROMPT_MAX} are the most`,
      {
        hint: 'Put the text into a file in the working directory and name the file in the prompt.',
      },
    )
  }
  if ([prompt, request.model ?? '', ...(command ?? [])].some((text) => text.includes('\0'))) {
    throw new AgentzError('BAD_INPUT', 'the prompt, command or model holds a NUL')
  }
  const { title, restart, workingDir, limits, sandbox, ...rest } = request
  const confined = sandbox ?? defaults.sandbox
  return parse(Spec, {
    sessionId: newId(),
    ...rest,
    limits: limitsOf(limits, defaults.limits),
    sandbox: confined === 'none' ? undefined : confined,
    workingDir: existingDirectory(workingDir),
    title: title ?? titleOf(command === undefined ? prompt : shellWords(command).replace(/\s+/g, ' ')),
    restart,
    umask: callersUmask(),
    createdAt: new Date().toISOString(),
  })
}

/** Line 1 of a session's file. */
export const createdLine = (spec: Spec): string =>
  frame(
    { type: 'session_created', sessionId: spec.sessionId, creator: creator(), spec },
    'user',
    undefined,
    spec.createdAt,
  )

/** While it lives, a session without a unit may still be about to get one. */
function creator(): Creator | undefined {
  const stat = statOf(process.pid)
  return stat && { pid: stat.pid, start: stat.start }
}

/**
 * Writes a new session to disk, synced: it exists from here on, and can be run.
 * @throws LOG_WRITE; nothing is left then that `ls` would show
 */
export async function createSession(home: Home, spec: Spec, env: Environment): Promise<void> {
  ensureHome(home)
  const { sessionId } = spec
  writePrivate(sessionEnv(home, sessionId), formatEnvironment(env))
  try {
    createLog(sessionLog(home, sessionId), createdLine(spec))
  } catch (error) {
    rmSync(sessionEnv(home, sessionId), { force: true })
    throw error
  }
  try {
    await appendRegistry(home, creationOf(spec, 'user', creator()))
  } catch (error) {
    // Nobody was told of it: nothing of it is to stay, its environment least of all.
    rmSync(sessionLog(home, sessionId), { force: true })
    rmSync(sessionEnv(home, sessionId), { force: true })
    throw error
  }
}

/** The first line of a text, shortened. */
function titleOf(text: string): string {
  const line = text.trim().split('\n', 1)[0] ?? ''
  const characters = [...line]
  return characters.length <= TITLE_LENGTH ? line : `${characters.slice(0, TITLE_LENGTH - 1).join('')}…`
}

function existingDirectory(path: string): string {
  const directory = resolve(path)
  try {
    if (statSync(directory).isDirectory()) {
      // Else the agent's program would be blamed for it.
      accessSync(directory, constants.X_OK)
      return directory
    }
  } catch (error) {
    throw new AgentzError(
      'DIR_MISSING',
      `cannot work in ${directory}: ${errno(error) === 'ENOENT' ? 'there is no such directory' : reason(error)}`,
      {
        cause: error,
      },
    )
  }
  throw new AgentzError('DIR_MISSING', `cannot work in ${directory}: it is not a directory`)
}

/** Checks `input`; the first thing wrong with it becomes the error. @throws BAD_INPUT */
export function parse<S extends z.core.$ZodType>(schema: S, input: unknown): z.output<S> {
  const result = z.safeParse(schema, input)
  if (result.success) return result.data
  throw new AgentzError('BAD_INPUT', firstIssue(result.error))
}

function writePrivate(path: string, text: string): void {
  try {
    writeNew(path, text)
  } catch (error) {
    // What is there belongs to another session.
    throw new AgentzError('LOG_WRITE', `cannot write ${path}: ${reason(error)}`, { cause: error })
  }
}
