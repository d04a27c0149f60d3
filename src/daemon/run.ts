/** One run of a session: from the fold of its own log to a terminal event. */
import { existsSync, statSync } from 'node:fs'
import type { AgentContext, Outcome, RunningAgent } from '../agents/agent.js'
import { agentByName } from '../agents/agents.js'
import { AgentzError, reason } from '../base/errors.js'
import type { QuietLogger } from '../base/logger.js'
import { doorbell, type Home, sessionLog } from '../base/paths.js'
import { Appender } from '../log/append.js'
import { withLock } from '../log/lock.js'
import { agentEnvironment } from '../session/environment.js'
import type { Cause, Metadata } from '../session/events.js'
import type { Loose } from '../session/life.js'
import type { LifeEvent } from '../session/lifecycle.js'
import { isLive } from '../session/status.js'
import { bootId } from '../supervisor/boot.js'
import { unitName } from '../supervisor/systemd.js'
import { Inbox } from './inbox.js'
import type { Notify } from './notify.js'
import { Output } from './output.js'
import { Reporter } from './reporter.js'

/** What a session did goes into the registry too, where lines are small: long lists are cut, and their length is told. */
function fitting(metadata: Metadata): Metadata {
  if (JSON.stringify(metadata).length <= METADATA_MOST) return metadata
  const { editedFiles = [], toolStats, ...rest } = metadata
  const files = editedFiles.slice(0, 100).map((file) => file.slice(0, 200))
  const tools = toolStats === undefined ? {} : { toolStats: { totalCalls: toolStats.totalCalls, byTool: {} } }
  return { ...rest, ...tools, editedFiles: files, editedFilesMissing: editedFiles.length - files.length }
}

/** Else the program would be blamed: spawn has one word for both. */
const nowhere = (directory: string): Outcome => ({
  status: 'failed',
  error: `the working directory ${directory} is gone`,
  cause: { result: 'not-found', message: `${directory} was there when the session was created` },
})

/** Characters of JSON. */
const METADATA_MOST = 32 * 1024
/** A file of so many bytes takes long to fold: the manager is told first that we live. */
const LONG_FOLD = 16 * 1024 * 1024

export interface RunTools {
  readonly log: QuietLogger
  readonly notify: Notify
}

/** Resolves when the session has a terminal event, or was told to stop and has stopped. */
export async function runSession(home: Home, id: string, tools: RunTools): Promise<void> {
  const run = new Run(home, id, tools)
  try {
    await run.start()
  } finally {
    run.close()
  }
}

class Run {
  readonly #home: Home
  readonly #id: string
  readonly #log: QuietLogger
  readonly #notify: Notify
  readonly #path: string
  readonly #appender: Appender
  readonly #inbox: Inbox
  readonly #output: Output
  readonly #reporter: Reporter
  readonly #epoch: number
  #agent: RunningAgent | undefined
  #stopping: 'cancel' | 'signal' | undefined
  #stopped: Promise<void> | undefined
  readonly #failed: Promise<never>

