/** An answer that somebody has appended, on its way to the agent that waits for it. */
import { setTimeout as delay } from 'node:timers/promises'
import type { Conversation } from '../agents/agent.js'
import { AgentzError, reason } from '../base/errors.js'
import type { Decided } from '../session/events.js'
import type { Loose } from '../session/life.js'

/** How long an answer waits for its question to be asked again: half a minute. */
const LOOK_AGAIN_MS = 100
const MOST_LOOKS = 300

export interface Receiver {
  readonly name: string
  /** The agent's process, whichever it is now. */
  running(): Conversation | undefined
  /** Whether it may come to wait for the answer, if it does not now. */
  mayWait(): boolean
}

interface Answer {
  readonly type: 'approval_response' | 'input_response'
  readonly requestId: string
  readonly decision: Decided
  readonly reason?: string
  readonly content?: string
}

/** @returns why it has not got there, as a sentence; undefined if it has */
export async function handOver(record: Loose, to: Receiver): Promise<string | undefined> {
  const answer = record as unknown as Answer
  for (let look = 0; ; look++) {
    try {
      await tell(to, answer)
      return undefined
    } catch (error) {
      const isEarly = error instanceof AgentzError && error.code === 'CONFLICT'
      if (!isEarly || look >= MOST_LOOKS || !to.mayWait()) {
        return `the answer to ${answer.requestId} did not reach the agent: ${reason(error)}`
      }
      await delay(LOOK_AGAIN_MS)
    }
  }
}

async function tell(to: Receiver, { type, requestId, decision, reason: why, content }: Answer): Promise<void> {
  const running = to.running()
  if (running === undefined) throw new AgentzError('CONFLICT', `${to.name} does not run`)
  if (type === 'approval_response') await running.decide({ requestId, decision, reason: why })
  else await running.answer(requestId, String(content))
}
