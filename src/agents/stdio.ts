/** An agent that is talked with over its standard streams, a line of JSON at a time: what all such runners have in common. */
import { AgentzError, reason } from '../base/errors.js'
import type { Member } from '../base/proc.js'
import { killAll, killMarked, treeOf } from '../base/tree.js'
import type { AgentContext, End } from './agent.js'
import { blame } from './blame.js'
import { cut, short } from './cut.js'
import { readLines } from './lines.js'
import { causeOf, type Exit, type Started, sentenceOf, settle, startProcess, stopProcess, within } from './process.js'

/** A tool's result with pictures is one line of many megabytes, and a line that is cut is no JSON any more. */
const LINE_CAP = 32 * 1024 * 1024
/** A model's words come one by one; nobody sees a delay of a few milliseconds. */
const REST_MS = 10
/** Each step of stopping. An interrupt was answered within 0.12 s in every state that was measured. */
const STEP_MS = 2000
/** How long an agent has between the end of its input and its own end. */
const FINISH_MS = 30_000
export interface StdioOptions {
  readonly argv: readonly string[]
  /** Variables that go to this agent beside those of the context. */
  readonly env?: Readonly<Record<string, string>>
  /** A line of its stdout. @param missing bytes that are missing at its end, since it was too long */
  onLine(line: string, missing: number): void
  /** What it writes to stderr becomes `system` events, unless this says that it is noise. */
  isNoise?(line: string): boolean
}

export class Stdio {
  readonly pid: number | undefined
  readonly name: string
  readonly exited: Promise<Exit>
  /** The exit, once both pipes are drained. */
  readonly settled: Promise<Exit>
  readonly #context: AgentContext
  readonly #started: Started
  readonly #options: StdioOptions
  #lastWords = ''
  #asked = false

  constructor(context: AgentContext, options: StdioOptions) {
    const { spec, env } = context
    this.#context = context
    this.#options = options
    this.#started = startProcess({ argv: options.argv, spec, env: { ...env, ...options.env }, stdin: 'pipe' })
    this.pid = this.#started.pid
    this.name = this.#started.name
    this.exited = this.#started.exited
    // An agent that is gone reads nothing more; its exit says why.
    this.#started.child.stdin?.on('error', (error) => context.warn(`writing to ${this.name}`, error))
    this.settled = this.#run()
  }

  get writable(): boolean {
    return this.#started.child.stdin?.writable === true
  }

  /** Writes a message; resolves when the pipe has it. @throws CONFLICT when it does not read any more */
  write(message: object): Promise<void> {
    return new Promise((resolve, reject) => {
      const { stdin } = this.#started.child
      const gone = (cause?: Error) => new AgentzError('CONFLICT', `${this.name} does not read any more`, { cause })
      if (!stdin?.writable) return reject(gone())
      stdin.write(`${JSON.stringify(message)}\n`, (error) => (error ? reject(gone(error)) : resolve()))
    })
  }

  /** The same where nobody waits for it: its end will be told by its exit. */
  tell(message: object): void {
    this.write(message).catch((error: unknown) => this.#context.warn(`writing to ${this.name}`, error))
  }

  /** How it ended, for `Conversation.ended`: a signal that we did not send is no fault of its own. */
  endOf(exit: Exit): End {
    if (this.#asked) return { kind: 'finished' }
    const how = causeOf(exit)
    const sentence = sentenceOf(this.name, exit)
    if ('signal' in exit && exit.signal !== null) return { kind: 'died', error: sentence, cause: how, again: true }
    // An exit with status 0 is no success if nothing was finished.
    const result = how.result === 'success' ? 'agent' : how.result
    if (this.#lastWords === '') return { kind: 'died', error: sentence, cause: { ...how, result }, again: false }
    const message = short(this.#lastWords)
    const told = blame({ message }).result
    const cause = { ...how, result: told === 'agent' ? result : told, message }
    return { kind: 'died', error: `${sentence}: ${message}`, cause, again: false }
  }

  /**
   * Closes its input and lets it end by itself; one that does not is stopped. What it leaves running ends with the session: a unit of
   * the OS sees to that, and only where there is none, it is looked for here.
   */
  async finish(signal: NodeJS.Signals): Promise<void> {
    this.#asked = true
    if (this.pid === undefined) return
    const isUnit = process.env.INVOCATION_ID !== undefined
    const members = isUnit ? [] : treeOf([this.pid])
    this.#started.child.stdin?.end()
    if (!(await within(this.exited, FINISH_MS))) await this.#signal(signal)
    if (!isUnit) await this.#sweep(members)
    await this.settled
  }

  /**
   * Interrupt, close stdin, signal, kill: at most 2 s for each. Tools have process groups of their own and some leave the tree, so who is
   * there is noted before each step, and whoever carries the mark of the session goes too.
   */
  async stop(interrupt: () => Promise<void>, signal: NodeJS.Signals): Promise<void> {
    this.#asked = true
    if (this.pid === undefined) return
    const atFirst = treeOf([this.pid])
    if (this.writable) await within(interrupt(), STEP_MS)
    const afterTurn = treeOf([this.pid])
    this.#started.child.stdin?.end()
    await within(this.exited, STEP_MS)
    await this.#signal(signal)
    await this.#sweep([...atFirst, ...afterTurn])
  }

  #signal(signal: NodeJS.Signals): Promise<void> {
    return stopProcess(this.#started, { signal, to: 'process', graceMs: STEP_MS })
  }

  async #sweep(members: readonly Member[]): Promise<void> {
    await killAll(members)
    await killMarked(this.#context.spec.sessionId)
    await this.settled
  }

  async #run(): Promise<Exit> {
    const outputs = Promise.all([
      this.#read('stdout', LINE_CAP, (line, missing) => this.#options.onLine(line, missing)),
      this.#read('stderr', undefined, (line, missing) => this.#stderr(line, missing)),
    ])
    const { exit, abandoned } = await settle(this.#started, outputs, () => this.#context.full())
    if (abandoned) this.#context.warn(`a background process held the output of ${this.name} open after its exit`)
    return exit
  }

  async #read(stream: 'stdout' | 'stderr', cap: number | undefined, onLine: (line: string, missing: number) => void) {
    const source = this.#started.child[stream]
    if (source === null) return
    try {
      const options = { ...(cap === undefined ? {} : { cap }), rest: REST_MS, full: () => this.#context.full() }
      await readLines(source, onLine, options)
    } catch (error) {
      this.#context.emit([{ type: 'error', content: `cannot read the ${stream} of ${this.name}: ${reason(error)}` }])
    }
  }

  #stderr(line: string, missing: number): void {
    if (line.trim() === '' || this.#options.isNoise?.(line) === true) return
    this.#lastWords = line
    this.#context.emit([{ type: 'system', ...cut(line, undefined, missing) }])
  }
}
