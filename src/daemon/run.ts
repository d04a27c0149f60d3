/** One run of a session: from the fold of its own log to a terminal event. */
import { existsSync, statSync } from 'node:fs'
import type { ConversingAgent, ProgramAgent, RunningProgram } from '../agents/agent.js'
import { agentOf } from '../agents/agents.js'
import { AgentzError } from '../base/errors.js'
import type { QuietLogger } from '../base/logger.js'
import { doorbell, type Home, sessionLog } from '../base/paths.js'
import { presentToken } from '../base/token.js'
import { Appender } from '../log/append.js'
import { withLock } from '../log/lock.js'
import { agentEnvironment } from '../session/environment.js'
import type { Loose } from '../session/life.js'
import type { LifeEvent } from '../session/lifecycle.js'
import { Mask, secretsOf } from '../session/mask.js'
import type { SessionState } from '../session/state.js'
import { isLive } from '../session/status.js'
import { Tally } from '../session/tally.js'
import { bootId } from '../supervisor/boot.js'
import { ownSupervisor } from '../supervisor/choose.js'
import type { Supervisor } from '../supervisor/supervisor.js'
import { after } from './clock.js'
import { Dialogue } from './dialogue.js'
import { cancelled, concluded, ended, insteadOf, notResumed, nowhere, outOfTime } from './ending.js'
import { Frost } from './frost.js'
import type { Lent } from './host.js'
import { Inbox } from './inbox.js'
import { journal } from './journal.js'
import { followKills } from './memory.js'
import type { Notify } from './notify.js'
import { Output } from './output.js'
import { pace } from './pace.js'
import { recovery } from './recovery.js'
import { Reporter } from './reporter.js'
import { Signals } from './signals.js'

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

