import fc from 'fast-check'
import t from 'tap'
import { newMessage } from '../../src/session/message.js'
import type { SessionState } from '../../src/session/state.js'
import { statuses } from '../../src/session/status.js'
import { hasBroken, hasUnsent, isAbandoned, leftToDo, wasCut } from '../../src/session/unfinished.js'

const step = fc.constantFrom<[boolean, boolean, boolean]>(
  [false, false, false],
  [true, false, false],
  [true, true, false],
  [true, true, true],
)
const message = step.map(([sent, accepted, answered]) => ({ sent, accepted, answered }))
const state = fc.record({
  status: fc.constantFrom(...statuses),
  cause: fc.option(
    fc.record({
      result: fc.constantFrom('log-out', 'reboot', 'lost', 'stopped', 'signal'),
      message: fc.constantFrom(undefined, 'why'),
    }),
    { nil: undefined },
  ),
  inTurn: fc.boolean(),
  lastTurn: fc.option(fc.record({ reason: fc.constantFrom('completed', 'interrupted') }), { nil: undefined }),
  messages: fc
    .array(message, { maxLength: 4 })
    .map((list) => new Map(list.map((how, at) => [String(at), newMessage(String(at), 'text', how)]))),
}) as fc.Arbitrary<unknown> as fc.Arbitrary<SessionState>

t.test('a message that no turn has answered is never forgotten', async () => {
  fc.assert(
    fc.property(state, fc.nat({ max: 2 }), (left, asked) => {
      const open = [...left.messages.values()].some(({ answered }) => !answered)
      return !(open || asked > 0 || left.inTurn) || leftToDo(left, asked) !== undefined
    }),
  )
})

t.test('where all was answered, only a turn that was cut is left to do', async () => {
  fc.assert(
    fc.property(state, (left) => {
      const done = [...left.messages.values()].every(({ answered }) => answered) && !left.inTurn
      return !done || (leftToDo(left, 0) !== undefined) === wasCut(left)
    }),
  )
})

t.test('a message is unsent, under way or broken, and not two of it', async (t) => {
  const one = (how: object) => new Map([['m', newMessage('m', 'text', how)]])
  const sent = { sent: true }
  t.same([hasUnsent(one({})), hasBroken(one({}))], [true, false])
  t.same([hasUnsent(one(sent)), hasBroken(one(sent))], [false, false])
  t.same([hasUnsent(one({ ...sent, accepted: true })), hasBroken(one({ ...sent, accepted: true }))], [false, true])
  const over = one({ ...sent, accepted: true, answered: true })
  t.same([hasUnsent(over), hasBroken(over)], [false, false])
})

t.test('what a person, an agent or its budget has ended is not abandoned', async (t) => {
  const is = (status: SessionState['status'], result?: string) =>
    isAbandoned({ status, ...(result === undefined ? {} : { cause: { result, message: 'why' } }) })
  for (const result of ['log-out', 'reboot', 'lost']) t.ok(is('interrupted', result), result)
  for (const result of ['stopped', 'signal', 'budget']) t.notOk(is('interrupted', result), result)
  for (const status of ['completed', 'failed', 'cancelled'] as const) t.notOk(is(status, 'lost'), status)
  for (const status of ['pending', 'running', 'waiting_approval', 'waiting_input', 'idle'] as const) t.ok(is(status))
})
