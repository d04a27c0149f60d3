/** What a turn came to: the answer to its prompt, judged, and what it has used. */
import type { AgentEvent, Cause } from '../../session/events.js'
import { count, type Json, number, object, string, text } from '../json.js'
import { promptCause, sentence } from './failure.js'

export interface TurnEnd {
  readonly reason: 'completed' | 'interrupted' | 'failed'
  readonly error?: string
  readonly cause?: Cause
}

/** An answer that breaks off is no completed one, whoever broke it off. */
const failures: ReadonlyMap<string, string> = new Map([
  ['max_tokens', 'the answer reached the limit of its tokens'],
  ['max_turn_requests', 'the turn reached the limit of its calls of the model'],
  ['refusal', 'the agent refuses to go on'],
])

export function turnEnd({ stopReason }: Json): TurnEnd {
  if (stopReason === 'cancelled') return { reason: 'interrupted', ...why('the turn was interrupted') }
  const failure = failures.get(text(stopReason))
  return failure === undefined ? { reason: 'completed' } : { reason: 'failed', ...why(failure) }
}

export function turnFailure(error: unknown): TurnEnd {
  return { reason: 'failed', error: sentence(error), cause: promptCause(error) }
}

const why = (error: string): { error: string; cause: Cause } => ({ error, cause: { result: 'agent', message: error } })

/** Money of the session so far, as `usage_update` tells it: what a turn cost is the difference. */
export class Costs {
  #total: number | undefined
  #before: number | undefined

  /** @param isNew whether the session begins here: else the first total that is heard holds the turns of before, and costs nothing */
  constructor(isNew: boolean) {
    this.#before = isNew ? 0 : undefined
  }

  hear(update: Json): void {
    const { amount, currency } = object(update.cost)
    if (string(currency) !== 'USD') return
    this.#total = number(amount) ?? this.#total
    this.#before ??= this.#total
  }

  /** The usage of the turn that ends, if the agent tells. */
  ofTurn(answer: Json): AgentEvent[] {
    const tokens = tokensOf(answer)
    const cost = this.#total === undefined ? undefined : Math.max(0, this.#total - (this.#before ?? 0))
    this.#before = this.#total ?? this.#before
    if (tokens === undefined && !cost) return []
    return [{ type: 'usage', scope: 'turn', ...tokens, ...(cost === undefined ? {} : { costUsd: cost }) }]
  }
}

/** The protocol's own place, our own agent's, and the one that Gemini has made up. */
function tokensOf({ usage, _meta: meta }: Json): { input: number; output: number; cached: number } | undefined {
  const said = object(usage)
  const ours = object(object(meta)['agentz/usage'])
  const quota = object(object(object(meta).quota).token_count)
  const cached = count(said.cachedReadTokens) + count(ours.cached)
  const written = count(said.cachedWriteTokens)
  // Their input is what is neither read from a cache nor written to it.
  const input = count(said.inputTokens) + count(said.cachedReadTokens) + written + count(ours.input)
  const output = count(said.outputTokens) + count(ours.output)
  if (input + output > 0) return { input, output, cached }
  const [sent, received] = [count(quota.input_tokens), count(quota.output_tokens)]
  return sent + received > 0 ? { input: sent, output: received, cached: 0 } : undefined
}
