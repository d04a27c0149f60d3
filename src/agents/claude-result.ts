/** What a turn of claude came to: its `result` line, judged. */
import type { Cause, EventOf, Metadata, Unframed } from '../session/events.js'
import { cut, short } from './cut.js'
import { count, type Json, number, object, string } from './json.js'

export interface TurnResult {
  readonly reason: 'completed' | 'interrupted' | 'failed'
  readonly usage: Unframed<EventOf<'usage'>>
  /** Dollars since the process started. */
  readonly totalCost: number | undefined
  readonly error?: string
  readonly cause?: Cause
}

/** How claude says that nobody is logged in, or that the key is wrong. */
const LOGIN = /not logged in|please run \/login|invalid api key|authentication_(error|failed)|oauth token|\b401\b/i

/** An error may be long (a whole HTTP answer); as a sentence it is not. */
const ERROR_BUDGET = 16 * 1024

/**
 * `is_error` is the judge: the subtype of an HTTP 400 is "success". Claude's costs add up over the process, its tokens
 * do not.
 * @param costBefore the total cost that the turn before ended with
 */
export function turnResult(line: Json, costBefore: number): TurnResult {
  const usage = object(line.usage)
  const cached = count(usage.cache_read_input_tokens)
  const totalCost = number(line.total_cost_usd)
  const cost = totalCost === undefined ? {} : { costUsd: Math.max(0, totalCost - costBefore) }
  const common = {
    totalCost,
    usage: {
      type: 'usage' as const,
      scope: 'turn' as const,
      input: count(usage.input_tokens) + count(usage.cache_creation_input_tokens) + cached,
      output: count(usage.output_tokens),
      cached,
      ...cost,
    },
  }
  if (line.is_error !== true) return { reason: 'completed', ...common }
  if (/^aborted/.test(string(line.terminal_reason) ?? '')) {
    const error = 'the turn was interrupted'
    return { reason: 'interrupted', ...common, error, cause: { result: 'agent', message: error } }
  }
  const error = cut(errorText(line), ERROR_BUDGET).content
  return { reason: 'failed', ...common, error, cause: errorCause(error, line.api_error_status) }
}

/** @param status the HTTP status of the model's answer, where there was one */
export function errorCause(message: string, status: unknown): Cause {
  const login = status === 401 || LOGIN.test(message)
  const http = Number.isSafeInteger(status) ? { status: status as number } : {}
  return { result: login ? 'login' : 'agent', message: short(message), ...http }
}

function errorText(line: Json): string {
  const errors = Array.isArray(line.errors) ? line.errors.filter((error) => typeof error === 'string') : []
  return string(line.result) || errors.join('\n') || string(line.subtype) || 'claude gave no reason'
}

/** Counts over all turns of a process. */
export class Tally {
  readonly #byTool = new Map<string, number>()
  readonly #files = new Set<string>()
  readonly #usage = { input: 0, output: 0, cached: 0 }
  #calls = 0
  #turns = 0
  cost = 0

  tool(name: string): void {
    this.#calls++
    this.#byTool.set(name, (this.#byTool.get(name) ?? 0) + 1)
  }

  edited(file: string): void {
    this.#files.add(file)
  }

  turn(result: TurnResult): void {
    this.#turns++
    this.#usage.input += result.usage.input ?? 0
    this.#usage.output += result.usage.output ?? 0
    this.#usage.cached += result.usage.cached ?? 0
    this.cost = result.totalCost ?? this.cost
  }

  metadata(): Metadata {
    return {
      turns: this.#turns,
      usage: { ...this.#usage },
      costUsd: this.cost,
      toolStats: { totalCalls: this.#calls, byTool: Object.fromEntries(this.#byTool) },
      editedFiles: [...this.#files],
    }
  }
}