/** Of each start another one. */
const nextEpoch = ({ epoch, exited }: SessionState): number => Math.max(epoch, exited) + 1

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
  readonly #frost: Frost
  readonly #epoch: number
  readonly #tally: Tally
  readonly #supervisor: Supervisor
  readonly #warn: Lent['warn']
  readonly #env: Record<string, string>
  readonly #signals = new Signals(() => this.#stop('signal'))
  #running: RunningProgram | undefined
  #dialogue: Dialogue | undefined
  #stopping: 'cancel' | 'signal' | 'runtime' | undefined
  readonly #timers: (() => void)[] = []
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
    this.#epoch = nextEpoch(this.#inbox.state)
    // Looked through only where a daemon before has written into it.
    this.#tally = this.#epoch > 1 ? Tally.of(this.#path) : new Tally()
    // In a sandbox there is one place for what is thrown away, wherever the caller has his.
    const temporary: Record<string, string> = this.#inbox.state.spec.sandbox === undefined ? {} : { TMPDIR: '/tmp' }
    this.#env = { ...agentEnvironment(home, id), ...temporary, AGENTZ_HOME: home.root }
    this.#supervisor = ownSupervisor(home)
    this.#appender = new Appender(this.#path)
    const mask = new Mask([...secretsOf(this.#env), presentToken(home) ?? ''])
    this.#warn = journal(log, mask)
    this.#reporter = new Reporter(home, id, this.#epoch, mask, log)
    this.#frost = new Frost(id, notify, async (event) => {
      await this.#output.commit([event], 'daemon')
      this.#reporter.report(event)
    })
    let fail: (error: unknown) => void = () => undefined
    this.#failed = new Promise((_, reject) => {
      fail = reject
    })
    this.#failed.catch(() => undefined)
    this.#output = new Output(this.#appender, this.#epoch, mask, {
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
    for (const forget of this.#timers) forget()
    this.#frost.close()
    this.#inbox.close()
    this.#appender.close()
  }

  async start(): Promise<void> {
    const { state } = this.#inbox
    const { epoch, status, cause, spec } = state
    const agent = agentOf(spec)
    const hasNews = agent.converses && this.#hasNews()
    if (!isLive(status) && status !== 'interrupted' && !hasNews) {
      this.#log.info({ status }, 'the session has ended; nothing to run')
      return
    }
    const mayGoOn = agent.converses ? spec.restart !== 'mark' || hasNews : spec.restart === 'rerun'
    const started: LifeEvent = {
      type: 'daemon_started',
      sessionId: this.#id,
      unit: this.#supervisor.unitName(this.#id),
      ...(this.#supervisor.name === 'systemd' ? {} : { supervisor: this.#supervisor.name }),
      pid: process.pid,
      bootId: bootId(),
      invocationId: process.env.INVOCATION_ID,
    }
    const listening = this.#inbox
      .open(doorbell(this.#home, this.#id), (record) => this.#onEvent(record))
      .catch((error) => this.#log.warn({ err: error }, 'no doorbell; the poll finds what others append'))
    await this.#output.commit(
      [started, ...(agent.converses ? recovery(agent, state, this.#tally, mayGoOn ? this.#epoch : undefined) : [])],
      'daemon',
    )
    if (this.#supervisor.promises.lastWord)
      this.#timers.push(followKills((event) => this.#output.emit([event], 'daemon')))
    await listening
    this.#reporter.report(started)
    if (this.#inbox.state.cancelRequested) return void (await this.#end(cancelled(spec)))
    const runtime = spec.limits?.runtime
    if (runtime !== undefined && status === 'interrupted' && cause?.result === 'timeout')
      return void (await this.#end(outOfTime(spec, runtime, cause)))
    if (epoch > 0 && !mayGoOn) return void (await this.#end(notResumed(spec, cause)))
    if (!existsSync(spec.workingDir)) return void (await this.#end(nowhere(spec)))
    // The time is counted from each start, as RuntimeMaxSec= does.
    if (runtime !== undefined && !this.#supervisor.promises.lastWord)
      this.#timers.push(after(runtime, () => this.#stop('runtime')))
    this.#reporter.follow(() => this.#inbox.state)
    await (agent.converses ? this.#converse(agent) : this.#runProgram(agent))
  }

  async #runProgram(agent: ProgramAgent): Promise<void> {
    const running = agent.start({
      ...this.#context(),
      start: this.#epoch,
      turns: 0,
      open: new Set(),
      emit: (events) => this.#output.emit(events, 'agent'),
    })
    this.#running = running
    // What a manager waits for is a living process; telling it starts one, which the agent need not wait for.
    this.#notify.ready()
    const outcome = await Promise.race([running.ended, this.#failed])
    if (this.#stopping === undefined && outcome.status === 'failed') await this.#signals.meant(outcome.cause)
    await this.#stopped
    if (this.#stopping === 'signal') return this.#leave()
    await this.#end(this.#stopping === undefined ? ended(this.#inbox.state.spec, outcome) : this.#halted())
  }

  /** A message that comes while the session ends is answered before it has ended. */
  async #converse(agent: ConversingAgent): Promise<void> {
    const { spec } = this.#inbox.state
    const dialogue = new Dialogue(agent, {
      epoch: this.#epoch,
      path: this.#path,
      output: this.#output,
      state: () => this.#inbox.state,
      pace: () => pace(this.#home, agent.name, agent.spacing),
      context: () => this.#context(),
      onEvent: (event) => this.#tally.count(event),
      onStarted: () => this.#notify.ready(),
    })
    this.#dialogue = dialogue
    if (this.#stopping !== undefined) dialogue.stop()
    try {
      for (;;) {
        const { size } = this.#inbox.state.messages
        const verdict = await Promise.race([dialogue.run(), this.#failed])
        const isSignalled =
          verdict.kind === 'failed' ? await this.#signals.meant(verdict.cause) : verdict.kind === 'stopped'
        if (isSignalled && this.#stopping === 'signal') return this.#leave()
        // One that fails is tried once more with a new message, and not for ever with an old one.
        const isNew = () => verdict.kind === 'completed' || this.#inbox.state.messages.size > size
        const isDecided = verdict.kind === 'stopped' || verdict.kind === 'cancelled'
        const check = () => isDecided || this.#inbox.state.cancelRequested || !(this.#hasNews() && isNew())
        const isTimeUp = verdict.kind === 'stopped' && this.#stopping === 'runtime'
        const event = isTimeUp ? this.#halted() : concluded(spec, verdict, this.#tally.metadata(this.#inbox.state))
        if (await this.#end(event, check)) return
      }
    } finally {
      dialogue.close()
    }
  }

  #hasNews(): boolean {
    return [...this.#inbox.state.messages.values()].some(({ sent }) => !sent)
  }

  /** Its agent was ended by this daemon. */
  #halted(): LifeEvent {
    const { spec } = this.#inbox.state
    const { runtime } = spec.limits ?? {}
    return this.#stopping === 'runtime' && runtime !== undefined
      ? outOfTime(spec, runtime, { result: 'timeout' })
      : cancelled(spec)
  }

  /** No terminal event on our own guess: the reaper knows whether the manager is ending. */
  async #leave(): Promise<void> {
    await this.#output.commit([{ type: 'system', content: 'told to stop by a signal: agent and daemon end' }], 'daemon')
    await this.#reporter.done()
  }

  #context(): Lent {
    return {
      spec: this.#inbox.state.spec,
      env: this.#env,
      full: () => this.#output.full(),
      warn: this.#warn,
    }
  }

  #onEvent(record: Loose): void {
    this.#reporter.look()
    this.#dialogue?.heard(record)
    if (record.by === 'daemon' || record.by === 'agent') return
    if (record.type === 'cancel_requested') this.#stop('cancel')
    if (record.type === 'freeze_requested') void this.#frost.freeze()
    if (record.type === 'thaw_requested') void this.#frost.thaw()
  }

  #stop(why: 'cancel' | 'signal' | 'runtime'): void {
    // A signal during a cancel is the OS losing patience with us; the cancel stays the cause.
    this.#stopping ??= why
    if (why === 'signal') this.#notify.stopping()
    if (this.#dialogue !== undefined) {
      this.#dialogue.stop()
      return
    }
    // Between two awaits of start(): nothing runs yet that would need time.
    if (this.#running === undefined && why === 'signal') process.exit(0)
    this.#stopped ??= this.#running?.stop()
  }

  /**
   * Writes the terminal event under the session's lock, so that nobody appends a message in between; tells the registry. Who has asked
   * for a cancel before that gets one.
   * @param check looked at under the lock; false: there is something more to do, and nothing is written
   */
  async #end(event: LifeEvent, check: () => boolean = () => true): Promise<boolean> {
    this.#output.flush()
    for (;;) {
      try {
        const written = await withLock(this.#path, async () => {
          this.#inbox.read()
          if (!check()) return undefined
          const last = this.#inbox.state.cancelRequested ? insteadOf(event) : event
          await this.#output.commit([last], 'daemon')
          return last
        })
        if (written === undefined) return false
        this.#reporter.report(written)
        break
      } catch (error) {
        if (!(error instanceof AgentzError) || error.code !== 'LOCK_BUSY') throw error
        this.#log.warn({ err: error }, 'cannot finish yet')
      }
    }
    await this.#reporter.done()
    return true
  }
}
