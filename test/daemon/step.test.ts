/** What a conversation needs next: case by case, and to its end from anywhere. */
import fc from 'fast-check'
import t from 'tap'
import { claude } from '../../src/agents/claude/claude.js'
import { recovery } from '../../src/daemon/recovery.js'
import { type Facts, nextStep } from '../../src/daemon/step.js'
import { applySession } from '../../src/session/apply.js'
import type { Loose } from '../../src/session/life.js'
import { PROMPT } from '../../src/session/message.js'
import { Tally } from '../../src/session/tally.js'
import { accepted, budgetQuestion, foldOf, message, reply, sent, started, turn, turnEnd } from '../session/fold.js'
import { record } from '../session/records.js'
import { Ideal } from './ideal.js'

const none: Facts = { agent: 'none', steers: true, busy: false, sending: new Set(), workingMs: 0 }
const ready: Facts = { ...none, agent: 'ready' }
const patient: Facts = { ...ready, steers: false }
const onTheWay: Facts = { ...ready, sending: new Set([PROMPT]) }
const begun = [started(), sent(PROMPT), accepted(PROMPT), turn(1)]
const spent = { type: 'usage', scope: 'turn', input: 1000, output: 0 }
const budget = { tokens: 1000 }

t.test('case by case', async (t) => {
  const word = (events: object[], facts: Facts, spec = {}) => {
    const step = nextStep(foldOf(events, spec), facts)
    if (step.do === 'send') return `send ${step.message.messageId} ${step.delivery}`
    if (step.do === 'check') return `check ${step.message.messageId}`
    return step.do === 'pause' ? `pause ${step.excess.subject}` : step.do
  }
  const cases: [string, object[], Facts, string, object?][] = [
    ['nothing runs', [started()], none, 'start'],
    ['it starts', [started()], { ...none, agent: 'starting' }, 'wait'],
    ['it is there', [started()], ready, `send ${PROMPT} new`],
    ['something is going on', [started()], { ...ready, busy: true }, 'wait'],
    ['the prompt is on its way', [started(), sent(PROMPT)], onTheWay, 'wait'],
    ['a turn runs', begun, ready, 'wait'],
    ['a turn runs, and its process is gone', begun, none, 'wait'],
    ['all is said', [...begun, turnEnd(1)], ready, 'end'],
    ['all is said, and it is gone', [...begun, turnEnd(1)], none, 'end'],
    ['a message in a turn', [...begun, message('m1')], ready, 'send m1 steered'],
    ['a message in a turn, while it starts', [...begun, message('m1')], { ...none, agent: 'starting' }, 'wait'],
    ['a message in a turn of a patient one', [...begun, message('m1')], patient, 'wait'],
    ['the same after the turn', [...begun, message('m1'), turnEnd(1)], patient, 'send m1 queued'],
    ['a message after the turn', [...begun, turnEnd(1), message('m1')], patient, 'send m1 new'],
    [
      'a message behind another, patient',
      [started(), sent(PROMPT), message('m1')],
      { ...onTheWay, steers: false },
      'wait',
    ],
    ['a message behind another', [started(), sent(PROMPT), message('m1')], onTheWay, 'send m1 new'],
    ['an interrupt', [...begun, message('m1', { interrupt: true })], patient, 'interrupt'],
    [
      'an interrupt behind a message',
      [...begun, message('m1'), message('m2', { interrupt: true })],
      ready,
      'interrupt',
    ],
    ['an interrupt of nothing', [...begun, turnEnd(1), message('m1', { interrupt: true })], ready, 'send m1 new'],
    ['sent by a dead daemon', [started(), sent(PROMPT), started(2)], ready, `check ${PROMPT}`],
    ['sent by a dead daemon, nothing runs', [started(), sent(PROMPT), started(2)], none, 'start'],
    ['tokens in a turn', [...begun, spent, message('m1')], ready, 'pause tokens', { budget }],
    ['tokens after a turn', [...begun, spent, turnEnd(1), message('m1')], ready, 'pause tokens', { budget }],
    ['tokens, and nothing more to say', [...begun, spent, turnEnd(1)], ready, 'end', { budget }],
    ['tokens before any agent runs', [...begun, spent, turnEnd(1), message('m1')], none, 'pause tokens', { budget }],
    ['our own question', [...begun, message('m1'), budgetQuestion('tokens')], ready, 'wait'],
    ['our own question, while it starts', [started(), budgetQuestion('tokens')], none, 'wait'],
    [
      "the agent's question",
      [...begun, { type: 'input_request', requestId: 'i' }, message('m1')],
      ready,
      'send m1 steered',
    ],
    ['stop', [...begun, budgetQuestion('tokens'), reply('budget-1-1', 'stop')], ready, 'give-up'],
    ['time in a turn', [started(), turn(1)], { ...ready, workingMs: 60_000 }, 'pause time', { budget: { time: 60 } }],
  ]
  for (const [what, events, facts, expected, spec] of cases) t.equal(word(events, facts, spec), expected, what)
})

const chances = fc.infiniteStream(fc.nat({ max: 1000 }))
const someBudget = fc.record(
  { turns: fc.constant(2), cost: fc.constant(2), tokens: fc.constant(9000), time: fc.constant(900) },
  { requiredKeys: [] },
)
const news = fc.array(fc.boolean(), { maxLength: 5 })

t.test('from any state it comes to an end, and nothing is sent twice unasked', async () => {
  fc.assert(
    fc.property(
      fc.record({ records: fc.array(record, { maxLength: 25 }), budget: someBudget, steers: fc.boolean() }),
      fc.boolean(),
      news,
      chances,
      (given, stops, coming, luck) => {
        const draw = (most: number) => (luck.next().value ?? 0) % most
        const state = foldOf([started(), ...given.records], { budget: given.budget })
        const isSent = new Set([...state.messages.values()].flatMap(({ messageId, sent }) => (sent ? [messageId] : [])))
        const [epoch, closing] = [state.epoch + 1, recovery(claude, state, new Tally(), state.epoch + 1)]
        for (const event of [{ type: 'daemon_started' }, ...closing]) {
          applySession(state, { timestamp: state.updatedAt, epoch, ...event })
        }
        const ideal = new Ideal(state, {
          steers: given.steers,
          has: () => [true, false, undefined][draw(3)],
          undecided: () => (draw(2) === 0 ? 'send' : 'skip'),
          budget: () => (stops && draw(4) === 0 ? 'stop' : 'continue'),
          ends: () => draw(2) === 0,
          news: () => {
            if (draw(3) > 0 || coming.length === 0) return undefined
            const said = { ...message(`n${coming.length}`, { interrupt: coming.pop() }), epoch: undefined }
            return said as Loose
          },
        })
        const end = ideal.run(400)
        if (end === undefined) throw new Error(`no end: ${JSON.stringify(ideal.steps.slice(-6))}`)
        for (const [id, times] of ideal.sent) {
          if (times > 1 && !ideal.again.has(id)) throw new Error(`${id} was sent ${times} times`)
        }
        if (end === 'give-up') return
        for (const { messageId, sent, accepted, answered } of state.messages.values()) {
          if (!(sent && accepted && answered)) throw new Error(`${messageId} was not answered`)
          if (!isSent.has(messageId) && !ideal.sent.has(messageId)) throw new Error(`${messageId} was never sent`)
        }
      },
    ),
    { numRuns: 3000 },
  )
})
