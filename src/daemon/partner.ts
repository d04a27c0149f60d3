/** The other side of a conversation: the agent's process, from one start to the next. */
import type { AgentContext, Conversation, ConversingAgent, End } from '../agents/agent.js'
import { within } from '../agents/process.js'
import { reason } from '../base/errors.js'
import type { AgentEvent, Cause } from '../session/events.js'
import type { Loose } from '../session/life.js'
import type { Message } from '../session/message.js'
import { DEFAULT_MODE, isWider } from '../session/mode.js'
import { handOver } from './hand-over.js'
import type { Host } from './host.js'
import { Silence } from './silence.js'

export interface PartnerHooks {
  /** Something has changed that the file does not tell. */
  look(): void
  /** The conversation cannot go on. */
  fail(error: string, cause: Cause): void
  /** It ended unasked, and may be started again. @param broke whether a turn has died with it */
  died(error: string, broke: boolean): void
}

/** A start that was asked to end its turn, and has not, is ended itself after this. */
const INTERRUPT_MS = 10_000
/** An agent that refuses a message may be about to end, which then is the reason. */
const REFUSAL_MS = 2_000
/** So often it is started again after it was killed from outside, unless a turn comes to its end in between. */
const MOST_TRIES = 3

export class Partner {
  /** Starts that were killed from outside since a turn has ended well. */
  tries = 0
  readonly #agent: ConversingAgent
  readonly #host: Host
  readonly #hooks: PartnerHooks
  readonly #silence: Silence
  /** Messages on their way to this process, and how many turns it had begun before. */
  readonly #sending = new Map<string, number>()
  /** Those of them that it is known to have. */
  #accepted = new Set<string>()
  /** Requests that it waits for, of this process or kept from an earlier one. */
  readonly #asked = new Set<string>()
  #running: Conversation | undefined
  #isReady = false
  #isStopped = false
  #isLost = false
  /** Whether it was started to go on with a history of its own. */
  #resumes = false
  #interrupted = false
  /** It is given no more messages. */
  #isLetGo = false
  #starts = 0
  #turns = 0

  constructor(agent: ConversingAgent, host: Host, hooks: PartnerHooks) {
    this.#agent = agent
    this.#host = host
    this.#hooks = hooks
    this.#silence = new Silence(host.state().spec.stallTimeout, (events) => host.output.emit(events, 'daemon'))
  }

  get name(): string {
    return this.#agent.name
  }

