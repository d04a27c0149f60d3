/**
 * Brings back what a log-out, a crash of the manager or a reboot has left behind: one session after the other, the one that was
 * active last first. What each of them does then is decided by its daemon, from its file, as after any other death.
 */
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../base/config.js'
import { AgentzError, errno, toAgentzError } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import { withLock } from '../log/lock.js'
import type { EventOf } from '../session/events.js'
import { appendLifecycle } from '../session/lifecycle.js'
import { isLive } from '../session/status.js'
import { isAbandoned } from '../session/unfinished.js'
import { Aftermath, mayBeSaid } from './aftermath.js'
import { Brake } from './brake.js'
import { readFleet, unitState } from './fleet.js'
import { thisMoment } from './moment.js'
import { type Plan, planFor } from './plan.js'
import { admit, startInTurn } from './queue.js'
import { Spacing } from './spacing.js'
import type { Supervisor } from './supervisor.js'
import { sweepDoorbells, sweepEnvironments } from './sweep.js'
import { carries } from './truth.js'

export interface Recovered {
  readonly sessionId: string
  /** With `dryRun`, what would be done. */
  readonly action: EventOf<'session_recovery'>['action'] | Plan['action']
  readonly why: string
}

export interface RecoverOptions {
  readonly dryRun: boolean
  /** Milliseconds between two sessions, more or less by half; more where the machine is slow. */
  readonly spacingMs: number
  onResult(result: Recovered): Promise<void>
}

/** A daemon that was started has spoken after a tenth of this. */
const SPOKEN_MS = 15_000
/** The first session of each agent is watched for so long before others follow: it may be refused by its model. */
const PROOF_MS = 10_000
/** Who is about to write the end of a session, after the exit of its daemon, has done it by then. */
const LAST_WORD_MS = 2_000
const LOOK_AGAIN_MS = 50

/** @throws NO_MANAGER; LOCK_BUSY where another recover is at work */
export async function recover(home: Home, supervisor: Supervisor, options: RecoverOptions): Promise<void> {
  if (options.dryRun) return new Recovery(home, supervisor, options).run()
  await supervisor.prepare()
  await withLock(home.recover, () => new Recovery(home, supervisor, options).run())
}

class Recovery {
  readonly #home: Home
  readonly #supervisor: Supervisor
  readonly #options: RecoverOptions
  readonly #brake = new Brake()
  readonly #proven = new Set<string>()
  readonly #open: Aftermath[] = []
  readonly #spacing: Spacing
  #resumed = 0

  constructor(home: Home, supervisor: Supervisor, options: RecoverOptions) {
    this.#home = home
    this.#supervisor = supervisor
    this.#options = options
    this.#spacing = new Spacing(options.spacingMs)
  }

