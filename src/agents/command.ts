/** The agent `command`: any program. Its lines are the output, its exit status is the outcome. */
import { AgentzError, reason } from '../base/errors.js'
import type { AgentEvent } from '../session/events.js'
import type { AgentContext, Outcome, ProgramAgent, RunningProgram } from './agent.js'
import { cut } from './cut.js'
import { readLines } from './lines.js'
import { causeOf, type Started, sentenceOf, settle, startProcess, stopProcess } from './process.js'
import { findProgram } from './program.js'

/** How long a program has between SIGTERM and SIGKILL. */
const GRACE_MS = 5000

export const command: ProgramAgent = {
  name: 'command',
  title: 'any program',
  install: '',
  converses: false,
  login: () => ({ state: 'not needed', detail: '' }),
  check({ command: argv }, env, workingDir) {
    const name = argv?.[0]
    if (name === undefined) {
      throw new AgentzError('USAGE', 'the agent `command` was given nothing to run', {
        hint: 'Name the program after two dashes: `agentz run -a command -- CMD ARG...`.',
      })
    }
    const program = findProgram(name, env.PATH, workingDir)
    if (program !== undefined) return program
    throw new AgentzError(
      'AGENT_MISSING',
      `\`${name}\` is not an executable file${name.includes('/') ? '' : ' on PATH'}`,
      {
        hint: 'Put its directory on PATH, or name it by its path.',
      },
    )
  },
  start,
}

function start(context: AgentContext): RunningProgram {
  const { spec, env } = context
  const started = startProcess({ argv: spec.command ?? [], spec, env, stdin: spec.prompt === '' ? 'ignore' : 'pipe' })
  feed(started, spec.prompt, context)
  return {
    pid: started.pid,
    ended: run(started, context),
    stop: () => stopProcess(started, { signal: 'SIGTERM', to: 'tree', graceMs: GRACE_MS }),
  }
}

/** A program need not read its input: one that closes it (EPIPE) or ends first (ECONNRESET) has done nothing wrong. */
function feed({ child, pid }: Started, prompt: string, context: AgentContext): void {
  if (child.stdin === null || pid === undefined) return
  child.stdin.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET')
      context.warn('writing to the stdin of the program', error)
  })
  child.stdin.end(prompt)
}

async function run(started: Started, context: AgentContext): Promise<Outcome> {
  const begin = performance.now()
  let outputLines = 0
  const collect = async (stream: 'stdout' | 'stderr') => {
    const source = started.child[stream]
    if (source === null) return
    // One emit a read, not one a line: a thousand lines at once cost much less than a thousand times one.
    let batch: AgentEvent[] = []
    const onLine = (line: string, missing: number) => {
      outputLines++
      const { content, missingBytes } = cut(line, undefined, missing)
      batch.push(
        missingBytes === undefined
          ? { type: 'text', stream, content }
          : { type: 'text', stream, content, missingBytes },
      )
    }
    const delivered = () => {
      if (batch.length > 0) context.emit(batch)
      batch = []
    }
    try {
      await readLines(source, onLine, { delivered, full: () => context.full() })
    } catch (error) {
      context.emit([{ type: 'error', content: `cannot read the ${stream} of \`${started.name}\`: ${reason(error)}` }])
    }
  }
  const { exit, abandoned } = await settle(started, Promise.all([collect('stdout'), collect('stderr')]), () =>
    context.full(),
  )
  if (abandoned) {
    context.emit([
      {
        type: 'system',
        content: `\`${started.name}\` has ended, but a background process still holds its output; what that one writes is not recorded`,
      },
    ])
  }
  const metadata = { durationMs: Math.round(performance.now() - begin), outputLines }
  if ('code' in exit && exit.code === 0) return { status: 'completed', metadata: { ...metadata, exitCode: 0 } }
  return {
    status: 'failed',
    error: sentenceOf(started.name, exit),
    cause: causeOf(exit),
    metadata: 'code' in exit && exit.code !== null ? { ...metadata, exitCode: exit.code } : metadata,
  }
}