  constructor(home: Home, id: string, { log, notify }: RunTools) {
    this.#home = home
    this.#id = id
    this.#log = log
    this.#notify = notify
    this.#path = sessionLog(home, id)
    if ((statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0) > LONG_FOLD) notify.ready()
    this.#inbox = new Inbox(id, this.#path)
    this.#epoch = this.#inbox.state.epoch + 1
    this.#appender = new Appender(this.#path)
    this.#reporter = new Reporter(home, id, this.#epoch, log)
    let fail: (error: unknown) => void = () => undefined
    this.#failed = new Promise((_, reject) => {
      fail = reject
    })
    this.#failed.catch(() => undefined)
    this.#output = new Output(this.#appender, this.#epoch, {
      onWritten: (bytes, plain) => this.#inbox.wrote(bytes, plain),
      onBroken: fail,
      onBlocked: (error) => {
        if (error === undefined) log.info({}, 'the log can be written again')
        else log.error({ err: error }, 'the log cannot be written; the agent waits')
        notify.status(error === undefined ? 'running' : `blocked: ${error.message}`)
      },
    })
  }

  close(): void {
    this.#inbox.close()
    this.#appender.close()
  }

  async start(): Promise<void> {
    const { state } = this.#inbox
    const { epoch, status, cause, spec } = state
    const agent = agentByName(spec.agentType)
    if (!isLive(status) && status !== 'interrupted') {
      this.#log.info({ status }, 'the session has ended; nothing to run')
      return
    }
    process.once('SIGTERM', () => this.#stop('signal'))
    process.once('SIGINT', () => this.#stop('signal'))
    const started: LifeEvent = {
      type: 'daemon_started',
      sessionId: this.#id,
      unit: unitName(this.#id),
      pid: process.pid,
      bootId: bootId(),
      invocationId: process.env.INVOCATION_ID,
    }
    const listening = this.#inbox
      .open(doorbell(this.#home, this.#id), (record) => this.#onEvent(record))
      .catch((error) => this.#log.warn({ err: error }, 'no doorbell; the poll finds what others append'))
    await this.#output.commit([started], 'daemon')
    await listening
    this.#reporter.report(started)
    if (this.#inbox.state.cancelRequested) return this.#end(this.#cancelled())
    const runtime = spec.limits?.runtime
    if (runtime !== undefined && cause?.result === 'timeout') return this.#end(this.#outOfTime(runtime, cause))
    if (epoch > 0 && !agent.resumable && spec.restart !== 'rerun') return this.#end(this.#notResumed(cause))
    if (!existsSync(spec.workingDir)) return this.#end(this.#ended(nowhere(spec.workingDir)))
    this.#agent = agent.start(this.#context())
    // What a manager waits for is a living process; telling it starts one, which the agent need not wait for.
    this.#notify.ready()
    this.#reporter.follow(() => this.#inbox.state.status)
    const outcome = await Promise.race([this.#agent.ended, this.#failed])
    await this.#stopped
    if (this.#stopping === 'signal') {
      // No terminal event on our own guess: the reaper knows whether the manager is ending.
      await this.#output.commit(
        [{ type: 'system', content: 'told to stop by a signal: agent and daemon end' }],
        'daemon',
      )
      await this.#reporter.done()
      return
    }
    await this.#end(this.#stopping === 'cancel' ? this.#cancelled() : this.#ended(outcome))
  }

  #context(): AgentContext {
    const env = { ...agentEnvironment(this.#home, this.#id), AGENTZ_HOME: this.#home.root }
    const { spec, nativeId } = this.#inbox.state
    return {
      spec,
      env,
      nativeId,
      emit: (events) => this.#output.emit(events, 'agent'),
      full: () => this.#output.full(),
      warn: (message, detail) => this.#log.warn({ detail }, message),
    }
  }

  #onEvent(record: Loose): void {
    this.#reporter.look()
    if (record.by === 'daemon' || record.by === 'agent') return
    if (record.type === 'cancel_requested') this.#stop('cancel')
    if (record.type === 'approval_response') {
      const { requestId, decision, reason: why } = record as { requestId: string; decision: 'allow'; reason?: string }
      this.#agent?.decide?.({ requestId, decision, reason: why }).catch((error) => {
        this.#output.emit(
          [{ type: 'error', content: `the answer to ${requestId} did not reach the agent: ${reason(error)}` }],
          'daemon',
        )
      })
    }
  }

  #stop(why: 'cancel' | 'signal'): void {
    // A signal during a cancel is the OS losing patience with us; the cancel stays the cause.
    this.#stopping ??= why
    if (why === 'signal') this.#notify.stopping()
    if (this.#agent === undefined) {
      // Between two awaits of start(): nothing runs yet that would need time.
      if (why === 'signal') process.exit(0)
      return
    }
    this.#stopped ??= this.#agent.stop()
  }

  /** Writes the terminal event under the session's lock, so that nobody appends a message in between; tells the registry. */
  async #end(event: LifeEvent): Promise<void> {
    this.#output.flush()
    for (;;) {
      try {
        await withLock(this.#path, async () => {
          this.#inbox.read()
          await this.#output.commit([event], 'daemon')
        })
        break
      } catch (error) {
        if (!(error instanceof AgentzError) || error.code !== 'LOCK_BUSY') throw error
        this.#log.warn({ err: error }, 'cannot finish yet')
      }
    }
    this.#reporter.report(event)
    await this.#reporter.done()
  }

  #cancelled(): LifeEvent {
    const cause: Cause = { result: 'cancelled', message: 'cancelled on request' }
    return { type: 'session_cancelled', sessionId: this.#id, cause }
  }

  /** The OS ended it by RuntimeMaxSec, and restarts what it ends: the limit would be none. */
  #outOfTime(seconds: number, cause: Cause): LifeEvent {
    return { type: 'session_failed', sessionId: this.#id, error: `it ran longer than ${seconds} s`, cause }
  }

  #notResumed(before: Cause | undefined): LifeEvent {
    const { agentType } = this.#inbox.state.spec
    const how = before === undefined ? 'ended' : `ended (${before.result})`
    const message = `its daemon ${how}, and the ${agentType} agent cannot go on where it was; --restart rerun would run it again`
    return {
      type: 'session_interrupted',
      sessionId: this.#id,
      cause: { ...before, result: before?.result ?? 'lost', message },
    }
  }

  #ended(outcome: Outcome): LifeEvent {
    const sessionId = this.#id
    if (outcome.status === 'completed')
      return { type: 'session_completed', sessionId, metadata: fitting(outcome.metadata) }
    const { error, cause } = outcome
    return { type: 'session_failed', sessionId, error, cause }
  }
}
