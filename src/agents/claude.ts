/**
 * The agent `claude`: Claude Code by its native stream-json and control protocol, one process a session. It is given
 * one prompt and run to the end of it.
 */
import { AgentzError, reason } from '../base/errors.js'
import type { Agent, AgentContext, Decision, Outcome, RunningAgent } from './agent.js'
import { ClaudeNormaliser } from './claude-normalise.js'
import { errorCause } from './claude-result.js'
import { answer, claudeArgs, DEFAULT_MODE, interruptRequest, userMessage } from './claude-wire.js'
import { Coalescer } from './coalesce.js'
import { cut, short } from './cut.js'
import { readLines } from './lines.js'
import { causeOf, type Exit, type Started, sentenceOf, settle, startProcess, stopProcess, within } from './process.js'
import { findProgram } from './program.js'
import { killAll, treeOf } from './tree.js'

/** A tool's result with pictures is one line of many megabytes, and a line that is cut is no JSON any more. */
const LINE_CAP = 32 * 1024 * 1024
/** Each step of stopping. An interrupt was answered within 0.12 s in every state that was measured. */
const STEP_MS = 2000
/** How long claude may be silent after its last result before it counts as hung. */
const QUIET_MS = 60_000
/** Said to a session that is taken up again: without a message a resumed claude says and does nothing. */
const GO_ON = 'The session was interrupted and has been resumed. Go on from where you stopped.'

export const claude: Agent = {
  name: 'claude',
  resumable: true,
  install: 'npm install -g @anthropic-ai/claude-code',
  check(_spec, env, workingDir) {
    const program = findProgram('claude', env.PATH, workingDir)
    if (program !== undefined) return program
    throw new AgentzError('AGENT_MISSING', '`claude` is not on PATH', { hint: `Install it: ${claude.install}` })
  },
  start: (context) => new ClaudeRun(context),
}

class ClaudeRun implements RunningAgent {
  readonly pid: number | undefined
  readonly ended: Promise<Outcome>
  readonly #context: AgentContext
  readonly #started: Started
  readonly #normaliser: ClaudeNormaliser
  readonly #coalescer: Coalescer
  /** Called at the end of the next turn. */
  #turnWaiters: (() => void)[] = []
  #interrupts = 0
  #stopping = false
  #quiet: NodeJS.Timeout | undefined
  #lastWords = ''

  constructor(context: AgentContext) {
    const { spec, env, nativeId } = context
    this.#context = context
    this.#normaliser = new ClaudeNormaliser(spec.permissionMode ?? DEFAULT_MODE)
    this.#coalescer = new Coalescer((events) => context.emit(events))
    this.#started = startProcess({ argv: ['claude', ...claudeArgs(spec, nativeId)], spec, env, stdin: 'pipe' })
    this.pid = this.#started.pid
    // A claude that is gone reads nothing more; its exit says why.
    this.#started.child.stdin?.on('error', (error) => context.warn('writing to claude', error))
    this.ended = this.#run()
    this.#tell(userMessage(nativeId === undefined ? spec.prompt : GO_ON))
  }

  /** @throws CONFLICT if claude does not wait for this answer (any more) */
  async decide(decision: Decision): Promise<void> {
    const question = this.#normaliser.takeQuestion(decision.requestId)
    if (question === undefined) {
      throw new AgentzError('CONFLICT', `claude does not wait for an answer to ${short(decision.requestId)}`)
    }
    await this.#write(answer(question, decision))
  }

