/** When a budget is used up, and what an answer adds to it. */
import t from 'tap'
import { excess, timeLeft } from '../../src/session/budget.js'
import { at, budgetQuestion, foldOf, reply, started, turn, turnEnd } from './fold.js'

const used = { type: 'usage', scope: 'turn', input: 900, output: 100, cached: 500, costUsd: 0.75 }
const oneTurn = [started(), turn(1), used, turnEnd(1)]

t.test('without a budget nothing is too much', async (t) => {
  t.equal(excess(foldOf(oneTurn), 1e9), undefined)
  t.equal(timeLeft(foldOf(oneTurn)), undefined)
})

t.test('turns count when the next one would begin', async (t) => {
  const budget = { turns: 1 }
  t.equal(excess(foldOf([started()], { budget }), 0), undefined)
  t.equal(excess(foldOf([started(), turn(1)], { budget }), 0), undefined, 'the last one runs to its end')
  t.match(excess(foldOf(oneTurn, { budget }), 0), {
    subject: 'turns',
    question: 'The budget of 1 turn is used up (1). Go on?',
  })
})

t.test('tokens are those in and out; cost is as told', async (t) => {
  t.equal(
    excess(foldOf(oneTurn, { budget: { tokens: 1001 } }), 0),
    undefined,
    'the cached ones are in those that went in',
  )
  t.match(excess(foldOf(oneTurn, { budget: { tokens: 1000 } }), 0), {
    subject: 'tokens',
    question: /of 1000 tokens .*\(1000\)/,
  })
  t.equal(excess(foldOf(oneTurn, { budget: { cost: 0.76 } }), 0), undefined)
  t.match(excess(foldOf(oneTurn, { budget: { cost: 0.5 } }), 0), {
    subject: 'cost',
    question: /of 0.5 dollars .*\(0.7500\)/,
  })
  t.match(
    excess(foldOf(oneTurn.slice(0, 3), { budget: { cost: 0.5 } }), 0),
    { subject: 'cost' },
    'also in the middle of a turn',
  )
  t.equal(excess(foldOf([started(), turn(1), turnEnd(1)], { budget: { cost: 0.5 } }), 0), undefined, 'nothing was told')
})

t.test('time is work', async (t) => {
  const budget = { time: 60 }
  const working = [started(), { ...turn(1), timestamp: at(0) }, { type: 'plan', timestamp: at(50) }]
  const state = foldOf(working, { budget })
  t.equal(timeLeft(state), 10_000)
  t.equal(excess(state, 9999), undefined)
  t.match(excess(state, 10_000), { subject: 'time', question: /of 60 seconds of work .*\(60\)/ })
  t.equal(timeLeft(foldOf([...working, { type: 'plan', timestamp: at(500) }], { budget })), 0, 'never less than none')
})

t.test('the first budget that is used up is asked about, then the next', async (t) => {
  const budget = { turns: 1, tokens: 1000, cost: 5 }
  const granted = [...oneTurn, budgetQuestion('turns'), reply('budget-1-1', 'continue')]
  t.match(excess(foldOf(oneTurn, { budget }), 0), { subject: 'turns' })
  t.match(excess(foldOf(granted, { budget }), 0), { subject: 'tokens' })
  const both = [...granted, budgetQuestion('tokens', 'b2'), reply('b2', '500')]
  t.equal(excess(foldOf(both, { budget }), 0), undefined)
  const spent = [...both, turn(2), used]
  t.match(excess(foldOf(spent, { budget }), 0), { subject: 'tokens', question: /of 1500 tokens .*\(2000\)/ })
})

t.test('an answer that is too small is followed by the same question', async (t) => {
  const budget = { tokens: 100 }
  const answered = [...oneTurn, budgetQuestion('tokens'), reply('budget-1-1', '5')]
  t.match(excess(foldOf(answered, { budget }), 0), { subject: 'tokens', question: /of 105 tokens/ })
})

t.test('who says `continue` is not asked again for what one turn has used beyond its budget', async (t) => {
  const budget = { tokens: 100 }
  const answered = [...oneTurn, budgetQuestion('tokens'), reply('budget-1-1', 'continue')]
  t.equal(excess(foldOf(answered, { budget }), 0), undefined)
  t.match(foldOf(answered, { budget }).granted, { tokens: 1000 })
  const step = (input: number) => ({ type: 'usage', scope: 'step', input, output: 0 })
  t.equal(excess(foldOf([...answered, turn(2), step(99)], { budget }), 0), undefined)
  t.match(excess(foldOf([...answered, turn(2), step(100)], { budget }), 0), { question: /of 1100 tokens .*\(1100\)/ })
})
