import fc from 'fast-check'
import t from 'tap'
import { newMessage } from '../../src/session/message.js'
import type { SessionState } from '../../src/session/state.js'
import { terminalStatuses } from '../../src/session/status.js'
import { planFor } from '../../src/supervisor/plan.js'
import type { Moment } from '../../src/supervisor/truth.js'

type Left = Parameters<typeof planFor>[0]
const time = Date.parse('2026-01-02T00:00:00.000Z')
const now: Moment = { boot: 'b1', time, lives: () => false }

/** A conversation in the middle of its first turn, whose daemon has started in this boot. */
function left(fields: Omit<Partial<Left>, 'state'> & { state?: object; spec?: object } = {}): Left {
  const { state, spec, ...rest } = fields
  const message = newMessage('prompt', 'text', { sent: true, accepted: true })
  return {
    state: {
      spec: { sessionId: '0123456789ab', agentType: 'claude', ...spec },
      status: 'running',
      epoch: 1,
      bootId: 'b1',
      createdAt: '2026-01-01T00:00:00.000Z',
      cancelRequested: false,
      inTurn: true,
      messages: new Map([['prompt', message]]),
      ...state,
    } as unknown as SessionState,
    asked: 0,
    bootId: 'b1',
    exit: undefined,
    decided: undefined,
    wasSaid: false,
    ...rest,
  }
}

const over = {
  inTurn: false,
  messages: new Map([['prompt', newMessage('prompt', '', { sent: true, accepted: true, answered: true })]]),
}

t.test('what is resumed and what is marked', async (t) => {
  const cases: [string, Left, string, RegExp][] = [
    ['in a turn', left(), 'resume', /in the middle of a turn/],
    ['waits for an answer', left({ state: over, asked: 1 }), 'resume', /waited for an answer/],
    [
      'a message unsent',
      left({ state: { ...over, messages: new Map([['m', newMessage('m', '')]]) } }),
      'resume',
      /not sent/,
    ],
    ['nothing left', left({ state: over }), 'mark', /last turn had ended/],
    ['its policy', left({ spec: { restart: 'mark' } }), 'mark', /--restart mark/],
    ['its policy, though it waits', left({ spec: { restart: 'mark' }, asked: 1 }), 'mark', /--restart mark/],
    ['a program', left({ spec: { agentType: 'command' } }), 'mark', /only with --restart rerun/],
    ['a program to rerun', left({ spec: { agentType: 'command', restart: 'rerun' } }), 'resume', /rerun/],
    ['a program that never ran', left({ spec: { agentType: 'command' }, state: { epoch: 0 } }), 'resume', /never run/],
    ['cancelled', left({ state: { cancelRequested: true } }), 'cancel', /cancelled/],
  ]
  for (const [what, each, action, why] of cases) t.match(planFor(each, now), { action, why }, what)
})

t.test('the cause that nobody has written down', async (t) => {
  const cause = (each: Left) => planFor(each, now)?.cause?.result
  const exit = (manager: string) => ({ type: 'daemon_exited', result: 'signal', manager })
  const ended = { status: 'interrupted', cause: { result: 'signal' } }
  t.equal(cause(left()), 'lost')
  t.equal(cause(left({ state: { bootId: 'b0' } })), 'reboot')
  t.equal(cause(left({ state: ended, exit: exit('stopping') })), 'log-out')
  t.equal(cause(left({ state: ended, exit: exit('running') })), 'lost')
  t.equal(cause(left({ state: ended, exit: exit('running'), bootId: 'b0' })), 'reboot')
  const told = { status: 'interrupted', cause: { result: 'log-out', message: 'it was told' } }
  t.equal(cause(left({ state: told })), undefined, 'it has its end already')
})

t.test('who waits in the queue or is being created is let alone', async (t) => {
  t.equal(planFor(left({ state: { status: 'pending', epoch: 0, queuedAt: 'x' } }), now), undefined)
  const born = { status: 'pending', epoch: 0, bootId: undefined, createdAt: new Date(time - 5_000).toISOString() }
  t.equal(planFor(left({ state: born }), now), undefined)
  t.match(planFor(left({ state: { ...born, createdAt: new Date(time - 11_000).toISOString() } }), now), {
    action: 'resume',
  })
  // A clock that was set back since: nobody is about to be born in what is the future now.
  t.match(planFor(left({ state: { ...born, createdAt: new Date(time + 3_600_000).toISOString() } }), now), {
    action: 'resume',
  })
})

t.test('what was marked, or has ended otherwise, is none of its business, whatever else is true of it', async () => {
  const end = fc.constantFrom(...terminalStatuses.filter((status) => status !== 'interrupted'))
  fc.assert(
    fc.property(end, fc.boolean(), fc.nat({ max: 2 }), (status, inTurn, asked) => {
      const ended = { status, inTurn, cause: { result: 'lost', message: 'x' } }
      return planFor(left({ state: ended, asked }), now) === undefined
    }),
  )
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.nat({ max: 2 }),
      fc.constantFrom('mark', 'rerun', 'resume'),
      (inTurn, asked, restart) => {
        return planFor(left({ state: { inTurn }, spec: { restart }, asked, decided: 'marked' }), now) === undefined
      },
    ),
  )
})

t.test('what was said to a session after its end is said, however it has ended', async (t) => {
  for (const status of terminalStatuses) {
    const ended = { ...over, status, cause: { result: 'stopped', message: 'x' } }
    const said = (state: object = {}, more: object = {}) =>
      planFor(left({ state: { ...ended, ...state }, wasSaid: true, ...more }), now)
    t.match(said(), { action: 'resume', why: /after it had ended/, cause: undefined }, status)
    t.match(
      said({}, { spec: { restart: 'mark' }, decided: 'marked' }),
      { action: 'resume' },
      'somebody wants it to go on',
    )
    t.equal(said({ cancelRequested: true }), undefined, 'or does not any more')
  }
})

t.test('--restart mark is never resumed', async () => {
  const status = fc.constantFrom('running', 'waiting_approval', 'waiting_input', 'idle', 'interrupted')
  fc.assert(
    fc.property(status, fc.boolean(), fc.nat({ max: 3 }), fc.boolean(), (status, inTurn, asked, cancelRequested) => {
      const spec = { restart: 'mark' }
      const plan = planFor(left({ state: { status, inTurn, cancelRequested }, spec, asked }), now)
      return plan?.action !== 'resume'
    }),
  )
})
