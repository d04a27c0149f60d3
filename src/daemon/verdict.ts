/** How a conversation came to its end, for now: a further message goes on with it. Pure. */
import { knownCause } from '../session/cause.js'
import type { Cause } from '../session/events.js'
import type { SessionState } from '../session/state.js'

export type Verdict =
  | { readonly kind: 'completed' | 'stopped' }
  | { readonly kind: 'failed'; readonly error: string; readonly cause: Cause }
  | { readonly kind: 'cancelled' | 'interrupted'; readonly cause: Cause }

/** Nothing is left to be said: it has ended as its last turn has. */
export function saidOut({ lastTurn }: Pick<SessionState, 'lastTurn'>): Verdict {
  if (lastTurn === undefined || lastTurn.reason === 'completed') return { kind: 'completed' }
  const { reason, error = 'the last turn did not come to its end' } = lastTurn
  const cause = knownCause(lastTurn.cause ?? { result: 'agent', message: error })
  return reason === 'failed'
    ? { kind: 'failed', error, cause }
    : { kind: 'interrupted', cause: { ...cause, message: error } }
}

/** Somebody has answered `stop` to a budget that was used up. */
export const givenUp = ({ stopAt }: Pick<SessionState, 'stopAt'>): Verdict => ({
  kind: 'cancelled',
  cause: { result: 'budget', message: `stopped at the budget of ${stopAt}` },
})
