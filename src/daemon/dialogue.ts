/**
 * A conversation with an agent, from what its file says to the moment when nothing is left to be said. What it does next is always
 * decided from the file (step.ts), so that a daemon that takes over from a dead one does the same.
 */
import type { ConversingAgent } from '../agents/agent.js'
import { timeLeft } from '../session/budget.js'
import type { AgentEvent, EventOf } from '../session/events.js'
import type { Loose } from '../session/life.js'
import { type Message, ownMessageId } from '../session/message.js'
import { transcriptOf, withTranscript } from '../session/transcript.js'
import { hasBroken } from '../session/unfinished.js'
import type { Host } from './host.js'
import { Partner } from './partner.js'
import { nextStep, type Step } from './step.js'
import { givenUp, saidOut, type Verdict } from './verdict.js'

const FIRST_PAUSE_MS = 500
/** So often an agent that works on when it is let go is taken up again. */
const MOST_CUTS = 3
/** A timer of more than 24.8 days fires at once. */
const LONGEST_MS = 2 ** 31 - 1
const GO_ON = 'The session was interrupted and has been resumed. Go on from where you stopped.'

type Question = Required<Pick<EventOf<'input_request'>, 'question' | 'options' | 'about' | 'subject'>>

export class Dialogue {
  readonly #host: Host
  readonly #partner: Partner
  #busy = 0
  #questions = 0
  #owns = 0
  #cuts = 0
  #verdict: Verdict | undefined
  #stopping: Promise<void> | undefined
  #wake: () => void = () => undefined
  #isDirty = false