  async interrupt(): Promise<void> {
    const turnEnd = new Promise<void>((resolve) => this.#turnWaiters.push(resolve))
    this.#tell(interruptRequest(`interrupt-${++this.#interrupts}`))
    await Promise.race([turnEnd, this.#started.exited])
  }

  /** Takes at most three steps of 2 s. Tools have process groups of their own, so who is there is noted before each. */
  async stop(): Promise<void> {
    this.#stopping = true
    if (this.pid === undefined) return
    const atFirst = treeOf([this.pid])
    if (this.#started.child.stdin?.writable) await within(this.interrupt(), STEP_MS)
    const afterTurn = treeOf([this.pid])
    this.#started.child.stdin?.end()
    await within(this.#started.exited, STEP_MS)
    await stopProcess(this.#started, { signal: 'SIGINT', to: 'process', graceMs: STEP_MS })
    await killAll([...atFirst, ...afterTurn])
  }

  async #run(): Promise<Outcome> {
    const begin = performance.now()
    const outputs = Promise.all([
      this.#read('stdout', LINE_CAP, (line, missing) => this.#line(line, missing)),
      this.#read('stderr', undefined, (line, missing) => this.#stderr(line, missing)),
    ])
    const { exit, abandoned } = await settle(this.#started, outputs, () => this.#context.full())
    clearTimeout(this.#quiet)
    this.#coalescer.flush()
    if (abandoned) this.#context.warn('a background process held the output of claude open after its exit')
    const events = this.#normaliser.end('claude has ended')
    if (events.length > 0) this.#context.emit(events)
    return this.#outcome(exit, Math.round(performance.now() - begin))
  }

  async #read(stream: 'stdout' | 'stderr', cap: number | undefined, onLine: (line: string, missing: number) => void) {
    const source = this.#started.child[stream]
    if (source === null) return
    try {
      await readLines(source, onLine, { ...(cap === undefined ? {} : { cap }), full: () => this.#context.full() })
    } catch (error) {
      this.#context.emit([{ type: 'error', content: `cannot read the ${stream} of claude: ${reason(error)}` }])
    }
  }

  #line(line: string, missing: number): void {
    const before = this.#normaliser.result
    this.#coalescer.emit(this.#normaliser.line(line, missing))
    for (const refusal of this.#normaliser.refusals.splice(0)) this.#tell(refusal)
    this.#quiet?.refresh()
    if (this.#normaliser.result === before) return
    for (const resolve of this.#turnWaiters.splice(0)) resolve()
    this.#endInput()
  }

  #stderr(line: string, missing: number): void {
    if (line.trim() === '') return
    this.#lastWords = line
    this.#context.emit([{ type: 'system', ...cut(line, undefined, missing) }])
  }

  /** One prompt is all there is: claude ends when its input does. */
  #endInput(): void {
    this.#started.child.stdin?.end()
    this.#quiet ??= setTimeout(() => {
      const content = `claude did not end within ${QUIET_MS / 1000} s of its last word; it is stopped`
      this.#context.emit([{ type: 'system', content }])
      void stopProcess(this.#started, { signal: 'SIGINT', to: 'process', graceMs: STEP_MS })
    }, QUIET_MS)
  }

  #outcome(exit: Exit, durationMs: number): Outcome {
    const { result, tally } = this.#normaliser
    const metadata = { ...tally.metadata(), durationMs }
    if (result?.reason === 'completed') return { status: 'completed', metadata }
    if (this.#stopping) {
      return { status: 'failed', error: 'claude was stopped', cause: { result: 'stopped' }, metadata }
    }
    if (result?.error !== undefined && result.cause !== undefined) {
      return { status: 'failed', error: result.error, cause: result.cause, metadata }
    }
    const sentence = `${sentenceOf('claude', exit)} before it had a result`
    if (this.#lastWords === '')
      return { status: 'failed', error: sentence, cause: this.#causeWithoutResult(exit), metadata }
    const message = short(this.#lastWords)
    const login = errorCause(message, undefined).result === 'login'
    const cause = { ...this.#causeWithoutResult(exit), message, ...(login ? { result: 'login' } : {}) }
    return { status: 'failed', error: `${sentence}: ${message}`, cause, metadata }
  }

  /** An exit with status 0 is no success if nothing came of it. */
  #causeWithoutResult(exit: Exit) {
    const cause = causeOf(exit)
    return cause.result === 'success' ? { ...cause, result: 'agent' } : cause
  }

  #tell(message: object): void {
    this.#write(message).catch((error: unknown) => this.#context.warn('writing to claude', error))
  }

  #write(message: object): Promise<void> {
    return new Promise((resolve, reject) => {
      const { stdin } = this.#started.child
      if (!stdin?.writable) return reject(new AgentzError('CONFLICT', 'claude does not read any more'))
      stdin.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(error) : resolve()))
    })
  }
}
