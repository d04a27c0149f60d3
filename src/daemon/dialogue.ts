/**
 * A conversation with an agent, from what its file says to the moment when nothing is left to be said. What it does next is always
 * decided from the file (step.ts), so that a daemon that takes over from a dead one does the same.
 */
import type { AgentContext, Conversation, ConversingAgent, End } from '../agents/agent.js'
import { within } from '../agents/process.js'
import { AgentzError, reason } from '../base/errors.js'
import type { QuietLogger } from '../base/logger.js'
import { timeLeft } from '../session/budget.js'
import type { AgentEvent, Cause, Decided } from '../session/events.js'
import type { Loose } from '../session/life.js'
import { type Message, ownMessageId } from '../session/message.js'
import { DEFAULT_MODE, isWider } from '../session/mode.js'
import type { SessionState } from '../session/state.js'
import { transcriptOf, withTranscript } from '../session/transcript.js'
import type { Output } from './output.js'
import { Silence } from './silence.js'
import { nextStep, type Step } from './step.js'

/** How a conversation came to its end, for now: a further message goes on with it. */
export type Verdict =
  | { readonly kind: 'completed' | 'stopped' }
  | { readonly kind: 'failed'; readonly error: string; readonly cause: Cause }
  | { readonly kind: 'cancelled' | 'interrupted'; readonly cause: Cause }

/** What the daemon lends to it. */
export interface Host {
  readonly epoch: number
  readonly path: string
  readonly output: Output
  readonly log: QuietLogger
  state(): SessionState
  /** Waits for the moment at which an agent of this kind may start. */
  pace(): Promise<void>
  /** Everything of the context but what the dialogue adds. */
  context(): Omit<AgentContext, 'nativeId' | 'start' | 'turns' | 'open' | 'emit'>
  /** Told of each event of the agent. */
  onEvent(event: AgentEvent): void
  /** The agent runs now, or its start was tried. */
  onStarted(): void
}

/** An agent that is killed from outside is started again so often, unless a turn comes to its end in between. */
const MOST_TRIES = 3
const FIRST_PAUSE_MS = 500
/** After so long, an agent that does not end its turn is ended itself. */
const INTERRUPT_MS = 10_000
export const GO_ON = 'The session was interrupted and has been resumed. Go on from where you stopped.'

export class Dialogue {
  readonly #agent: ConversingAgent
  readonly #host: Host
  readonly #silence: Silence
  #running: Conversation | undefined
  #isReady = false
  #isBusy = false
  #interrupted = false
  #starts = 0
  #questions = 0
  #owns = 0
  #tries = 0
  #turnsHere = 0
  readonly #sending = new Set<string>()
  /** Requests that the agent waits for, of this process or kept from an earlier one. */
  readonly #asked = new Set<string>()
  #verdict: Verdict | undefined
  #stopping: Promise<void> | undefined
  #wake: () => void = () => undefined
  #isDirty = false
  #modeRead = false

  constructor(agent: ConversingAgent, host: Host) {
    this.#agent = agent
    this.#host = host
    this.#silence = new Silence(host.state().spec.stallTimeout, (events) => host.output.emit(events, 'daemon'))
  }

