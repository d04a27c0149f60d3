/** What a dead daemon has left open, closed by the next one before anything new is said. */
import type { ConversingAgent } from '../agents/agent.js'
import type { AgentEvent } from '../session/events.js'
import type { Loose } from '../session/life.js'
import type { SessionState } from '../session/state.js'
import type { Tally } from '../session/tally.js'
import { hasBroken, wasCut } from '../session/unfinished.js'
import { goOn, willGoOn } from './dialogue.js'

const WHY = 'the daemon that ran it is gone'

/** @param epoch of the new daemon; undefined if the conversation is not gone on with */
export function recovery(
  agent: ConversingAgent,
  state: SessionState,
  tally: Tally,
  epoch: number | undefined,
): AgentEvent[] {
  const { inTurn, turns, approvals, inputs, messages } = state
  if (state.epoch === 0) return []
  const kept = agent.keepsQuestions && epoch !== undefined ? approvals : new Map<string, Loose>()
  const toolsKept = new Set([...kept.values()].map(({ toolId }) => toolId))
  // What the daemon itself has asked can still be answered.
  const lost = [...approvals, ...inputs].filter(([id, { about }]) => !kept.has(id) && about === undefined)
  const isSaid = willGoOn(messages)
  return [
    ...lost.map(
      ([requestId]): AgentEvent => ({
        type: 'approval_voided',
        requestId,
        why: epoch === undefined ? WHY : `${WHY}; it is asked again`,
      }),
    ),
    ...tally.close(WHY).filter((event) => event.type !== 'tool_result' || !toolsKept.has(event.toolId)),
    ...(inTurn ? [{ type: 'turn_ended', turn: turns, reason: 'interrupted', error: WHY } as const] : []),
    ...(epoch !== undefined && (inTurn || hasBroken(messages) || wasCut(state)) && !isSaid ? [goOn(epoch * 1000)] : []),
  ]
}
