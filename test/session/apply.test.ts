/** What each event of a conversation does to the state of its session. */
import fc from 'fast-check'
import t from 'tap'
import { isOver } from '../../src/session/life.js'
import { PROMPT } from '../../src/session/message.js'
import {
  accepted,
  approve,
  ask,
  at,
  budgetQuestion,
  foldOf,
  message,
  reply,
  sent,
  standing,
  started,
  turn,
  turnEnd,
} from './fold.js'
import { handmade, record } from './records.js'

t.test('a message from line 1 to its answer', async (t) => {
  t.same([...foldOf([]).messages.keys()], [PROMPT], 'the prompt is the first message')
  t.equal(foldOf([], { agentType: 'command' }).messages.size, 0, 'a program is not talked with')
  const steps: [object, string][] = [
    [started(), ''],
    [sent(PROMPT), 'sent'],
    [accepted(PROMPT), 'sent accepted'],
    [turn(1), 'sent accepted'],
    [turnEnd(1), 'sent accepted answered'],
  ]
  steps.forEach(([, expected], index) => {
    const events = steps.slice(0, index + 1).map(([event]) => event)
    t.equal(standing(foldOf(events), PROMPT), expected, JSON.stringify(events.at(-1)))
  })
  t.equal(standing(foldOf([accepted(PROMPT)]), PROMPT), 'sent accepted', 'what was accepted was sent')
})

t.test('messages keep their order; one id is one message; own ones are told by their id', async (t) => {
  const state = foldOf([
    started(),
    message('m2'),
    message('m1', { interrupt: true }),
    { ...message('m2'), content: 'something else' },
    turn(1),
    message('m3'),
    message('continue-1001', { by: 'daemon' }),
  ])
  t.same([...state.messages.keys()], [PROMPT, 'm2', 'm1', 'm3', 'continue-1001'])
  t.match(state.messages.get('m2'), { content: 'say m2', interrupt: false, waited: false, own: false })
  t.match(state.messages.get('m1'), { interrupt: true })
  t.match(state.messages.get('m3'), { waited: true })
  t.match(state.messages.get('continue-1001'), { own: true })
  t.same(standing(foldOf([sent('m9'), accepted('m9')]), 'm9'), '', 'what was never said was never sent')
})

t.test('one turn answers all that was accepted before its end, and nothing else', async (t) => {
  const state = foldOf([
    started(),
    ...[sent(PROMPT), accepted(PROMPT), turn(1)],
    ...[message('m1'), sent('m1'), accepted('m1')],
    ...[message('m2'), sent('m2'), message('m3')],
    turnEnd(1),
  ])
  t.equal(standing(state, PROMPT), 'sent accepted answered')
  t.equal(standing(state, 'm1'), 'sent accepted answered')
  t.equal(standing(state, 'm2'), 'sent')
  t.equal(standing(state, 'm3'), '')
})

t.test('turns', async (t) => {
  t.match(foldOf([started(), turn(1)]), { status: 'running', turns: 1, inTurn: true, lastTurn: undefined })
  const cause = { result: 'agent', message: '529' }
  const failed = turnEnd(1, 'failed', { error: 'overloaded', cause })
  t.match(foldOf([started(), turn(1), failed]), {
    status: 'idle',
    turns: 1,
    inTurn: false,
    lastTurn: { reason: 'failed', error: 'overloaded', cause },
  })
  t.match(foldOf([started(), turn(1), failed, message('m1'), turn(2), turnEnd(2)]), {
    status: 'idle',
    turns: 2,
    lastTurn: { reason: 'completed', error: undefined, cause: undefined },
  })
})

t.test('usage: steps add up, and their turn takes their place', async (t) => {
  const step = (input: number, costUsd?: number) => ({
    type: 'usage',
    scope: 'step',
    input,
    output: 1,
    cached: 2,
    costUsd,
  })
  const whole = { type: 'usage', scope: 'turn', input: 100, output: 10, costUsd: 0.5 }
  const first = [started(), turn(1), step(30), step(50, 0.25)]
  t.same(foldOf(first).usage, { input: 80, output: 2, cached: 4, costUsd: 0.25 })
  t.same(foldOf([...first, whole]).usage, { input: 100, output: 10, cached: 0, costUsd: 0.5 })
  const second = [...first, whole, turnEnd(1), turn(2), step(7)]
  t.same(foldOf(second).usage, { input: 107, output: 11, cached: 2, costUsd: 0.5 }, 'of an earlier turn nothing goes')
  t.same(foldOf([...second, { ...whole, costUsd: undefined }]).usage, {
    input: 200,
    output: 20,
    cached: 0,
    costUsd: 0.5,
  })
  const garbage = { type: 'usage', scope: 'turn', input: '5', output: null, cached: Number.NaN, costUsd: {} }
  t.same(foldOf([turn(1), garbage]).usage, { input: 0, output: 0, cached: 0 })
})