  /** Goes on until nothing is left to be said, or something ends it; no agent runs then. May be called again. */
  async run(): Promise<Verdict> {
    this.#verdict = undefined
    for (;;) {
      if (this.#stopping !== undefined) {
        await this.#stopping
        return { kind: 'stopped' }
      }
      if (this.#verdict !== undefined) {
        await this.#dismiss('stop')
        return this.#verdict
      }
      const step = nextStep(this.#host.state(), this.#facts())
      if (step.do === 'end' || step.do === 'give-up') {
        await this.#dismiss(step.do === 'end' ? 'finish' : 'stop')
        if (this.#stopping === undefined) return step.do === 'end' ? this.#outcome() : this.#givenUp()
      } else await this.#take(step)
    }
  }

  /** Something was appended to the file. */
  heard(record: Loose): void {
    this.#look()
    if (record.by === 'daemon' || record.by === 'agent') return
    const { type, requestId } = record as { type: string; requestId: string }
    if (type !== 'approval_response' && type !== 'input_response') return
    if (this.#asked.delete(requestId)) this.#pass(record)
  }

  /** Hands an answer to the agent. */
  #pass(record: Loose): void {
    const { type, requestId, decision, reason: why, content } = record as unknown as Answer
    const told =
      type === 'approval_response'
        ? this.#running?.decide({ requestId, decision, reason: why })
        : this.#running?.answer(requestId, String(content))
    told?.catch((error) => {
      // One that keeps its questions may not have asked again yet; when it does, the answer is in the file.
      if (this.#agent.keepsQuestions && error instanceof AgentzError && error.code === 'CONFLICT') return
      this.#tell(`the answer to ${requestId} did not reach the agent: ${reason(error)}`)
    })
  }

  /** Ends the agent, whatever it does. */
  stop(): void {
    this.#stopping ??= this.#running?.stop() ?? Promise.resolve()
    this.#look()
  }

  close(): void {
    this.#silence.close()
  }

  async #dismiss(how: 'finish' | 'stop'): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    await running[how]()
    await running.ended
    this.#forget(running)
    await this.#host.output.commit([], 'daemon')
  }

  /** @returns whether it was still the one that runs */
  #forget(running: Conversation): boolean {
    if (this.#running !== running) return false
    this.#running = undefined
    this.#isReady = false
    this.#sending.clear()
    this.#asked.clear()
    return true
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'start':
        return this.#start()
      case 'interrupt':
        return this.#begin(() => this.#interrupt())
      case 'pause':
        return this.#begin(() => this.#pause(step.excess.subject, step.excess.question))
      case 'check':
        return this.#begin(() => this.#check(step.message))
      case 'send':
        return this.#send(step.message, step.delivery)
      default:
        return this.#changed()
    }
  }

  #facts() {
    const { inTurn, status, updatedAt, messages } = this.#host.state()
    for (const messageId of this.#sending) {
      const { accepted = false, answered = false } = messages.get(messageId) ?? {}
      if (accepted && (inTurn || answered)) this.#sending.delete(messageId)
    }
    const agent = this.#running === undefined ? 'none' : this.#isReady ? 'ready' : 'starting'
    return {
      agent,
      steers: this.#running?.steers === true,
      busy: this.#isBusy,
      sending: this.#sending,
      workingMs: inTurn && status === 'running' ? Math.max(0, Date.now() - Date.parse(updatedAt)) : 0,
    } as const
  }

