/** One job of the stand-in for launchd: its process, and when that is started, ended and started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, statSync } from 'node:fs'
import { errno } from '../../src/base/errors.js'
import type { JobKeys } from './keys.js'

/** sysexits(3): what launchd says of a program that could not be started at all. */
const EX_CONFIG = 78

export type State = 'not running' | 'running' | 'spawn scheduled' | 'SIGTERMed' | 'SIGKILLed'

/** What launchd gives to every job of a user, besides what its property list says. */
export type Surroundings = Readonly<Record<'HOME' | 'LOGNAME' | 'USER' | 'SHELL' | 'TMPDIR' | 'PATH', string>>

export class Job {
  readonly keys: JobKeys
  readonly path: string
  state: State = 'not running'
  /** How often it was started since it was loaded. */
  runs = 0
  exit: { code: number | null; signal: NodeJS.Signals | null } | undefined
  readonly #around: Surroundings
  readonly #secondMs: number
  #child: ChildProcess | undefined
  #ended: Promise<void> = Promise.resolve()
  #began = 0
  #timer: NodeJS.Timeout | undefined
  #isLeaving = false

  /** @param secondMs how long a second of ThrottleInterval lasts */
  constructor(keys: JobKeys, path: string, around: Surroundings, secondMs: number) {
    this.keys = keys
    this.path = path
    this.#around = around
    this.#secondMs = secondMs
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get environment(): Record<string, string> {
    return { ...this.#around, ...this.keys.EnvironmentVariables, XPC_SERVICE_NAME: this.keys.Label, XPC_FLAGS: '0x0' }
  }

  loaded(): void {
    // KeepAlive implies RunAtLoad, in both of its forms: launchd.plist(5).
    if (this.keys.RunAtLoad || this.keys.KeepAlive !== false) this.start()
  }

  /** Now, whatever it would wait for. */
  start(): void {
    clearTimeout(this.#timer)
    this.runs++
    this.#began = performance.now()
    const child = this.#spawn()
    if (child === undefined) {
      this.#over({ code: EX_CONFIG, signal: null })
      return
    }
    this.#child = child
    this.state = 'running'
    this.#ended = new Promise((resolve) => {
      child.once('error', () => {
        this.#over({ code: EX_CONFIG, signal: null })
        resolve()
      })
      child.once('exit', (code, signal) => {
        if (!this.keys.AbandonProcessGroup) this.#signal(-Number(child.pid), 'SIGKILL')
        this.#over({ code, signal })
        resolve()
      })
    })
  }

  /** Ends it for good: SIGTERM to its process, and SIGKILL when its patience is over. */
  async end(): Promise<void> {
    this.#isLeaving = true
    clearTimeout(this.#timer)
    if (this.#child !== undefined && this.state !== 'SIGTERMed' && this.state !== 'SIGKILLed') {
      this.state = 'SIGTERMed'
      this.signal('SIGTERM')
      const { ExitTimeOut } = this.keys
      if (ExitTimeOut > 0) this.#timer = setTimeout(() => this.#kill(), ExitTimeOut * 1000)
    }
    await this.#ended
  }

  /** To its process alone, as launchctl(1) says of kill. @returns whether there was one */
  signal(signal: NodeJS.Signals): boolean {
    return this.#child?.pid !== undefined && this.#signal(this.#child.pid, signal)
  }

  #kill(): void {
    this.state = 'SIGKILLed'
    this.signal('SIGKILL')
  }

  #spawn(): ChildProcess | undefined {
    const { ProgramArguments, WorkingDirectory, StandardOutPath, StandardErrorPath, Umask } = this.keys
    const before = process.umask(Umask)
    const files: number[] = []
    try {
      if (!statSync(WorkingDirectory).isDirectory()) return undefined
      for (const path of [StandardOutPath, StandardErrorPath]) files.push(openSync(path, 'a', 0o666))
      return spawn(ProgramArguments[0]!, ProgramArguments.slice(1), {
        cwd: WorkingDirectory,
        env: this.environment,
        // Leads a session and a process group of its own.
        detached: true,
        stdio: ['ignore', ...files],
      })
    } catch (error) {
      if (errno(error) === undefined) throw error
      return undefined
    } finally {
      process.umask(before)
      for (const fd of files) closeSync(fd)
    }
  }

  #over(exit: { code: number | null; signal: NodeJS.Signals | null }): void {
    clearTimeout(this.#timer)
    this.exit = exit
    this.#child = undefined
    this.state = 'not running'
    const { KeepAlive, ThrottleInterval } = this.keys
    const goesOn = typeof KeepAlive === 'boolean' ? KeepAlive : KeepAlive.SuccessfulExit === (exit.code === 0)
    if (!goesOn || this.#isLeaving) return
    this.state = 'spawn scheduled'
    const wait = Math.max(0, this.#began + ThrottleInterval * this.#secondMs - performance.now())
    this.#timer = setTimeout(() => this.start(), wait)
  }

  #signal(pid: number, signal: NodeJS.Signals): boolean {
    try {
      return process.kill(pid, signal)
    } catch (error) {
      if (errno(error) !== 'ESRCH') throw error
      return false
    }
  }
}
