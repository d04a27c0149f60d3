/** A conversation with an agent that is played by the test: what is said when, and when it is over. */
import t from 'tap'
import { until } from '../helpers/home.js'
import { FakeAgent } from './fake-agent.js'
import { gate, Stage } from './stage.js'

t.test('the prompt is said once, and answered; then it is over', async (t) => {
  const agent = new FakeAgent()
  const stage = await Stage.of(t, agent)
  t.same(await stage.verdict, { kind: 'completed' })
  t.same(stage.story(), [
    'message_sent prompt new',
    'message_accepted prompt',
    'turn_started 1',
    'turn_ended 1 completed',
  ])
  t.same(agent.last.messages, [{ messageId: 'prompt', content: 'the prompt' }])
  t.match(agent.last.context, { start: 1001, turns: 0, nativeId: undefined })
  t.equal(agent.last.isOver, true)
  t.equal(stage.paced, 1)
})

t.test('a message in a turn: handed over at once, or when the turn has ended', async (t) => {
  for (const steers of [true, false]) {
    const agent = new FakeAgent({ steers, onSend: (run) => run.startTurn() })
    const stage = await Stage.of(t, agent)
    await stage.until('turn_started')
    await stage.say('m1')
    if (steers) {
      await stage.until('message_accepted', { messageId: 'm1' })
      t.match(await stage.until('message_sent', { messageId: 'm1' }), { delivery: 'steered' })
      t.equal(stage.state.turns, 1)
      agent.last.endTurn('completed')
    } else {
      // Nothing may happen; two turns of what could.
      await stage.output.commit([], 'daemon')
      await stage.output.commit([], 'daemon')
      t.equal(agent.last.messages.length, 1, 'held back')
      agent.last.endTurn('completed')
      t.match(await stage.until('message_sent', { messageId: 'm1' }), { delivery: 'queued' })
      await stage.until('turn_started', { turn: 2 })
      agent.last.endTurn('completed')
    }
    t.same(await stage.verdict, { kind: 'completed' })
    t.same(
      agent.last.messages.map(({ messageId }) => messageId),
      ['prompt', 'm1'],
    )
    t.equal(stage.of('message_sent').length, 2)
  }
})

t.test('a message that an agent keeps for its next turn keeps the conversation open', async (t) => {
  const taken: (() => void)[] = []
  const agent = new FakeAgent({
    onSend: (run, { messageId }) => {
      if (messageId === 'prompt') return run.startTurn()
      return new Promise((resolve) => taken.push(resolve))
    },
  })
  const stage = await Stage.of(t, agent)
  await stage.until('turn_started')
  await stage.say('m1')
  await until(() => taken.length === 1, 'it has the message')
  agent.last.endTurn('completed')
  await stage.until('turn_ended')
  taken[0]?.()
  await stage.until('message_accepted', { messageId: 'm1' })
  agent.last.reply('second')
  t.same(await stage.verdict, { kind: 'completed' })
  t.equal(stage.state.turns, 2)
})

t.test('--interrupt ends the turn first', async (t) => {
  const agent = new FakeAgent({ steers: false, onSend: (run) => run.startTurn() })
  const stage = await Stage.of(t, agent)
  await stage.until('turn_started')
  await stage.say('m1', 'stop that', true)
  await stage.until('turn_started', { turn: 2 })
  agent.last.endTurn('completed')
  t.same(await stage.verdict, { kind: 'completed' })
  t.same(stage.story(), [
    ...['message_sent prompt new', 'turn_started 1', 'message_accepted prompt', 'user_message m1'],
    ...['turn_ended 1 interrupted', 'message_sent m1 queued', 'turn_started 2', 'message_accepted m1'],
    'turn_ended 2 completed',
  ])
  t.same(agent.runs.length, 1, 'the agent lives on')
})

