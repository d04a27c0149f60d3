/** Records of a session in any order, as fast-check makes them: true ones, and ones that somebody has written by hand. */
import fc from 'fast-check'
import { SessionEvent } from '../../src/session/events.js'
import type { Loose } from '../../src/session/life.js'
import { statuses } from '../../src/session/status.js'
import { foreign, foreignFields } from '../helpers/foreign.js'
import { at } from './fold.js'

const requestId = fc.constantFrom('r1', 'r2', 'r3')
const messageId = fc.constantFrom('prompt', 'm1', 'm2', 'continue-1001')
const timestamp = fc.nat({ max: 1000 }).map(at)
const one = (type: string, fields: Record<string, fc.Arbitrary<unknown>> = {}) =>
  fc.record({ type: fc.constant(type), timestamp, ...fields })
const cause = fc.record({ result: fc.constantFrom('signal', 'exit-code', 'stopped') })
const subject = fc.constantFrom('turns', 'cost', 'tokens', 'time', 'prompt', 'm1')
const amount = fc.option(fc.nat({ max: 5000 }), { nil: undefined })
const dollars = fc.option(fc.double({ min: 0, max: 3, noNaN: true }), { nil: undefined })

/** What a daemon, its agent, a reaper and people write. */
export const record: fc.Arbitrary<Loose> = fc.oneof(
  one('daemon_started', { epoch: fc.integer({ min: 1, max: 4 }), pid: fc.nat(), unit: fc.constant('u') }),
  one('daemon_exited', { epoch: fc.integer({ min: 1, max: 4 }), result: fc.constantFrom('success', 'signal') }),
  one('turn_started', { turn: fc.nat() }),
  one('turn_ended', { reason: fc.constantFrom('completed', 'interrupted', 'failed') }),
  one('text', { content: fc.string() }),
  one('status_change', { status: fc.constantFrom(...statuses) }),
  one('usage', {
    scope: fc.constantFrom('step', 'turn'),
    ...{ input: amount, output: amount, cached: amount, costUsd: dollars },
  }),
  one('stalled', { seconds: fc.nat() }),
  one('stall_ended'),
  one('approval_request', { requestId }),
  one('approval_response', { requestId, decision: fc.constantFrom('allow', 'allow_always', 'deny') }),
  one('approval_voided', { requestId, why: fc.string() }),
  one('input_request', { requestId }),
  one('input_request', { requestId, about: fc.constantFrom('budget', 'undecided'), subject }),
  one('input_response', { requestId, content: fc.constantFrom('continue', 'stop', 'send', 'skip', '7', 'no') }),
  one('user_message', { messageId, content: fc.string(), interrupt: fc.option(fc.boolean(), { nil: undefined }) }),
  one('message_sent', { messageId }),
  one('message_accepted', { messageId }),
  one('cancel_requested'),
  one('agent_session', { nativeId: fc.string(), anew: fc.option(fc.constant(true), { nil: undefined }) }),
  one('session_completed', { metadata: fc.constant({ turns: 1 }) }),
  one('session_failed', { cause, error: fc.string() }),
  one('session_cancelled', { cause }),
  one('session_interrupted', { cause }),
)

const types = SessionEvent.def.options.map((option) => String(option.def.shape.type.def.values[0]))
const hostile = fc.oneof(fc.constantFrom('r1', 'prompt'), foreign)
const fields =
  'epoch timestamp by requestId messageId content decision why about subject options cause status scope input costUsd ' +
  'seconds nativeId metadata usage error result interrupt'

/** A type that is known, with whatever in its fields: a person may append a line with `>>`. */
export const handmade: fc.Arbitrary<Loose> = fc
  .tuple(
    fc.constantFrom(...types),
    fc.dictionary(fc.constantFrom(...fields.split(' ')), hostile, { noNullPrototype: true }),
  )
  .map(([type, given]) => ({ ...given, type }))

/** Events of each kind, with whatever in any of their own fields. */
export const strange: fc.Arbitrary<Loose> = fc
  .constantFrom(...SessionEvent.def.options)
  .chain(({ def: { shape } }) =>
    foreignFields(Object.keys(shape)).map((given) => ({ ...given, type: String(shape.type.def.values[0]) })),
  )
