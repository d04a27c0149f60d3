/**
 * What is open in a conversation: the turn, the tools that have no result yet, the questions that nobody has answered.
 * Every agent can die or be interrupted with some of it open; then it is closed here, in one order, with one reason.
 */
import type { AgentEvent, EventOf, Unframed } from '../session/events.js'

type TurnEnd = Omit<Unframed<EventOf<'turn_ended'>>, 'type' | 'turn'>

/** @template Q what the runner needs to know to answer a question */
export class Book<Q> {
  #turn: number
  #inTurn = false
  readonly #tools = new Set<string>()
  readonly #questions = new Map<string, Q>()
  #waiters: (() => void)[] = []

  /** @param turns of the session so far */
  constructor(turns: number) {
    this.#turn = turns
  }

  get inTurn(): boolean {
    return this.#inTurn
  }

  /** @returns nothing if a turn runs already */
  startTurn(): AgentEvent[] {
    if (this.#inTurn) return []
    this.#inTurn = true
    return [{ type: 'turn_started', turn: ++this.#turn }]
  }

  /** Ends the turn and closes what it leaves open. @returns nothing if no turn runs and nothing is open */
  endTurn(end: TurnEnd): AgentEvent[] {
    const why = end.error ?? (end.reason === 'completed' ? 'the turn ended' : `the turn was ${end.reason}`)
    const events = this.close(why)
    if (this.#inTurn) events.push({ type: 'turn_ended', turn: this.#turn, ...end })
    this.#inTurn = false
    for (const resolve of this.#waiters.splice(0)) resolve()
    return events
  }

  /** Resolves when no turn runs. */
  turnEnd(): Promise<void> {
    if (!this.#inTurn) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push(resolve))
  }

  /** A tool was called. @returns whether it is a new one */
  toolUse(toolId: string): boolean {
    if (this.#tools.has(toolId)) return false
    this.#tools.add(toolId)
    return true
  }

  /** A tool has its result. @returns whether it was open */
  toolResult(toolId: string): boolean {
    return this.#tools.delete(toolId)
  }

  get hasOpenTools(): boolean {
    return this.#tools.size > 0
  }

  ask(requestId: string, question: Q): void {
    this.#questions.set(requestId, question)
  }

  /** Takes out the question that a decision answers. */
  take(requestId: string): Q | undefined {
    const question = this.#questions.get(requestId)
    this.#questions.delete(requestId)
    return question
  }

  /** Closes tools and questions; the turn stays. */
  close(why: string): AgentEvent[] {
    const events: AgentEvent[] = [...this.#questions.keys()].map((requestId) => ({
      type: 'approval_voided',
      requestId,
      why,
    }))
    for (const toolId of this.#tools) {
      events.push({ type: 'tool_result', toolId, content: `[no result: ${why}]`, isError: true })
    }
    this.#questions.clear()
    this.#tools.clear()
    return events
  }
}
