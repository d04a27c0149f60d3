/** An agent in this process: it keeps the contract, and does what a test says. */
import type { AgentContext, Conversation, ConversingAgent, Decision, End, Message } from '../../src/agents/agent.js'
import { Book } from '../../src/agents/book.js'
import { AgentzError } from '../../src/base/errors.js'
import type { AgentEvent } from '../../src/session/events.js'

export interface Script {
  readonly steers: boolean
  readonly keepsQuestions: boolean
  readonly modes: readonly string[] | undefined
  /** Right after each start; by default it says that it takes messages. */
  onStart(run: FakeRun): void | Promise<void>
  /** A message has come; by default it is answered in a turn of its own. Resolves when it is taken. */
  onSend(run: FakeRun, message: Message): void | Promise<void>
  /** What its history knows of a message. */
  has(run: FakeRun, message: Message): boolean | undefined | Promise<boolean | undefined>
  /** Ends its turn when it is told to. */
  onInterrupt(run: FakeRun): void
  /** It is told to end, one way or the other. */
  onEnd(run: FakeRun, how: 'finish' | 'stop'): void | Promise<void>
}

const obedient: Script = {
  steers: true,
  keepsQuestions: false,
  modes: ['plan', 'default', 'bypassPermissions'],
  onStart: (run) => run.welcome(),
  onSend: (run, { content }) => void setImmediate(() => run.reply(`answer to ${content}`)),
  has: () => undefined,
  onInterrupt: (run) => run.endTurn('interrupted'),
  onEnd: (run) => run.end({ kind: 'finished' }),
}

export class FakeAgent implements ConversingAgent {
  readonly name = 'fake'
  readonly title = 'an agent for tests'
  readonly install = ''
  readonly converses = true
  readonly spacing = 0
  /** Every start, in order. */
  readonly runs: FakeRun[] = []
  readonly script: Script

  constructor(script: Partial<Script> = {}) {
    this.script = { ...obedient, ...script }
  }

  get modes() {
    return this.script.modes
  }

  get keepsQuestions() {
    return this.script.keepsQuestions
  }

  get last(): FakeRun {
    return this.runs.at(-1)!
  }

  login = () => ({ state: 'not needed', detail: '' }) as const
  check = () => 'fake'

  async start(context: AgentContext): Promise<Conversation> {
    const run = new FakeRun(context, this.script)
    this.runs.push(run)
    await this.script.onStart(run)
    return run
  }
}

export class FakeRun implements Conversation {
  readonly pid = undefined
  readonly context: AgentContext
  readonly ready: Promise<void>
  readonly ended: Promise<End>
  readonly messages: Message[] = []
  readonly decisions: Decision[] = []
  readonly answers: [string, string][] = []
  readonly book: Book<string>
  isOver = false
  readonly #script: Script
  #onReady: () => void = () => undefined
  #onEnded: (end: End) => void = () => undefined

  constructor(context: AgentContext, script: Script) {
    this.context = context
    this.#script = script
    this.book = new Book(context.turns)
    this.ready = new Promise((resolve) => {
      this.#onReady = resolve
    })
    this.ended = new Promise((resolve) => {
      this.#onEnded = resolve
    })
  }

  // What the daemon asks of it.

  get steers(): boolean {
    return this.#script.steers
  }

  async has(message: Message): Promise<boolean | undefined> {
    return this.#script.has(this, message)
  }

  async send(message: Message): Promise<void> {
    if (this.isOver) throw new AgentzError('CONFLICT', 'fake does not read any more')
    this.messages.push(message)
    await this.#script.onSend(this, message)
  }

  async decide(decision: Decision): Promise<void> {
    this.#take(decision.requestId)
    this.decisions.push(decision)
  }

  async answer(requestId: string, content: string): Promise<void> {
    this.#take(requestId)
    this.answers.push([requestId, content])
  }

  async interrupt(): Promise<void> {
    if (!this.book.inTurn) return
    const turnEnd = this.book.turnEnd()
    this.#script.onInterrupt(this)
    await Promise.race([turnEnd, this.ended])
  }

  async finish(): Promise<void> {
    await this.#script.onEnd(this, 'finish')
  }

  async stop(): Promise<void> {
    await this.#script.onEnd(this, 'stop')
  }

  // What a test makes it do.

  emit(...events: AgentEvent[]): void {
    this.context.emit(events)
  }

  welcome(permissionMode = this.context.spec.permissionMode ?? 'default'): void {
    const nativeId = this.context.nativeId ?? `native-${this.context.start}`
    this.emit({ type: 'agent_session', nativeId, permissionMode })
    this.#onReady()
  }

  startTurn(): void {
    this.emit(...this.book.startTurn())
  }

  say(content: string): void {
    this.emit({ type: 'text', content })
  }

  endTurn(reason: 'completed' | 'interrupted' | 'failed', error?: string): void {
    const why = error === undefined ? {} : { error, cause: { result: 'agent' as const, message: error } }
    this.emit(...this.book.endTurn({ reason, ...why }))
  }

  /** A whole turn. */
  reply(content: string): void {
    if (this.isOver) return
    this.startTurn()
    this.say(content)
    this.endTurn('completed')
  }

  ask(requestId: string, toolId?: string): void {
    this.book.ask(requestId, requestId)
    const tool = toolId === undefined ? {} : { toolId }
    this.emit({ type: 'approval_request', requestId, tool: 'Bash', input: {}, ...tool })
  }

  question(requestId: string, question: string): void {
    this.book.ask(requestId, requestId)
    this.emit({ type: 'input_request', requestId, question })
  }

  end(end: End): void {
    if (this.isOver) return
    this.isOver = true
    this.emit(...this.book.endTurn({ reason: 'interrupted', error: 'the process is gone' }))
    this.#onEnded(end)
  }

  /** As by SIGKILL. */
  kill(): void {
    const cause = { result: 'signal' as const, code: 'killed', status: 'KILL' }
    this.end({ kind: 'died', error: '`fake` was ended by SIGKILL', cause, again: true })
  }

  #take(requestId: string): void {
    if (this.book.take(requestId) === undefined)
      throw new AgentzError('CONFLICT', `fake does not wait for ${requestId}`)
  }
}
