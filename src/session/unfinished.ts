/** What a conversation still has to do when nothing runs it any more. Pure. */
import { isOver, type Life } from './life.js'
import type { Message } from './message.js'
import type { SessionState } from './state.js'

/** The machine or the manager went away; nobody has decided that the session should end. */
const away: ReadonlySet<string | undefined> = new Set(['log-out', 'reboot', 'lost'])

/** It was ended by its surroundings: no daemon, agent or person has written an end of it that means something. */
export const isAbandoned = (life: Pick<Life, 'status' | 'cause'>): boolean =>
  !isOver(life) || (life.status === 'interrupted' && away.has(life.cause?.result))

/** A message was taken and no turn has ended since. */
export const hasBroken = (messages: ReadonlyMap<string, Message>): boolean =>
  [...messages.values()].some(({ accepted, answered }) => accepted && !answered)

export const hasUnsent = (messages: ReadonlyMap<string, Message>): boolean =>
  [...messages.values()].some(({ sent }) => !sent)

/** Its turn was ended by the stop of its daemon, which ends the agent in order, and nobody has said anything since. */
export const wasCut = (state: SessionState): boolean =>
  isAbandoned(state) && state.lastTurn?.reason === 'interrupted' && !hasUnsent(state.messages)

/** In words, what is left; undefined if nothing is. @param asked questions that were open at last */
export function leftToDo(state: SessionState, asked: number): string | undefined {
  const { messages, inTurn } = state
  if (asked > 0) return 'it waited for an answer'
  if (inTurn || hasBroken(messages) || wasCut(state)) return 'it was in the middle of a turn'
  if ([...messages.values()].some(({ sent, accepted }) => sent && !accepted))
    return 'a message was under way to its agent'
  if (hasUnsent(messages)) return 'a message of it was not sent yet'
  return undefined
}