  async #start(): Promise<void> {
    await this.#host.pace()
    if (this.#stopping !== undefined) return
    const { nativeId, turns, approvals, anew } = this.#host.state()
    const start = this.#host.epoch * 1000 + ++this.#starts
    this.#isReady = false
    this.#modeRead = false
    this.#turnsHere = 0
    for (const requestId of approvals.keys()) this.#asked.add(requestId)
    this.#interrupted = false
    const lost = this.#isLost
    const running = await this.#agent.start({
      ...this.#host.context(),
      ...(nativeId === undefined || lost ? {} : { nativeId }),
      start,
      turns,
      open: new Set(approvals.keys()),
      emit: (events) => this.#emit(events, lost || anew),
    })
    this.#running = running
    this.#host.onStarted()
    running.ready.then(() => {
      this.#isReady = true
      this.#isLost = false
      this.#look()
    })
    running.ended.then((end) => this.#ended(running, end))
    // Asked to stop while it started.
    if (this.#stopping !== undefined) await running.stop()
  }
  #isLost = false

  #emit(events: readonly AgentEvent[], anew: boolean): void {
    this.#silence.broken()
    const told = events.flatMap((event) => this.#asTold(event, anew))
    this.#host.output.emit(told, 'agent')
    for (const event of told) {
      this.#host.onEvent(event)
      if (event.type === 'agent_session') this.#checkMode(event.permissionMode)
      if (event.type === 'turn_started') this.#turnsHere++
      if (event.type === 'turn_ended' && event.reason === 'completed') this.#tries = 0
      if (event.type === 'approval_request' || event.type === 'input_request') this.#asked.add(event.requestId)
      if (event.type === 'approval_voided') this.#asked.delete(event.requestId)
    }
  }

  /** A question that an answer in the file was for, before the agent died: it is not asked again. */
  #asTold(event: AgentEvent, anew: boolean): AgentEvent[] {
    if (event.type === 'agent_session' && anew) return [{ ...event, anew }]
    const answer = event.type === 'approval_request' ? this.#host.state().answered.get(event.requestId) : undefined
    if (answer === undefined) return [event]
    setImmediate(() => this.#pass(answer))
    return []
  }

  /** What it says it runs in right after its start; later on only an answer of a person changes it. */
  #checkMode(actual: string | undefined): void {
    if (actual === undefined || this.#modeRead) return
    this.#modeRead = true
    const { spec } = this.#host.state()
    const asked = spec.permissionMode ?? (this.#agent.modes === undefined ? actual : DEFAULT_MODE)
    if (actual === asked) return
    const content = `${this.#agent.name} runs in permission mode ${actual}, not in ${asked} as asked`
    if (isWider(actual, asked)) this.#fail(`${content}; it was ended`, { result: 'permission-mode', message: content })
    else this.#tell(content)
  }

  async #ended(running: Conversation, end: End): Promise<void> {
    if (!this.#forget(running)) return
    if (end.kind === 'forgotten') {
      this.#isLost = true
      this.#tell(
        `${this.#agent.name} has lost its history (${end.error}): it begins anew, and is told the conversation so far`,
      )
    }
    if (end.kind === 'died') {
      if (!end.again || this.#tries >= MOST_TRIES) return this.#fail(end.error, end.cause)
      await this.#comeBack(end.error)
    }
    this.#look()
  }

  /** It was killed from outside: it goes on where it was. */
  async #comeBack(error: string): Promise<void> {
    const { output } = this.#host
    const pause = FIRST_PAUSE_MS * 2 ** this.#tries++
    // With it, everything that the agent has said is in the file.
    await output.commit([{ type: 'system', content: `${error}; it is started again and resumed` }], 'daemon')
    const { lastTurn, messages } = this.#host.state()
    const broke = this.#turnsHere > 0 && lastTurn?.reason === 'interrupted' && !this.#interrupted
    if (broke || isBroken(messages)) await output.commit([this.#goOn()], 'daemon')
    await this.#begin(() => new Promise((resolve) => setTimeout(resolve, pause)))
  }

  async #interrupt(): Promise<void> {
    const running = this.#running
    this.#interrupted = true
    if (running !== undefined && !(await within(running.interrupt(), INTERRUPT_MS))) {
      this.#tell(`${this.#agent.name} did not end its turn within ${INTERRUPT_MS / 1000} s: it is ended and resumed`)
      await this.#dismiss('stop')
    }
    // What comes next is decided from the file, which has to have it all.
    await this.#host.output.commit([], 'daemon')
  }

  /** A budget is used up: the turn is interrupted, and a person decides. */
  async #pause(subject: string, question: string): Promise<void> {
    const { inTurn } = this.#host.state()
    if (inTurn) await this.#interrupt()
    const next = inTurn ? [this.#goOn()] : []
    await this.#ask({ question, options: ['continue', 'stop'], about: 'budget', subject }, next)
  }

  /** A message was sent, and the log does not say whether the agent has it: its own history may know. */
  async #check(message: Message): Promise<void> {
    const { messageId, own, content } = message
    const has = await this.#running?.has(message)
    if (has === true || own) {
      // Its turn has died with it, so that it has to be asked to go on.
      const events: AgentEvent[] = [{ type: 'message_accepted', messageId }, this.#goOn()]
      await this.#host.output.commit(events, 'daemon')
    } else if (has === false) await this.#send(message, message.waited ? 'queued' : 'new')
    else {
      const shown = content.length > 200 ? `${content.slice(0, 200)}…` : content
      const question = `It is not known whether ${this.#agent.name} received this message before it was interrupted: ${shown} Send it again?`
      await this.#ask({ question, options: ['send', 'skip'], about: 'undecided', subject: messageId })
    }
  }

  #goOn(): AgentEvent {
    return goOn(this.#host.epoch * 1000 + ++this.#owns)
  }

  #ask(
    request: Pick<Extract<AgentEvent, { type: 'input_request' }>, 'question' | 'options' | 'about' | 'subject'>,
    first: AgentEvent[] = [],
  ) {
    const requestId = `${request.about}-${this.#host.epoch}-${++this.#questions}`
    return this.#host.output.commit([...first, { type: 'input_request', requestId, ...request }], 'daemon')
  }

  async #send(message: Message, delivery: 'new' | 'queued' | 'steered'): Promise<void> {
    const { messageId } = message
    const { output, path } = this.#host
    const running = this.#running
    if (running === undefined) return
    this.#sending.add(messageId)
    this.#interrupted = false
    const content = this.#host.state().anew ? withTranscript(transcriptOf(path), message.content) : message.content
    await output.commit([{ type: 'message_sent', messageId, delivery }], 'daemon')
    running.send({ messageId, content }).then(
      // It counts as on its way until its turn is seen to run, or to have ended.
      () => output.commit([{ type: 'message_accepted', messageId }], 'daemon'),
      (error) => {
        this.#sending.delete(messageId)
        // Its end says why; what became of the message is looked up after its next start.
        if (this.#running !== running || error instanceof AgentzError) return this.#look()
        this.#fail(`${this.#agent.name} did not take the message: ${reason(error)}`, {
          result: 'agent',
          message: reason(error),
        })
      },
    )
  }

  #outcome(): Verdict {
    const { lastTurn } = this.#host.state()
    if (lastTurn === undefined || lastTurn.reason === 'completed') return { kind: 'completed' }
    const { error = 'the last turn did not come to its end', cause = { result: 'agent', message: error } } = lastTurn
    return lastTurn.reason === 'failed'
      ? { kind: 'failed', error, cause }
      : { kind: 'interrupted', cause: { ...cause, message: error } }
  }

  #givenUp(): Verdict {
    const { stopAt } = this.#host.state()
    return { kind: 'cancelled', cause: { result: 'budget', message: `stopped at the budget of ${stopAt}` } }
  }

  #fail(error: string, cause: Cause): void {
    this.#verdict ??= { kind: 'failed', error, cause }
    this.#look()
  }

  #tell(content: string): void {
    this.#host.output.emit([{ type: 'error', content }], 'daemon')
  }

  /** While it goes on, nothing else is decided. */
  async #begin(work: () => Promise<void>): Promise<void> {
    this.#isBusy = true
    try {
      await work()
    } finally {
      this.#isBusy = false
      this.#look()
    }
  }

  #look(): void {
    this.#isDirty = true
    this.#wake()
  }

  /** Resolves when something has happened, or the budget of time is used up. */
  async #changed(): Promise<void> {
    const state = this.#host.state()
    this.#silence.watch(state.inTurn && state.status === 'running')
    if (!this.#isDirty) {
      const left = state.inTurn && state.status === 'running' ? timeLeft(state) : undefined
      await new Promise<void>((resolve) => {
        const timer = left === undefined ? undefined : setTimeout(resolve, left - this.#facts().workingMs + 1)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#isDirty = false
  }
}

interface Answer {
  readonly type: 'approval_response' | 'input_response'
  readonly requestId: string
  readonly decision: Decided
  readonly reason?: string
  readonly content?: string
}

/** A message was taken and no turn has ended since. */
export const isBroken = (messages: ReadonlyMap<string, Message>): boolean =>
  [...messages.values()].some(({ accepted, answered }) => accepted && !answered)

export const goOn = (start: number): AgentEvent => ({
  type: 'user_message',
  messageId: ownMessageId(start),
  content: GO_ON,
})