  get state(): 'none' | 'starting' | 'ready' {
    if (this.#running === undefined) return 'none'
    return this.#isReady ? 'ready' : 'starting'
  }

  get steers(): boolean {
    return this.#running?.steers === true
  }

  /** Messages that were handed over, and whose turn is not seen yet. */
  get sending(): ReadonlySet<string> {
    const { inTurn, messages } = this.#host.state()
    for (const [messageId, before] of this.#sending) {
      const { accepted = false, answered = false } = messages.get(messageId) ?? {}
      // The receipt may come behind a turn that was over at once.
      if (accepted && (inTurn || answered || this.#turns > before)) this.#sending.delete(messageId)
    }
    return new Set(this.#sending.keys())
  }

  async start(): Promise<void> {
    await this.#host.pace()
    if (this.#isStopped) return
    const { nativeId, turns, approvals, anew } = this.#host.state()
    this.#isReady = false
    this.#interrupted = false
    this.#isLetGo = false
    this.#turns = 0
    for (const requestId of approvals.keys()) this.#asked.add(requestId)
    const lost = this.#isLost
    this.#resumes = nativeId !== undefined && !lost
    const running = await this.#tryStart({
      ...this.#host.context(),
      ...(this.#resumes ? { nativeId } : {}),
      start: this.#host.epoch * 1000 + ++this.#starts,
      turns,
      open: new Set(approvals.keys()),
      emit: (events) => this.#emit(events, lost || anew),
    })
    this.#host.onStarted()
    if (running === undefined) return
    this.#running = running
    running.ready.then(async () => {
      // What it has said of itself decides what it is told, and counts once it is in the file.
      await this.#host.output.commit([], 'daemon')
      if (this.#running !== running) return
      this.#isReady = true
      this.#isLost = false
      this.#hooks.look()
    })
    running.ended.then((end) => this.#ended(running, end))
    // It may have been asked to stop while it started.
    if (this.#isStopped) await this.dismiss('stop')
  }

  async #tryStart(context: AgentContext): Promise<Conversation | undefined> {
    try {
      return await this.#agent.start(context)
    } catch (error) {
      const message = `${this.name} could not be started: ${reason(error)}`
      this.#hooks.fail(message, { result: 'agent', message })
      return undefined
    }
  }

  /** Lets it end, or ends it, until the file has all that it said. @returns whether a turn was cut that it had begun meanwhile */
  async dismiss(how: 'finish' | 'stop'): Promise<boolean> {
    const running = this.#running
    const turns = this.#turns
    this.#isLetGo = how === 'finish'
    if (running !== undefined) {
      await running[how]()
      await running.ended
      this.#forget(running)
    }
    await this.#host.output.commit([], 'daemon')
    return this.#turns > turns && this.#host.state().lastTurn?.reason === 'interrupted'
  }

  /** Ends it for good, whatever it does. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.dismiss('stop')
  }

  /** Ends its turn; one that does not end it is ended itself. */
  async interrupt(): Promise<void> {
    this.#interrupted = true
    const running = this.#running
    if (running !== undefined && !(await within(running.interrupt(), INTERRUPT_MS))) {
      this.tell(`${this.name} did not end its turn within ${INTERRUPT_MS / 1000} s: it is ended and resumed`)
      await this.dismiss('stop')
    }
    // What comes next is decided from the file, which has to have it all.
    await this.#host.output.commit([], 'daemon')
  }

  /** Whether its history holds the message; undefined if nobody can tell, or if it has ended meanwhile. */
  async has(message: Message): Promise<boolean | undefined> {
    const running = this.#running
    const has = await running?.has(message).catch((error: unknown) => {
      // That nobody can tell is an answer too, and a person is asked.
      this.#host.context().warn(`looking into the history of ${this.name}`, error)
      return undefined
    })
    // One that is about to end knows nothing any more, and the next one may.
    if (running !== undefined && has === undefined) await within(running.ended, REFUSAL_MS)
    return has
  }

  /** Hands over a message; that it was sent stands on the disk before. */
  async send(messageId: string, content: string, delivery: 'new' | 'queued' | 'steered'): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    const accepted = this.#accepted
    this.#sending.set(messageId, this.#turns)
    this.#interrupted = false
    const how = delivery === 'steered' && running.queues === true ? 'queued' : delivery
    await this.#host.output.commit([{ type: 'message_sent', messageId, delivery: how }], 'daemon')
    running.send({ messageId, content }).then(
      () => {
        this.#accept(messageId, accepted)
        return this.#host.output.commit([], 'daemon')
      },
      async (error) => {
        // If it has ended, its end says why, and its history what became of the message.
        if (await within(running.ended, REFUSAL_MS)) return
        const message = `${this.name} did not take the message: ${reason(error)}`
        this.#hooks.fail(message, { result: 'agent', message })
      },
    )
  }

  /** Hands on an answer that somebody has appended, if it is the one that counts and this process waits for it. */
  hear(answer: Loose): void {
    const requestId = answer.requestId as string
    if (this.#host.state().answered.get(requestId) === answer && this.#asked.delete(requestId)) void this.#pass(answer)
  }

  /** @param works whether it has something to do; else nobody expects a word of it */
  watch(works: boolean): void {
    this.#silence.watch(works)
  }

  tell(content: string): void {
    this.#host.output.emit([{ type: 'error', content }], 'daemon')
  }

  close(): void {
    this.#silence.close()
  }

  async #pass(answer: Loose): Promise<void> {
    const fault = await handOver(answer, {
      name: this.name,
      running: () => this.#running,
      // One that keeps its questions may still have to ask it again.
      mayWait: () => this.#agent.keepsQuestions && !this.#isStopped,
    })
    if (fault !== undefined) this.tell(fault)
  }

  #accept(messageId: string, accepted = this.#accepted): void {
    if (accepted.has(messageId)) return
    accepted.add(messageId)
    this.#host.output.emit([{ type: 'message_accepted', messageId }], 'daemon')
  }

  #emit(events: readonly AgentEvent[], anew: boolean): void {
    this.#silence.broken()
    // An agent that takes one message a turn has had it when the turn ends, though its receipt may come behind.
    const isOver = events.some(({ type }) => type === 'turn_ended') && this.#running?.steers === false
    if (isOver) for (const messageId of this.#sending.keys()) this.#accept(messageId)
    const told = events.flatMap((event) => this.#asTold(event, anew))
    this.#host.output.emit(told, 'agent')
    for (const event of told) {
      this.#host.onEvent(event)
      if (event.type === 'agent_session') this.#checkMode(event.permissionMode)
      if (event.type === 'turn_started') {
        this.#turns++
        // Nobody can answer or steer it any more: it ends soon, or is ended, and is gone on with.
        if (this.#isLetGo) void this.#running?.stop()
      }
      if (event.type === 'turn_ended' && event.reason === 'completed') this.tries = 0
      if (event.type === 'approval_request' || event.type === 'input_request') this.#asked.add(event.requestId)
      if (event.type === 'approval_voided') this.#asked.delete(event.requestId)
    }
  }

  /** A question that was answered before the process that asked it has died is not asked again. */
  #asTold(event: AgentEvent, anew: boolean): AgentEvent[] {
    if (event.type === 'agent_session' && anew) return [{ ...event, anew }]
    const answer = event.type === 'approval_request' ? this.#host.state().answered.get(event.requestId) : undefined
    if (answer === undefined) return [event]
    setImmediate(() => void this.#pass(answer))
    return []
  }

  /** What it says it runs in, up to its first turn; later on only an answer of a person changes it. */
  #checkMode(actual: string | undefined): void {
    if (actual === undefined || this.#turns > 0) return
    const { permissionMode } = this.#host.state().spec
    const asked = permissionMode ?? (this.#agent.modes === undefined ? actual : DEFAULT_MODE)
    if (actual === asked) return
    const message = `${this.name} runs in permission mode ${actual}, not in ${asked} as asked`
    if (isWider(actual, asked)) this.#hooks.fail(`${message}; it was ended`, { result: 'permission-mode', message })
    else this.tell(message)
  }

  #ended(running: Conversation, end: End): void {
    if (!this.#forget(running)) return
    if (end.kind === 'forgotten' && !this.#resumes) {
      this.#hooks.fail(end.error, { result: 'agent', message: end.error })
    } else if (end.kind === 'forgotten') {
      this.#isLost = true
      this.tell(`${this.name} has lost its history (${end.error}): it begins anew, and is told the conversation so far`)
    }
    if (end.kind === 'died') {
      if (end.again && this.tries++ < MOST_TRIES) this.#hooks.died(end.error, this.#turns > 0 && !this.#interrupted)
      else this.#hooks.fail(end.error, end.cause)
    }
    this.#hooks.look()
  }

  /** @returns whether it was still the one that runs */
  #forget(running: Conversation): boolean {
    if (this.#running !== running) return false
    this.#running = undefined
    this.#isReady = false
    this.#sending.clear()
    this.#accepted = new Set()
    this.#asked.clear()
    return true
  }
}
