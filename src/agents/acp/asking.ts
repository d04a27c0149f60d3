/** The questions of an agent, on their way to a person and back. */
import { AgentzError } from '../../base/errors.js'
import type { AgentEvent } from '../../session/events.js'
import type { Decision } from '../agent.js'
import { short } from '../cut.js'
import type { Json } from '../json.js'
import { DECLINED, Form, formOf, WITHDRAWN } from './elicitation.js'
import type { AcpNormaliser, Answer, Question } from './normalise.js'
import { CANCELLED, Permission } from './permission.js'
import type { Profile } from './profile.js'

interface Options {
  readonly profile: Profile
  /** Of the agent in this session; ids of questions carry it. */
  readonly start: number
  readonly normaliser: AcpNormaliser
  emit(events: readonly AgentEvent[]): void
  unknown(value: unknown): void
}

export class Asking {
  readonly #options: Options
  readonly #normaliser: AcpNormaliser
  readonly #profile: Profile
  #count = 0
  /** Once the turn is cancelled nobody is asked any more. */
  #isInterrupted = false

  constructor(options: Options) {
    this.#options = options
    this.#normaliser = options.normaliser
    this.#profile = options.profile
  }

  /** A new turn begins. */
  reset(): void {
    this.#isInterrupted = false
  }

  permission(params: Json, withdrawn: AbortSignal): Promise<object> {
    const asks = new Permission(this.#profile, params.options)
    return this.#ask(CANCELLED, withdrawn, (answer, requestId) =>
      // The one of our own agent has to be the same when it is asked again.
      this.#normaliser.permission(params, asks, answer, this.#profile.own ? undefined : requestId),
    )
  }

  elicitation(params: Json, withdrawn: AbortSignal): Promise<object> {
    const form = formOf(params)
    if (form !== undefined) {
      return this.#ask(WITHDRAWN, withdrawn, (answer, requestId) =>
        this.#normaliser.elicitation(form, answer, requestId),
      )
    }
    this.#options.unknown(params)
    return Promise.resolve(DECLINED)
  }

  /** @throws CONFLICT if the agent does not wait for it */
  decide(decision: Decision): void {
    const { requestId } = decision
    const question = this.#normaliser.take(requestId)
    const response = question?.asks instanceof Permission ? question.asks.answer(decision) : undefined
    this.#respond(requestId, question, response)
    const toolId = question?.toolId
    if (decision.decision !== 'deny' || toolId === undefined) return
    this.#options.emit(this.#normaliser.tools.denied(toolId))
  }

  /** @throws as decide */
  answer(requestId: string, content: string): void {
    const question = this.#normaliser.take(requestId)
    this.#respond(requestId, question, question?.asks instanceof Form ? question.asks.answer(content) : undefined)
  }

  /** The turn is cancelled. The protocol leaves it to us to answer what was asked. */
  interrupt(): void {
    this.#isInterrupted = true
    for (const [requestId, { asks, answer }] of this.#normaliser.takeAll()) {
      answer(asks instanceof Form ? WITHDRAWN : CANCELLED)
      this.#options.emit([{ type: 'approval_voided', requestId, why: 'the turn was interrupted' }])
    }
  }

  #ask(
    none: object,
    withdrawn: AbortSignal,
    tell: (answer: Answer, requestId: string) => { requestId: string; events: AgentEvent[] },
  ): Promise<object> {
    if (this.#isInterrupted) return Promise.resolve(none)
    return new Promise((resolve) => {
      const { requestId, events } = tell(resolve, `s${this.#options.start}-${++this.#count}`)
      this.#options.emit(events)
      withdrawn.addEventListener('abort', () => {
        resolve(none)
        if (this.#normaliser.take(requestId) === undefined) return
        const why = `${this.#profile.name} withdrew the question`
        this.#options.emit([{ type: 'approval_voided', requestId, why }])
      })
    })
  }

  /** An answer that is none leaves the question open. */
  #respond(requestId: string, question: Question | undefined, response: object | undefined): void {
    if (question !== undefined && response !== undefined) {
      question.answer(response)
      return
    }
    if (question !== undefined) this.#normaliser.ask(requestId, question)
    throw new AgentzError('CONFLICT', `${this.#profile.name} does not wait for this answer to ${short(requestId)}`)
  }
}