t.test('a message that comes while it ends is answered by a new start', async (t) => {
  const [ending, held] = [gate(), gate()]
  const agent = new FakeAgent({
    onEnd: async (run) => {
      ending.open()
      await held.opened
      run.end({ kind: 'finished' })
    },
  })
  const stage = await Stage.of(t, agent)
  await ending.opened
  await stage.say('m1')
  held.open()
  t.same(await stage.verdict, { kind: 'completed' })
  t.equal(stage.state.messages.get('m1')?.sent, false, 'the daemon looks under the lock, and calls again')
  t.same(await stage.dialogue.run(), { kind: 'completed' })
  t.equal(stage.state.messages.get('m1')?.answered, true)
  t.equal(agent.runs.length, 2)
  t.match(agent.last.context, { nativeId: 'native-1001', start: 1002, turns: 1 })
})

t.test('what dies with a message on its way is not sent twice', async (t) => {
  for (const [known, expected] of [
    [true, ['message_sent prompt new', 'message_accepted prompt', 'user_message continue-1001']],
    [false, ['message_sent prompt new', 'message_sent prompt new', 'message_accepted prompt']],
  ] as const) {
    const agent = new FakeAgent({
      has: () => known,
      onSend: (run, { content }) => {
        if (agent.runs.length > 1) return void setImmediate(() => run.reply(`answer to ${content}`))
        setImmediate(() => run.kill())
        return new Promise(() => undefined)
      },
    })
    const stage = await Stage.of(t, agent)
    t.same(await stage.verdict, { kind: 'completed' })
    t.same(stage.story('system').slice(0, 3), expected)
    t.equal(stage.state.messages.get('prompt')?.answered, true)
    t.same(agent.last.messages.length, 1)
  }
})

t.test('where nobody knows, a person is asked', async (t) => {
  for (const word of ['send', 'skip']) {
    const lost = [
      { type: 'daemon_started', by: 'daemon', epoch: 1, pid: 1, unit: 'u', bootId: 'b' },
      { type: 'agent_session', by: 'agent', epoch: 1, nativeId: 'n' },
      { type: 'message_sent', by: 'daemon', epoch: 1, messageId: 'prompt', delivery: 'new' },
    ]
    const agent = new FakeAgent()
    const stage = await Stage.of(t, agent, { before: lost })
    const asked = await stage.until('input_request')
    t.match(asked, {
      about: 'undecided',
      subject: 'prompt',
      options: ['send', 'skip'],
      question: /received .*the prompt/,
    })
    t.equal(stage.state.status, 'waiting_input')
    await stage.say('m1')
    t.equal(agent.last.messages.length, 0, 'nothing is said before')
    await stage.control({ type: 'input_response', requestId: String(asked.requestId), content: word })
    t.same(await stage.verdict, { kind: 'completed' })
    const expected = word === 'send' ? ['prompt', 'm1'] : ['m1']
    t.same(
      agent.last.messages.map(({ messageId }) => messageId),
      expected,
    )
  }
})

const using = (input: number, costUsd: number): FakeAgent =>
  new FakeAgent({
    onSend: (run) => {
      run.startTurn()
      setImmediate(() => {
        run.emit({ type: 'usage', scope: 'turn', input, output: 0, costUsd })
        run.endTurn('completed')
      })
    },
  })

t.test('a budget that is used up: the next message waits for a person', async (t) => {
  const budgets = { turns: [1, '3'], tokens: [100, 'continue'], cost: [0.5, '0.75'] } as const
  for (const [subject, [limit, word]] of Object.entries(budgets)) {
    const stage = await Stage.of(t, using(100, 0.5), { budget: { [subject]: limit } })
    t.same(await stage.verdict, { kind: 'completed' }, `${subject}: what was begun is finished, and nobody is asked`)
    await stage.say('m1')
    const second = stage.dialogue.run()
    const asked = await stage.until('input_request', { subject })
    t.match(asked, { about: 'budget', options: ['continue', 'stop'], requestId: 'budget-1-1' })
    t.equal(stage.state.status, 'waiting_input')
    t.equal(stage.of('message_sent').length, 1)
    await stage.control({ type: 'input_response', requestId: 'budget-1-1', content: word })
    t.same(await second, { kind: 'completed' })
    t.equal(stage.state.messages.get('m1')?.answered, true)
    t.equal(stage.of('input_request').length, 1)
  }
})

