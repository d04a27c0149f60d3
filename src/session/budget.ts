/** What a session may use up before it asks whether to go on. */
import type { Budget } from './spec.js'
import type { SessionState } from './state.js'

export type Subject = keyof Budget

/** A budget that is used up. */
export interface Excess {
  readonly subject: Subject
  readonly question: string
}

const many = { turns: 'turns', cost: 'dollars', tokens: 'tokens', time: 'seconds of work' }
const one = { turns: 'turn', cost: 'dollar', tokens: 'token', time: 'second of work' }

/**
 * The first budget that is used up, what answers have added to it included. Turns count when the next one would begin: the last one
 * that is allowed runs to its end.
 * @param workingMs what the agent has worked since the last record of the log, in milliseconds
 */
export function excess(state: SessionState, workingMs: number): Excess | undefined {
  const { budget = {} } = state.spec
  const used = usedUp(state, workingMs)
  for (const subject of ['turns', 'cost', 'tokens', 'time'] as const) {
    const limit = budget[subject]
    if (limit === undefined || used[subject] < limit + state.granted[subject]) continue
    const limited = limit + state.granted[subject]
    const words = (limited === 1 ? one : many)[subject]
    const amount = subject === 'cost' ? used.cost.toFixed(4) : Math.floor(used[subject])
    const question = `The budget of ${limited} ${words} is used up (${amount}). Go on?`
    return { subject, question }
  }
  return undefined
}

/** @param workingMs as for excess() */
export function usedUp({ inTurn, turns, usage, activeMs }: SessionState, workingMs = 0): Required<Budget> {
  const { input, output, costUsd = 0 } = usage
  return {
    turns: inTurn ? turns - 1 : turns,
    cost: costUsd,
    tokens: input + output,
    time: (activeMs + workingMs) / 1000,
  }
}

/** Milliseconds of work until the budget of time is used up; undefined where there is none. */
export function timeLeft({ spec, granted, activeMs }: SessionState): number | undefined {
  const { time } = spec.budget ?? {}
  return time === undefined ? undefined : Math.max(0, (time + granted.time) * 1000 - activeMs)
}
