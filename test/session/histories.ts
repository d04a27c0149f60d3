/**
 * Histories of a session for property tests: what daemons, agents, reapers and people write, in an order that may happen, with
 * second ends, late words of daemons that were thought dead, clocks that jump; or in any order at all.
 */
import fc from 'fast-check'
import type { Loose } from '../../src/session/life.js'
import { at } from './fold.js'
import { handmade, record } from './records.js'

export const ends = ['session_completed', 'session_failed', 'session_cancelled', 'session_interrupted'] as const

const words = ['signal', 'exit-code', 'oom-kill', 'stopped', 'log-out', 'reboot', 'lost', 'budget', 'of the future']
const cause = fc.record(
  {
    result: fc.constantFrom(...words),
    status: fc.constantFrom<unknown>(9, 'KILL'),
    message: fc.constantFrom('a', 'b'),
  },
  { requiredKeys: ['result'] },
)
const requestId = fc.constantFrom('r1', 'r2')

/** Each step becomes a record, given the epoch of the newest daemon so far; `lag` makes it a word of one before. */
const step = fc.record({
  what: fc.constantFrom(
    ...['start', 'start', 'exit', 'exit', 'queue', 'freeze', 'thaw', 'turn', 'turn end', 'message', 'recovery'],
    ...['ask', 'answer', 'question', 'reply', 'void', 'again', ...ends],
  ),
  lag: fc.constantFrom(0, 0, 0, 0, 1, 2),
  cause,
  requestId,
  seconds: fc.oneof(fc.nat({ max: 1000 }), fc.integer({ min: -100_000, max: 100_000 })),
})

const ofDaemon = (type: string, epoch: number, fields: object = {}): Loose => ({ type, by: 'daemon', epoch, ...fields })

function recordOf(what: string, epoch: number, told: Loose, id: string): Loose {
  switch (what) {
    case 'start':
      return ofDaemon('daemon_started', epoch, { pid: 1000 + epoch, bootId: 'a boot', invocationId: `i${epoch}` })
    case 'exit': {
      const { result, status } = told
      return { type: 'daemon_exited', by: 'supervisor', epoch, invocationId: `i${epoch}`, result, status }
    }
    case 'queue':
      return { type: 'session_queued', by: 'supervisor', epoch }
    case 'freeze':
      return ofDaemon('session_frozen', epoch)
    case 'thaw':
      return ofDaemon('session_thawed', epoch)
    case 'turn':
      return ofDaemon('turn_started', epoch, { turn: 1 })
    case 'turn end':
      return ofDaemon('turn_ended', epoch, { turn: 1, reason: 'completed' })
    case 'message':
      return { type: 'user_message', by: 'user', messageId: id, content: 'x' }
    case 'recovery':
      return { type: 'session_recovery', by: 'supervisor', epoch, action: 'marked', why: 'x' }
    case 'ask':
      return ofDaemon('approval_request', epoch, { requestId: id, tool: 'Bash', input: {} })
    case 'answer':
      return { type: 'approval_response', by: 'user', requestId: id, decision: 'allow' }
    case 'question':
      return ofDaemon('input_request', epoch, { requestId: id, question: 'x' })
    case 'reply':
      return { type: 'input_response', by: 'user', requestId: id, content: 'x' }
    case 'void':
      return ofDaemon('approval_voided', epoch, { requestId: id, why: 'x' })
    default: {
      const error = what === 'session_failed' ? { error: 'x' } : {}
      const why = what === 'session_completed' ? { metadata: { turns: 1 } } : { cause: told }
      return ofDaemon(what, epoch, { ...error, ...why })
    }
  }
}

/** An order that may happen: each start has a higher epoch, and whoever writes knows one that was. */
export const likely: fc.Arbitrary<Loose[]> = fc.array(step, { maxLength: 20 }).map((steps) => {
  const records: Loose[] = []
  let epoch = 0
  for (const { what, lag, cause: told, requestId: id, seconds } of steps) {
    const last = records.at(-1)
    if (what === 'again') {
      if (last !== undefined) records.push(last)
      continue
    }
    if (what === 'start') epoch++
    const of = what === 'start' ? epoch : Math.max(0, epoch - lag)
    records.push({ timestamp: at(seconds), ...recordOf(what, of, told, id) })
  }
  return records
})

/** Whatever may stand in a file, in any order. */
export const any: fc.Arbitrary<Loose[]> = fc.array(fc.oneof(record, handmade, record), { maxLength: 20 })

export const histories: fc.Arbitrary<Loose[]> = fc.oneof(likely, likely, any)