  constructor(agent: ConversingAgent, host: Host) {
    this.#host = host
    this.#partner = new Partner(agent, host, {
      look: () => this.#look(),
      fail: (error, cause) => this.#conclude({ kind: 'failed', error, cause }),
      died: (error, broke) => void this.#begin(() => this.#comeBack(error, broke)),
    })
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
        await this.#partner.dismiss('stop')
        return this.#verdict
      }
      const step = nextStep(this.#host.state(), this.#facts())
      if (step.do === 'end' || step.do === 'give-up') {
        const isCut = await this.#partner.dismiss(step.do === 'end' ? 'finish' : 'stop')
        if (this.#stopping !== undefined) continue
        if (step.do === 'give-up') return givenUp(this.#host.state())
        if (!isCut || this.#cuts++ >= MOST_CUTS) return saidOut(this.#host.state())
        await this.#comeBack(`${this.#partner.name} began a turn just when it was let go`, true)
      } else await this.#take(step)
    }
  }

  /** Something was appended to the file. */
  heard(record: Loose): void {
    this.#look()
    const isAnswer = record.type === 'approval_response' || record.type === 'input_response'
    if (isAnswer && record.by !== 'daemon' && record.by !== 'agent') this.#partner.hear(record)
  }

  /** Ends the agent, whatever it does. */
  stop(): void {
    this.#stopping ??= this.#partner.stop()
    this.#look()
  }

  close(): void {
    this.#partner.close()
  }

  #facts() {
    const { inTurn, status, workedAt, frozen } = this.#host.state()
    return {
      agent: this.#partner.state,
      steers: this.#partner.steers,
      busy: this.#busy > 0,
      sending: this.#partner.sending,
      workingMs:
        workedAt !== undefined && inTurn && status === 'running' && !frozen ? Math.max(0, Date.now() - workedAt) : 0,
    }
  }

  async #take(step: Step): Promise<void> {
    switch (step.do) {
      case 'start':
        return this.#partner.start()
      case 'interrupt':
        return this.#begin(() => this.#partner.interrupt())
      case 'pause':
        return this.#begin(() => this.#pause(step.excess.subject, step.excess.question))
      case 'check':
        return this.#begin(() => this.#check(step.message))
      case 'send':
        return this.#send(step.message, step.delivery)
      default:
        // A person is asked before an agent may run, and the manager ends a daemon that is not ready in time.
        if (this.#partner.state === 'none') this.#host.onStarted()
        return this.#changed()
    }
  }

  #send({ messageId, content }: Message, delivery: 'new' | 'queued' | 'steered'): Promise<void> {
    return this.#partner.send(messageId, this.#wordsOf(messageId, content), delivery)
  }

  /** What is said: to an agent that has begun anew, with the conversation so far. */
  #wordsOf(messageId: string, content: string): string {
    const { path } = this.#host
    return this.#host.state().anew ? withTranscript(transcriptOf(path, messageId), content) : content
  }

  /** A budget is used up: the turn is interrupted, and a person decides. */
  async #pause(subject: string, question: string): Promise<void> {
    const { inTurn } = this.#host.state()
    if (inTurn) await this.#partner.interrupt()
    const isBroken = inTurn && this.#host.state().lastTurn?.reason !== 'completed'
    await this.#ask({ question, options: ['continue', 'stop'], about: 'budget', subject }, isBroken ? this.#goOn() : [])
  }

  /** A message was sent, and the log does not say whether the agent has it: its own history may know. */
  async #check(message: Message): Promise<void> {
    const { messageId, own, content } = message
    const has = await this.#partner.has({ ...message, content: this.#wordsOf(messageId, content) })
    if (this.#partner.state !== 'ready') return
    if (has === true || own) {
      // Its turn has died with the process, so that it has to be asked to go on.
      await this.#host.output.commit([{ type: 'message_accepted', messageId }, ...this.#goOn()], 'daemon')
    } else if (has === false) await this.#send(message, message.waited ? 'queued' : 'new')
    else {
      const shown = content.length > 200 ? `${content.slice(0, 200)}…` : content
      const question = `It is not known whether ${this.#partner.name} received this message before it was interrupted: ${shown} Send it again?`
      await this.#ask({ question, options: ['send', 'skip'], about: 'undecided', subject: messageId })
    }
  }

  #ask(question: Question, first: readonly AgentEvent[] = []): Promise<void> {
    const requestId = `${question.about}-${this.#host.epoch}-${++this.#questions}`
    return this.#host.output.commit([...first, { type: 'input_request', requestId, ...question }], 'daemon')
  }

  /** It ended before it was done: it goes on where it was. */
  async #comeBack(error: string, broke: boolean): Promise<void> {
    const { output } = this.#host
    // With it, everything that the agent has said is in the file.
    await output.commit([{ type: 'system', content: `${error}; it is started again and resumed` }], 'daemon')
    const { lastTurn, messages } = this.#host.state()
    const isBroken = hasBroken(messages) || (broke && lastTurn?.reason === 'interrupted')
    if (isBroken) await output.commit(this.#goOn(), 'daemon')
    await new Promise((resolve) => setTimeout(resolve, FIRST_PAUSE_MS * 2 ** (this.#partner.tries - 1)))
  }

  /** What asks the agent to go on, unless that is about to be said anyway. */
  #goOn(): AgentEvent[] {
    const isSaid = willGoOn(this.#host.state().messages)
    return isSaid ? [] : [goOn(this.#host.epoch * 1000 + ++this.#owns)]
  }

  #conclude(verdict: Verdict): void {
    this.#verdict ??= verdict
    this.#look()
  }

  /** While it goes on, nothing else is decided. */
  async #begin(work: () => Promise<void>): Promise<void> {
    this.#busy++
    try {
      await work()
    } finally {
      this.#busy--
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
    const works = state.inTurn && state.status === 'running' && !state.frozen
    this.#partner.watch(works)
    if (!this.#isDirty) {
      const left = works ? timeLeft(state) : undefined
      await new Promise<void>((resolve) => {
        const timer =
          left === undefined ? undefined : setTimeout(resolve, Math.min(left - this.#facts().workingMs + 1, LONGEST_MS))
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#isDirty = false
  }
}

/** The agent is about to be asked to go on. */
export const willGoOn = (messages: ReadonlyMap<string, Message>): boolean =>
  [...messages.values()].some(({ own, sent }) => own && !sent)

/** @param start counts what is said so in a session: its message is a new one each time */
export const goOn = (start: number): AgentEvent => ({
  type: 'user_message',
  messageId: ownMessageId(start),
  content: GO_ON,
})