t.test('the time of the agent is that in which it works and waits for nobody', async (t) => {
  const events = [
    { ...started(), timestamp: at(0) },
    { ...turn(1), timestamp: at(10) },
    { ...ask('r1'), timestamp: at(15) },
    { ...approve('r1'), timestamp: at(1000) },
    { ...turnEnd(1), timestamp: at(1007) },
    { ...message('m1'), timestamp: at(2000) },
    { ...turn(2), timestamp: at(2001) },
    { type: 'plan', entries: [], timestamp: at(1990) },
    { ...turnEnd(2), timestamp: at(1993) },
  ]
  t.equal(foldOf(events.slice(0, 3)).activeMs, 5000)
  t.equal(foldOf(events.slice(0, 5)).activeMs, 12_000)
  t.equal(foldOf(events).activeMs, 15_000, 'a clock that goes back takes nothing away')
})

// A cancel with the timestamp of a sample once was a year of work, and used up the budget.
t.test('what others append has any timestamp, or none, and is no work', async (t) => {
  const stray = { type: 'cancel_requested', timestamp: '2020-01-01T00:00:00Z' }
  const working = [
    { ...started(), timestamp: at(0) },
    { ...turn(1), timestamp: at(10) },
  ]
  const end = { ...turnEnd(1), timestamp: at(17) }
  t.equal(foldOf([...working, stray, end]).activeMs, 7000)
  t.equal(foldOf([...working, { ...stray, timestamp: '2990-01-01T00:00:00Z' }, end]).activeMs, 7000)
  const asked = { ...ask('r1'), timestamp: at(15) }
  for (const timestamp of ['2020-01-01T00:00:00Z', '2990-01-01T00:00:00Z', 'soon', undefined]) {
    t.equal(foldOf([...working, asked, { ...approve('r1'), timestamp }, end]).activeMs, 5000, `answered ${timestamp}`)
  }
})

// After a power cut nothing tells when the work ended: a night without current once counted as work.
t.test('the time between a death and the next start is no work', async (t) => {
  const working = [started(), { ...turn(1), timestamp: at(10) }, { type: 'plan', entries: [], timestamp: at(13) }]
  const restarted = [
    ...working,
    { ...started(2), timestamp: at(30_000) },
    { ...turnEnd(1, 'interrupted'), timestamp: at(30_000) },
  ]
  t.equal(foldOf(restarted).activeMs, 3000)
  const exited = { type: 'daemon_exited', by: 'supervisor', epoch: 1, result: 'signal', timestamp: at(14) }
  t.equal(foldOf([...working, exited, { ...started(2), timestamp: at(30_000) }]).activeMs, 4000)
  const found = {
    type: 'session_interrupted',
    by: 'supervisor',
    epoch: 1,
    cause: { result: 'reboot' },
    timestamp: at(30_000),
  }
  t.equal(foldOf([...working, found]).activeMs, 3000)
})

t.test('an approval that is open keeps the session waiting, whichever was answered', async (t) => {
  const two = [started(), ask('r1'), ask('r2'), approve('r2', 'deny')]
  const waiting = foldOf(two)
  t.equal(waiting.status, 'waiting_approval')
  t.same([...waiting.approvals.keys()], ['r1'])
  t.match(waiting.answered.get('r2'), { decision: 'deny' })
  t.equal(foldOf([...two, approve('r1')]).status, 'running')
  t.equal(foldOf([...two, approve('r9')]).status, 'waiting_approval', 'an answer to nothing answers nothing')
  t.match(foldOf([...two, approve('r2', 'allow')]).answered.get('r2'), { decision: 'deny' }, 'the first one counts')
  t.equal(foldOf([...two, { type: 'input_request', requestId: 'i1' }, approve('r1')]).status, 'waiting_input')
})

// Each runner took what is not "deny" for a yes, and one of them for ever.
t.test('an answer that is none of the three decisions answers nothing', async (t) => {
  for (const decision of ['no', 'denied', 'DENY', '', 'toString', undefined, null, 5, ['deny']]) {
    const state = foldOf([started(), ask('r1'), { ...approve('r1'), decision }])
    t.same([...state.approvals.keys()], ['r1'], String(decision))
    t.equal(state.status, 'waiting_approval')
    t.equal(state.answered.size, 0)
  }
})

t.test('what is void: by the agent, by a daemon, by the end', async (t) => {
  const open = [started(), ask('r1'), { type: 'input_request', requestId: 'i1', question: '?' }]
  const voided = (requestId: string) => ({ type: 'approval_voided', requestId, why: 'the turn ended' })
  const one = foldOf([...open, voided('r1')])
  t.match([...one.voided], [['r1', 'the turn ended']])
  t.match(one, { status: 'waiting_input' })
  t.equal(foldOf([...open, voided('r1'), voided('i1')]).status, 'running', 'questions are voided by the same event')
  t.equal(foldOf([...open, voided('r9')]).voided.size, 0)
  t.equal(foldOf([...open, approve('r1'), voided('r1')]).voided.size, 0, 'an answer cannot be taken back')
  for (const end of ['session_completed', 'session_failed', 'session_cancelled', 'session_interrupted']) {
    const over = foldOf([...open, { type: end, cause: { result: 'x' }, metadata: {} }])
    t.same([over.approvals.size, over.inputs.size], [0, 0], end)
    t.same([...over.voided.keys()], ['r1', 'i1'])
  }
  const dead = foldOf([...open, { type: 'daemon_exited', epoch: 1, result: 'signal' }])
  t.same([dead.approvals.size, dead.inputs.size], [1, 1], 'the next daemon says what becomes of them')
  t.match(foldOf([...open, started(2)]), { status: 'waiting_approval', restarts: 1 })
})

