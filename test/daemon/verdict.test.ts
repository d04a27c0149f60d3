/** How a conversation ends, and what an agent that does not want to end yet makes of it. */
import t from 'tap'
import { FakeAgent } from './fake-agent.js'
import { Stage } from './stage.js'

t.test('how the last turn ended is how the conversation ends', async (t) => {
  const failing = new FakeAgent({
    onSend: (run) => {
      run.startTurn()
      setImmediate(() => run.endTurn('failed', 'the model is overloaded'))
    },
  })
  const failed = await Stage.of(t, failing)
  const cause = { result: 'agent', message: 'the model is overloaded' }
  t.same(await failed.verdict, { kind: 'failed', error: 'the model is overloaded', cause })
  const giving = new FakeAgent({
    onSend: (run) => {
      run.startTurn()
      setImmediate(() => run.endTurn('interrupted'))
    },
  })
  const interrupted = await Stage.of(t, giving)
  t.match(await interrupted.verdict, { kind: 'interrupted', cause: { result: 'agent' } })
})

/** An agent that begins a turn of its own when its input is closed, as one does that had a message in hand. */
const eager = (onLateTurn: () => void = () => undefined, least = 1): FakeAgent => {
  const agent: FakeAgent = new FakeAgent({
    onEnd: (run, how) => {
      if (how === 'stop' || agent.runs.length > least) return run.end({ kind: 'finished' })
      run.startTurn()
      onLateTurn()
    },
  })
  return agent
}

t.test('a turn that begins when the agent is let go, and is cut, is gone on with', async (t) => {
  const agent = eager()
  const stage = await Stage.of(t, agent)
  t.same(await stage.verdict, { kind: 'completed' })
  t.same(stage.story('system').slice(4), [
    ...['turn_started 2', 'turn_ended 2 interrupted', 'user_message continue-1001'],
    ...['message_sent continue-1001 new', 'message_accepted continue-1001', 'turn_started 3', 'turn_ended 3 completed'],
  ])
  t.match(stage.of('system'), [
    { content: 'fake began a turn just when it was let go; it is started again and resumed' },
  ])
  t.match(agent.last.context, { nativeId: 'native-1001', turns: 2 })
})

t.test('one that comes to its end needs nothing more', async (t) => {
  const agent = new FakeAgent({
    onEnd: (run, how) => {
      // Told to stop, it still ends its turn first.
      if (how === 'stop') return
      run.startTurn()
      run.endTurn('completed')
      run.end({ kind: 'finished' })
    },
  })
  const stage = await Stage.of(t, agent)
  t.same(await stage.verdict, { kind: 'completed' })
  t.equal(agent.runs.length, 1)
})

t.test('who begins a turn each time is not asked for ever', async (t) => {
  const agent = eager(undefined, 1000)
  const stage = await Stage.of(t, agent)
  t.match(await stage.verdict, { kind: 'interrupted', cause: { result: 'agent' } })
  t.equal(agent.runs.length, 4)
})

t.test('a cancel while the agent is let go: it is not taken up again', async (t) => {
  const agent = eager(() => stage.dialogue.stop())
  const stage = await Stage.of(t, agent)
  t.same(await stage.verdict, { kind: 'stopped' })
  t.equal(agent.runs.length, 1)
})
