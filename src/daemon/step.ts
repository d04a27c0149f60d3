/** What a conversation needs next: a pure function of what its file says and of how its agent is. */
import { type Excess, excess } from '../session/budget.js'
import type { Message } from '../session/message.js'
import type { SessionState } from '../session/state.js'

/** What the file does not tell. */
export interface Facts {
  readonly agent: 'none' | 'starting' | 'ready'
  /** Whether it takes messages during a turn. */
  readonly steers: boolean
  /** Something that was begun (an interrupt, a question to the history) has to end first. */
  readonly busy: boolean
  /** Messages on their way to this process of the agent. */
  readonly sending: ReadonlySet<string>
  /** What the agent has worked since the last record, in milliseconds. */
  readonly workingMs: number
}

export type Step =
  | { readonly do: 'wait' | 'start' | 'interrupt' | 'end' | 'give-up' }
  | { readonly do: 'pause'; readonly excess: Excess }
  /** An earlier process may have had it. */
  | { readonly do: 'check'; readonly message: Message }
  | { readonly do: 'send'; readonly message: Message; readonly delivery: 'new' | 'queued' | 'steered' }

const wait: Step = { do: 'wait' }

export function nextStep(state: SessionState, facts: Facts): Step {
  if (facts.busy) return wait
  if (state.stopAt !== undefined) return { do: 'give-up' }
  // Our own question comes before everything else.
  if ([...state.inputs.values()].some(({ about }) => about !== undefined)) return wait
  const messages = [...state.messages.values()]
  const unsent = messages.filter((message) => !message.sent)
  const [next] = unsent
  if (state.inTurn) {
    const used = excess(state, facts.workingMs)
    if (used !== undefined) return { do: 'pause', excess: used }
    if (facts.agent !== 'ready') return wait
    if (unsent.some(({ interrupt }) => interrupt)) return { do: 'interrupt' }
    return next !== undefined && facts.steers ? { do: 'send', message: next, delivery: 'steered' } : wait
  }
  const unsure = messages.find(({ messageId, sent, accepted }) => sent && !accepted && !facts.sending.has(messageId))
  if (unsure !== undefined) return withAgent(facts, { do: 'check', message: unsure })
  // It has messages that it will begin a turn with, by itself.
  if (facts.sending.size > 0 && !facts.steers) return wait
  if (next !== undefined) {
    const used = excess(state, facts.workingMs)
    if (used !== undefined) return { do: 'pause', excess: used }
    return withAgent(facts, { do: 'send', message: next, delivery: next.waited ? 'queued' : 'new' })
  }
  return facts.sending.size > 0 || facts.agent === 'starting' ? wait : { do: 'end' }
}

function withAgent({ agent }: Facts, step: Step): Step {
  if (agent === 'ready') return step
  return agent === 'none' ? { do: 'start' } : wait
}