t.test('an answer to a budget', async (t) => {
  const budget = { turns: 2, cost: 1.5, tokens: 1000, time: 60 }
  const asked = (subject: string, content: unknown) =>
    foldOf([started(), budgetQuestion(subject), reply('budget-1-1', content)], { budget })
  t.match(asked('turns', 'continue'), { status: 'running', granted: { turns: 2, cost: 0 }, stopAt: undefined })
  t.match(asked('cost', ' 0.25 '), { granted: { cost: 0.25 } })
  t.match(asked('tokens', 'CONTINUE'), { granted: { tokens: 1000 } })
  t.match(asked('time', '30'), { granted: { time: 30 } })
  t.match(asked('time', 'stop'), { granted: { time: 0 }, stopAt: 'time' })
  for (const content of ['no', 'quit', '-5', '0', '', 'NaN']) {
    const { granted, stopAt, inputs } = asked('turns', content)
    t.same([granted.turns, stopAt, inputs.size], [0, undefined, 0], `${content} grants nothing: it is asked again`)
  }
  t.equal(asked('turns', { toString: 0 }).inputs.size, 1, 'what is no text is no answer')
  t.match(asked('constructor', 'continue').granted, { turns: 0, cost: 0, tokens: 0, time: 0 })
  t.equal(foldOf([started(), budgetQuestion('turns'), reply('budget-1-1', 'stop'), started(2)]).stopAt, undefined)
  const twice = [budgetQuestion('turns'), reply('budget-1-1', 'continue'), reply('budget-1-1', 'stop')]
  t.match(foldOf([started(), ...twice], { budget }), { granted: { turns: 2 }, stopAt: undefined })
})

t.test('an answer about a message whose fate is unknown', async (t) => {
  const question = { type: 'input_request', requestId: 'u', question: '?', about: 'undecided', subject: PROMPT }
  const asked = (content: string) => standing(foldOf([started(), sent(PROMPT), question, reply('u', content)]), PROMPT)
  t.equal(asked('send'), '', 'as if it had never been sent')
  t.equal(asked('Skip'), 'sent accepted answered')
  t.equal(asked('perhaps'), 'sent', 'it is asked again')
})

t.test('an agent that begins anew has to be told what was before, once', async (t) => {
  const session = (nativeId: string, more: object = {}) => ({ type: 'agent_session', nativeId, ...more })
  const first = [started(), session('n1', { permissionMode: 'plan' })]
  t.match(foldOf(first), { nativeId: 'n1', permissionMode: 'plan', anew: false })
  const anew = [...first, session('n2', { anew: true })]
  t.match(foldOf(anew), { nativeId: 'n2', permissionMode: 'plan', anew: true })
  t.match(foldOf([...anew, started(2), session('n2')]), { anew: true }, 'also after a restart')
  t.match(foldOf([...anew, sent(PROMPT)]), { anew: true })
  t.match(foldOf([...anew, accepted(PROMPT)]), { anew: false })
})

t.test('silence', async (t) => {
  const stalled = [started(), turn(1), { type: 'stalled', seconds: 60 }]
  t.equal(foldOf(stalled).stalled, 60)
  t.equal(foldOf([...stalled, { type: 'stall_ended' }]).stalled, undefined)
  t.equal(foldOf([...stalled, started(2)]).stalled, undefined, 'the silence of a dead daemon is over')
})

t.test('any order of events gives a state that makes sense', async () => {
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: record }, handmade), { maxLength: 30 }), (events) => {
      const state = foldOf(events)
      const { approvals, inputs, status, activeMs } = state
      const isAsked = approvals.size + inputs.size > 0
      // After a bare exit a restart may follow, which asks again.
      if (isAsked && isOver(state)) throw new Error(`${status}, and something is open`)
      if (isAsked && status === 'running') throw new Error('it runs, and something is open')
      if (!(activeMs >= 0)) throw new Error(`${activeMs} ms of work`)
      for (const [id, { messageId }] of state.messages) if (id !== messageId) throw new Error(`${id} is ${messageId}`)
    }),
    { numRuns: 2000 },
  )
})

t.test('what was used is never less than nothing, and a turn replaces its own steps only', async () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 40 }), (events) => {
      const { usage, turnUsage } = foldOf(events)
      for (const key of ['input', 'output', 'cached', 'costUsd'] as const) {
        const [all = 0, part = 0] = [usage[key], turnUsage[key]]
        if (part < 0 || all < part) throw new Error(`${key}: ${part} of ${all}`)
      }
    }),
    { numRuns: 2000 },
  )
})