  async run(): Promise<void> {
    try {
      for (const left of await this.#candidates()) await this.#treat(left)
      if (this.#options.dryRun) return
      await admit(this.#home, this.#supervisor)
      await sweepDoorbells(this.#home, this.#supervisor)
      sweepEnvironments(this.#home)
    } finally {
      for (const left of this.#open) left.close()
    }
  }

  /** The newest activity first. Timestamps order sessions and decide nothing else: clocks jump. */
  async #candidates(): Promise<Aftermath[]> {
    const fleet = await readFleet(this.#home, this.#supervisor)
    const found: Aftermath[] = []
    for (const id of fleet.ids) {
      if (isLive(fleet.status(id))) continue
      const isLeft = fleet.status(id) === 'interrupted' && isAbandoned(fleet.row(id))
      const left = await this.#aftermath(id, isLeft)
      if (left !== undefined && this.#plan(left) !== undefined) found.push(left)
    }
    if (found.some(({ exit }) => exit !== undefined)) await delay(LAST_WORD_MS)
    return found.sort((a, b) => (a.lastActivity < b.lastActivity ? 1 : a.lastActivity > b.lastActivity ? -1 : 0))
  }

  /** One session whose file cannot be read keeps no other from being brought back. @param isLeft else it has ended */
  async #aftermath(id: string, isLeft: boolean): Promise<Aftermath | undefined> {
    try {
      if (!isLeft && !mayBeSaid(this.#home, id)) return undefined
      const left = new Aftermath(this.#home, id)
      this.#open.push(left)
      return left
    } catch (thrown) {
      if (!(thrown instanceof AgentzError) && errno(thrown) === undefined) throw thrown
      // What has ended is not in want of anything; its file may have been removed.
      if (!isLeft) return undefined
      const why = `its file cannot be read: ${toAgentzError(thrown).message}`
      await this.#options.onResult({ sessionId: id, action: 'failed', why })
      return undefined
    }
  }

  #plan(left: Aftermath): Plan | undefined {
    left.read()
    return planFor(left, thisMoment())
  }

  async #treat(left: Aftermath): Promise<void> {
    const plan = this.#plan(left)
    if (plan === undefined || carries(await unitState(this.#home, this.#supervisor, left.id, left.state))) return
    const { id: sessionId } = left
    if (this.#options.dryRun) return this.#options.onResult({ sessionId, action: plan.action, why: plan.why })
    try {
      if (plan.action === 'resume') await this.#resume(left, plan)
      else await this.#close(left, plan)
    } catch (thrown) {
      const error = toAgentzError(thrown)
      if (error.code === 'INTERNAL' || error.code === 'NO_MANAGER') throw thrown
      await this.#options.onResult({ sessionId, action: 'failed', why: error.message })
    }
  }

  /** Looked at once more under the lock of its file: somebody may have said something to it. */
  async #close(left: Aftermath, plan: Plan): Promise<void> {
    const { id: sessionId } = left
    const check = () => this.#plan(left)?.action === plan.action
    if (plan.action === 'cancel') {
      const cause = { result: 'cancelled', message: 'cancelled on request; no daemon ran' } as const
      const options = { epoch: left.state.epoch, check }
      if (!(await appendLifecycle(this.#home, { type: 'session_cancelled', sessionId, cause }, 'user', options))) return
    } else if (!(await this.#interrupt(left, plan, check))) return
    await this.#tell(left, 'marked', plan.why)
  }

  async #interrupt(left: Aftermath, { cause }: Plan, check: () => boolean): Promise<boolean> {
    if (cause === undefined) return check()
    const event = { type: 'session_interrupted' as const, sessionId: left.id, cause }
    return appendLifecycle(this.#home, event, 'supervisor', { epoch: left.state.epoch, check })
  }

  async #resume(left: Aftermath, plan: Plan): Promise<void> {
    const { spec, epoch } = left.state
    const kind = spec.agentType
    const held = this.#brake.holds(kind)
    if (held !== undefined) return this.#tell(left, 'held', `${held}; \`agentz recover\` tries again`)
    if (this.#resumed++ > 0) await delay(this.#spacing.next(Math.random()))
    const began = performance.now()
    const { outputs } = left
    try {
      // Only what has ended can wait in the queue.
      if (readConfig(this.#home).fleet.sessions !== undefined) await this.#interrupt(left, plan, () => true)
      const place = await startInTurn(this.#home, this.#supervisor, spec)
      if (place !== undefined) return this.#tell(left, 'resumed', `${plan.why}; it waits for its turn`)
    } catch (thrown) {
      const error = toAgentzError(thrown)
      // Somebody was faster, or it was not confirmed and has happened all the same.
      if (carries(await unitState(this.#home, this.#supervisor, left.id, left.state))) return
      if (error.code === 'NO_MANAGER') throw error
      this.#brake.notStarted()
      return this.#tell(left, 'failed', error.message)
    }
    if (!(await this.#spoken(left, epoch))) {
      this.#brake.notStarted()
      return this.#tell(left, 'failed', 'its daemon was started and has not spoken')
    }
    this.#spacing.took(performance.now() - began)
    this.#brake.started({ kind, look: () => left.read() })
    // Without its directory it fails in the next moment, which is to be told.
    if (!this.#proven.has(kind) || !existsSync(spec.workingDir)) await this.#watch(left, kind, outputs)
    const { status, error, cause } = left.read()
    if (status !== 'failed') return this.#tell(left, 'resumed', plan.why)
    return this.#tell(
      left,
      'failed',
      `it was started and failed at once: ${error ?? cause?.result ?? 'nobody has said why'}`,
    )
  }

  async #spoken(left: Aftermath, epoch: number): Promise<boolean> {
    for (const end = performance.now() + SPOKEN_MS; performance.now() < end; await delay(LOOK_AGAIN_MS)) {
      if (left.read().epoch > epoch) return true
    }
    return false
  }

  /** Until it is clear that its agent works, or it has lived for so long that the next one may be tried. */
  async #watch(left: Aftermath, kind: string, before: number): Promise<void> {
    for (const end = performance.now() + PROOF_MS; performance.now() < end; await delay(LOOK_AGAIN_MS)) {
      const { status, approvals, inputs } = left.read()
      if (!isLive(status) && status !== 'completed') return
      if (status === 'completed' || approvals.size + inputs.size > 0 || left.outputs > before) break
    }
    this.#proven.add(kind)
  }

  async #tell(left: Aftermath, action: EventOf<'session_recovery'>['action'], why: string): Promise<void> {
    const { id: sessionId } = left
    const event = { type: 'session_recovery' as const, sessionId, action, why }
    await appendLifecycle(this.#home, event, 'supervisor', { epoch: left.read().epoch })
    await this.#options.onResult({ sessionId, action, why })
  }
}
