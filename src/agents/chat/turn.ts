/** A turn: the model is asked, what it wants is done, and it is asked again, until it has nothing more to do. */
import type { StopReason } from '@agentclientprotocol/sdk'
import { Calls } from './calls.js'
import type { Client } from './client.js'
import { modelFailure } from './failure.js'
import { instructions } from './instructions.js'
import { modelMessages } from './messages.js'
import { isOffered } from './modes.js'
import type { Session } from './session.js'
import { type Answer, ask, type Usage } from './step.js'

/** A model that calls tools for ever is stopped here; what works takes a tenth of it. */
const MOST_STEPS = 500
const OVERTAKEN = 'Nobody has decided about this: the next message came first.'

export interface Prompt {
  readonly messageId: string | undefined
  readonly text: string
  /** It only says to go on: where something is left to do, the words themselves say nothing. */
  readonly nudge: boolean
}

export class Turn {
  /** Of the turn so far. */
  readonly usage: Usage = { input: 0, output: 0, cached: 0 }
  readonly #session: Session
  readonly #client: Client
  readonly #signal: AbortSignal
  readonly #calls: Calls

  constructor(session: Session, client: Client, stop: AbortController) {
    this.#session = session
    this.#client = client
    this.#signal = stop.signal
    this.#calls = new Calls(session, client, stop)
  }

  /** @throws RequestError of the model; LOG_WRITE, LOG_TOO_LONG */
  async run(prompt: Prompt): Promise<StopReason> {
    await this.#take(prompt)
    for (let step = 0; step < MOST_STEPS; step++) {
      await this.#calls.settle()
      if (this.#signal.aborted) return this.#cancelled()
      const { calls, finish } = await this.#ask()
      if (this.#signal.aborted) return this.#cancelled()
      if (calls.length === 0) return stopReasons[finish] ?? 'end_turn'
    }
    await this.#calls.giveUp()
    return 'max_turn_requests'
  }

  async #take({ messageId, text, nudge }: Prompt): Promise<void> {
    const { history } = this.#session
    const isKnown = messageId !== undefined && history.messageIds.includes(messageId)
    const id = messageId === undefined ? {} : { messageId }
    if (!nudge && !isKnown) await this.#calls.giveUp(OVERTAKEN)
    const last = history.records.at(-1)
    const isLeft = history.open.length > 0 || last?.type === 'message' || last?.type === 'result'
    if (nudge && isLeft) history.add({ type: 'message', ...id })
    else if (!isKnown) history.add({ type: 'message', ...id, text })
    // The message is on the disk: whoever sent it may know that, however long the model thinks.
    await this.#client.heard(text)
  }

  /** Calls the model once. What it has said is kept, also if it breaks off: a person has read it. */
  async #ask(): Promise<Answer> {
    const { history, model, mode, place, tools } = this.#session
    const answer = await ask({
      model,
      system: instructions(place.cwd, mode, new Date()),
      messages: modelMessages(history.records),
      tools: tools.filter((tool) => isOffered(mode, tool)),
      signal: this.#signal,
      onText: (delta) => this.#client.said(delta),
      onThought: (delta) => this.#client.thought(delta),
    })
    for (const kind of ['input', 'output', 'cached'] as const) this.usage[kind] += answer.usage[kind]
    const isWhole = answer.error === undefined && !this.#signal.aborted
    const { text } = answer
    const calls = isWhole ? answer.calls : []
    if (text !== '' || calls.length > 0) history.add({ type: 'answer', text, calls })
    if (!isWhole && !this.#signal.aborted) throw modelFailure(answer.error)
    return answer
  }

  async #cancelled(): Promise<StopReason> {
    await this.#calls.giveUp()
    return 'cancelled'
  }
}

const stopReasons: Readonly<Record<string, StopReason>> = { length: 'max_tokens', 'content-filter': 'refusal' }
