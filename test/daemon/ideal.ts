/** A conversation without processes: an agent and a person who do what they should, and what the daemon decides between them. */
import type { Facts, Step } from '../../src/daemon/step.js'
import { nextStep } from '../../src/daemon/step.js'
import { applySession } from '../../src/session/apply.js'
import type { Loose } from '../../src/session/life.js'
import { ownMessageId } from '../../src/session/message.js'
import type { SessionState } from '../../src/session/state.js'

/** What chance, or a test, decides. */
export interface Choices {
  readonly steers: boolean
  /** Whether the agent's history has a message that was sent before. */
  has(): boolean | undefined
  /** What the person says to a question about a message. */
  undecided(): 'send' | 'skip'
  /** What the person says to a budget. */
  budget(): 'continue' | 'stop'
  /** Messages that somebody appends before a step. */
  news(): Loose | undefined
  /** Whether the agent ends its turn now, though it could take another message first. */
  ends(): boolean
}

export class Ideal {
  readonly steps: Step[] = []
  /** How often each message was handed over. */
  readonly sent = new Map<string, number>()
  /** Messages that a person wanted to be sent again. */
  readonly again = new Set<string>()
  readonly #state: SessionState
  readonly #choices: Choices
  readonly #waiting: string[] = []
  #agent: Facts['agent'] = 'none'
  #owns = 9000

  constructor(state: SessionState, choices: Choices) {
    this.#state = state
    this.#choices = choices
  }

  /** @returns how it ended; undefined if it did not within so many steps */
  run(most: number): 'end' | 'give-up' | undefined {
    while (this.steps.length < most) {
      const news = this.#choices.news()
      if (news !== undefined) this.#apply(news)
      const step = nextStep(this.#state, this.#facts())
      this.steps.push(step)
      if (step.do === 'end' || step.do === 'give-up') return step.do
      this.#take(step)
    }
    return undefined
  }

  #facts(): Facts {
    const { messages, inTurn } = this.#state
    const sending = new Set(
      [...this.sent.keys()].filter((id) => {
        const { sent = false, accepted = false, answered = false } = messages.get(id) ?? {}
        return sent && !(accepted && (inTurn || answered))
      }),
    )
    return { agent: this.#agent, steers: this.#choices.steers, busy: false, sending, workingMs: 0 }
  }

  #apply(record: Loose): void {
    applySession(this.#state, { timestamp: this.#state.updatedAt, epoch: this.#state.epoch, ...record })
  }

  #take(step: Step): void {
    switch (step.do) {
      case 'start':
        this.#agent = 'ready'
        return
      case 'send':
        this.#send(step.message.messageId)
        return
      case 'interrupt':
        this.#endTurn('interrupted')
        return
      case 'pause':
        if (this.#state.inTurn) {
          this.#endTurn('interrupted')
          this.#goOn()
        }
        this.#ask('budget', step.excess.subject)
        return
      case 'check':
        this.#check(step.message.messageId, step.message.own)
        return
      default:
        this.#others()
    }
  }

  #send(messageId: string): void {
    this.sent.set(messageId, (this.sent.get(messageId) ?? 0) + 1)
    this.#waiting.push(messageId)
    this.#apply({ type: 'message_sent', messageId })
  }

  #check(messageId: string, own: boolean): void {
    const has = this.#choices.has()
    if (has === true || own) {
      this.#apply({ type: 'message_accepted', messageId })
      this.#goOn()
    } else if (has === false) this.#send(messageId)
    else this.#ask('undecided', messageId)
  }

  #goOn(): void {
    const isSaid = [...this.#state.messages.values()].some(({ own, sent }) => own && !sent)
    if (!isSaid) this.#apply({ type: 'user_message', messageId: ownMessageId(++this.#owns), content: 'go on' })
  }

  #ask(about: string, subject: string): void {
    this.#apply({ type: 'input_request', requestId: `${about}-${this.steps.length}`, about, subject })
  }

  #endTurn(reason: string): void {
    this.#apply({ type: 'turn_ended', reason })
  }

  /** The daemon waits: the person answers, or the agent works. */
  #others(): void {
    const [question] = [...this.#state.inputs.values()].filter(({ about }) => about !== undefined)
    const messageId = this.#waiting[0]
    if (question !== undefined) this.#answer(question)
    else if (this.#state.inTurn && (messageId === undefined || this.#choices.ends())) this.#endTurn('completed')
    else if (messageId === undefined) throw new Error('everybody waits')
    else {
      this.#waiting.shift()
      this.#apply({ type: 'message_accepted', messageId })
      if (!this.#state.inTurn) this.#apply({ type: 'turn_started' })
    }
  }

  #answer({ requestId, about, subject }: Loose): void {
    const content = about === 'budget' ? this.#choices.budget() : this.#choices.undecided()
    if (content === 'send') this.again.add(String(subject))
    this.#apply({ type: 'input_response', requestId, content, epoch: undefined })
  }
}
