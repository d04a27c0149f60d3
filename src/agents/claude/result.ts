/** What a turn of claude came to: its `result` line, judged. */
import type { Cause, EventOf, Unframed } from '../../session/events.js'
import { blame } from '../blame.js'
import { cut } from '../cut.js'
import { count, type Json, number, object, string } from '../json.js'

export interface TurnResult {
  readonly reason: 'completed' | 'interrupted' | 'failed'
  readonly usage: Unframed<EventOf<'usage'>>
  /** Dollars since the process started. */
  readonly totalCost: number | undefined
  readonly error?: string
  readonly cause?: Cause
}

/** An error may be long (a whole HTTP answer); as a sentence it is not. */
const ERROR_BUDGET = 16 * 1024

/**
 * `is_error` is the judge: the subtype of an HTTP 400 is "success". Claude's costs add up over the process, its tokens
 * do not.
 * @param costBefore the total cost that the turn before ended with
 * @param kind what claude called its last error in this turn
 */
export function turnResult(line: Json, costBefore: number, kind?: unknown): TurnResult {
  const usage = object(line.usage)
  const totalCost = number(line.total_cost_usd)
  const cost = totalCost === undefined ? {} : { costUsd: Math.max(0, totalCost - costBefore) }
  const common = {
    totalCost,
    usage: {
      type: 'usage' as const,
      scope: 'turn' as const,
      ...tokens(usage),
      output: count(usage.output_tokens),
      ...cost,
    },
  }
  if (line.is_error !== true) return { reason: 'completed', ...common }
  if (/^aborted/.test(string(line.terminal_reason) ?? '')) {
    const error = 'the turn was interrupted'
    return { reason: 'interrupted', ...common, error, cause: { result: 'agent', message: error } }
  }
  const error = cut(errorText(line), ERROR_BUDGET).content
  return {
    reason: 'failed',
    ...common,
    error,
    cause: blame({ message: error, status: line.api_error_status, kinds: [kind] }),
  }
}

/** Tokens in: what was read from its cache counts as one of them. */
export function tokens(usage: Json): { input: number; cached: number } {
  const cached = count(usage.cache_read_input_tokens)
  return { input: count(usage.input_tokens) + count(usage.cache_creation_input_tokens) + cached, cached }
}

function errorText(line: Json): string {
  const errors = Array.isArray(line.errors) ? line.errors.filter((error) => typeof error === 'string') : []
  return string(line.result) || errors.join('\n') || string(line.subtype) || 'claude gave no reason'
}