t.test(
  'a budget that is used up in a turn interrupts it; `stop` is the end, and a number that is too small no answer',
  async (t) => {
    const agent = new FakeAgent({
      onSend: (run) => {
        run.startTurn()
        run.emit({ type: 'usage', scope: 'step', input: 100, output: 0 })
      },
    })
    const stage = await Stage.of(t, agent, { budget: { tokens: 100 } })
    await stage.until('input_request', { requestId: 'budget-1-1' })
    t.same(stage.story('usage').slice(-3), [
      'turn_ended 1 interrupted',
      'user_message continue-1001',
      'input_request budget-1-1 tokens',
    ])
    await stage.control({ type: 'input_response', requestId: 'budget-1-1', content: 'continue' })
    await stage.until('input_request', { requestId: 'budget-1-2' })
    t.equal(agent.last.messages.at(-1)?.messageId, 'continue-1001', 'it was asked to go on')
    stage.byHand({ type: 'input_response', requestId: 'budget-1-2', content: 'no' })
    t.match(
      await stage.until('input_request', { requestId: 'budget-1-3' }),
      { question: /of 200 tokens/ },
      '"no" is no yes',
    )
    t.equal(agent.last.messages.length, 2)
    await stage.control({ type: 'input_response', requestId: 'budget-1-3', content: 'stop' })
    t.match(await stage.verdict, { kind: 'cancelled', cause: { result: 'budget', message: /tokens/ } })
    t.equal(agent.runs.length, 1)
  },
)

t.test('a budget of time is looked at while the agent is silent', async (t) => {
  const agent = new FakeAgent({ onSend: (run) => run.startTurn() })
  const stage = await Stage.of(t, agent, { budget: { time: 0.3 } })
  t.match(await stage.until('input_request'), { about: 'budget', subject: 'time' })
  t.ok(stage.state.activeMs >= 300 && stage.state.activeMs < 2000, `${stage.state.activeMs} ms`)
  t.equal(stage.state.inTurn, false)
})

t.test('a line by hand with a time that is none uses up nothing', async (t) => {
  const agent = new FakeAgent({ onSend: (run) => run.startTurn() })
  const stage = await Stage.of(t, agent, { budget: { time: 1000 } })
  await stage.until('message_accepted')
  stage.byHand({ type: 'system', content: 'x' }, 'yesterday')
  await stage.say('m1')
  await stage.until('message_accepted', { messageId: 'm1' })
  t.same(stage.of('input_request'), [])
})

t.test('a turn that ends by itself at its budget is not gone on with', async (t) => {
  const agent = new FakeAgent({
    onSend: (run) => {
      run.startTurn()
      run.emit({ type: 'usage', scope: 'turn', input: 100, output: 0 })
    },
    onInterrupt: (run) => run.endTurn('completed'),
  })
  const stage = await Stage.of(t, agent, { budget: { tokens: 100 } })
  await stage.until('input_request')
  t.same(stage.of('user_message'), [])
})

// A timer takes no more than 24.8 days; what is longer fires at once, and the daemon span.
t.test('a budget of time of a month', async (t) => {
  const agent = new FakeAgent({ onSend: (run) => run.startTurn() })
  const stage = await Stage.of(t, agent, { budget: { time: 30 * 24 * 3600 } })
  await stage.until('message_accepted')
  const looks = stage.looks
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.ok(stage.looks - looks < 20, `${stage.looks - looks} looks in 0.3 s`)
  agent.last.endTurn('completed')
  t.same(await stage.verdict, { kind: 'completed' })
})
