/** One supervisor over one home, and the sessions that a test of the contract gives it. */
import { existsSync, readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { type Home, sessionLog } from '../../../src/base/paths.js'
import { argumentsOf, lives, processes, statOf } from '../../../src/base/proc.js'
import { programs } from '../../../src/base/programs.js'
import type { Loose } from '../../../src/session/life.js'
import { readRegistry } from '../../../src/session/registry.js'
import type { Spec } from '../../../src/session/spec.js'
import { createSession, type NewSession, specify } from '../../../src/session/store.js'
import type { Supervisor } from '../../../src/supervisor/supervisor.js'
import { lines } from '../../helpers/agentz.js'
import { tempDir, until } from '../../helpers/home.js'

export const sleeper = ['sleep', '600']

/** A zombie is not: who has started it may take its time to notice. */
export function isAtWork(pid: number): boolean {
  const stat = statOf(pid)
  return stat !== undefined && lives(stat)
}

export class Bench {
  readonly home: Home
  readonly supervisor: Supervisor
  /** For what the agents of the sessions write. */
  readonly dir: string
  readonly #ids: string[] = []

  constructor(t: Test, home: Home, supervisor: Supervisor) {
    this.home = home
    this.supervisor = supervisor
    this.dir = tempDir(t)
    t.teardown(() => Promise.all(this.#ids.map((id) => supervisor.stop(id))))
  }

  specify(command: readonly string[], fields: Partial<NewSession> = {}): Spec {
    const spec = specify({ agentType: 'command', command: [...command], prompt: '', workingDir: this.dir, ...fields })
    this.#ids.push(spec.sessionId)
    return spec
  }

  /** Creates the files of a session; nothing runs it. */
  async create(command: readonly string[], fields: Partial<NewSession> = {}): Promise<Spec> {
    const spec = this.specify(command, fields)
    await createSession(this.home, spec, { PATH: process.env.PATH ?? '' })
    return spec
  }

  async start(command: readonly string[], fields: Partial<NewSession> = {}): Promise<Spec> {
    const spec = await this.create(command, fields)
    await this.supervisor.prepare()
    await this.supervisor.start(spec)
    return spec
  }

  /** Starts a session, and waits until its agent runs. */
  async running(command: readonly string[], fields: Partial<NewSession> = {}): Promise<Spec> {
    const spec = await this.start(command, fields)
    await this.first(spec.sessionId, 'daemon_started')
    await until(async () => (await this.supervisor.show(spec.sessionId))?.sub === 'running', 'its unit runs')
    // The registry is told of a start while the agent runs already.
    await until(() => readRegistry(this.home).rows.get(spec.sessionId)?.epoch === 1, 'the registry knows')
    await until(() => this.#childrenOf(this.processesOf(spec.sessionId)[0]) > 0, 'its agent runs')
    return spec
  }

  log(id: string): string {
    return sessionLog(this.home, id)
  }

  /** Events of one type, in order. */
  of(id: string, type: string): Loose[] {
    const all = lines(readFileSync(this.log(id), 'utf8')).map((line): Loose => JSON.parse(line))
    return all.filter((event) => event.type === type)
  }

  /** What became of the session and its daemon, in order. */
  types(id: string): string[] {
    const all = lines(readFileSync(this.log(id), 'utf8')).map((line) => String(JSON.parse(line).type))
    return all.filter((type) => /^(daemon_|session_)/.test(type) && type !== 'session_created')
  }

  async first(id: string, type: string, limitMs?: number): Promise<Loose> {
    await until(() => this.of(id, type).length > 0, `there is ${type}`, limitMs)
    return this.of(id, type)[0]!
  }

  /** Waits until nothing carries the session, nor is about to. */
  async gone(id: string): Promise<void> {
    await until(() => this.of(id, 'daemon_exited').length > 0, 'it has ended')
    await until(async () => (await this.supervisor.show(id)) === undefined, 'its unit is gone')
  }

  async numberIn(file: string): Promise<number> {
    await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n'), `there is ${file}`)
    return Number(readFileSync(file, 'utf8'))
  }

  /** The daemons of a session that live, by their arguments. */
  processesOf(id: string): number[] {
    const isDaemon = ([, program, given]: string[]) => program === programs.daemon && given === id
    return processes().flatMap((stat) => (lives(stat) && isDaemon(argumentsOf(stat.pid)) ? [stat.pid] : []))
  }

  #childrenOf(pid: number | undefined): number {
    return processes().filter(({ parent }) => parent === pid).length
  }
}
