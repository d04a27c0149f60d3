/** A daemon that takes over the file of a dead one: what it closes, and how the conversation goes on. */
import t from 'tap'
import { until } from '../helpers/home.js'
import { FakeAgent } from './fake-agent.js'
import { Stage } from './stage.js'

const of = (by: string, event: object) => ({ ...event, by, epoch: 1 })
const began = [
  of('daemon', { type: 'daemon_started', pid: 1, unit: 'u', bootId: 'b' }),
  of('agent', { type: 'agent_session', nativeId: 'n1' }),
]
const sent = of('daemon', { type: 'message_sent', messageId: 'prompt', delivery: 'new' })
const taken = of('daemon', { type: 'message_accepted', messageId: 'prompt' })
const turn = of('agent', { type: 'turn_started', turn: 1 })
const use = of('agent', { type: 'tool_use', toolId: 't1', tool: 'Bash', input: {} })
const ask = of('agent', { type: 'approval_request', requestId: 'r1', tool: 'Bash', input: {}, toolId: 't1' })
const question = of('agent', { type: 'input_request', requestId: 'i1', question: '?' })
const turnEnd = of('agent', { type: 'turn_ended', turn: 1, reason: 'completed' })
const killed = { type: 'daemon_exited', by: 'supervisor', epoch: 1, result: 'signal', code: 'killed', status: 'KILL' }

t.test('killed before anything was sent: the prompt is sent', async (t) => {
  const agent = new FakeAgent()
  const stage = await Stage.of(t, agent, { before: [...began, killed] })
  t.same(await stage.verdict, { kind: 'completed' })
  t.same(agent.last.messages, [{ messageId: 'prompt', content: 'the prompt' }])
  t.match(agent.last.context, { nativeId: 'n1', start: 2001, turns: 0 })
})

t.test('killed in the middle of a turn: what is open is closed in order, and the agent goes on', async (t) => {
  const agent = new FakeAgent({ has: () => t.fail('nobody need ask') as never })
  const before = [...began, sent, taken, turn, use, ask, question, killed]
  const stage = await Stage.of(t, agent, { before })
  t.same(await stage.verdict, { kind: 'completed' })
  t.same(stage.story(), [
    ...['approval_voided r1', 'approval_voided i1', 'tool_result t1', 'turn_ended 1 interrupted'],
    ...['user_message continue-2000', 'message_sent continue-2000 new', 'message_accepted continue-2000'],
    ...['turn_started 2', 'turn_ended 2 completed'],
  ])
  t.match(stage.of('tool_result'), [{ isError: true, by: 'daemon', epoch: 2 }])
  t.equal(agent.last.messages.length, 1)
})

t.test('killed between a message and its receipt: the history of the agent decides', async (t) => {
  for (const events of [[sent], [sent, turn]]) {
    for (const known of [true, false]) {
      const agent = new FakeAgent({ has: () => known })
      const stage = await Stage.of(t, agent, { before: [...began, ...events, killed] })
      t.same(await stage.verdict, { kind: 'completed' })
      const prompts = agent.last.messages.filter(({ messageId }) => messageId === 'prompt')
      t.equal(prompts.length, known ? 0 : 1, `${events.length} events, ${known}`)
      const others = agent.last.messages.filter(({ messageId }) => messageId !== 'prompt')
      t.equal(others.length, known || events.length > 1 ? 1 : 0, 'and it is asked to go on where it must')
    }
  }
})

t.test('the agent dies while it is asked for its history: the next one is asked', async (t) => {
  for (const knows of [() => Promise.reject(new Error('it does not read any more')), () => undefined]) {
    const agent = new FakeAgent({
      has: (run) => {
        if (agent.runs.length > 1) return false
        setTimeout(() => run.kill(), 20)
        return knows()
      },
    })
    const stage = await Stage.of(t, agent, { before: [...began, sent, killed] })
    t.same(await stage.verdict, { kind: 'completed' })
    t.same([agent.runs.length, stage.of('input_request').length], [2, 0])
  }
})

t.test('killed when all was said: nothing is started, and it is over', async (t) => {
  const agent = new FakeAgent()
  const stage = await Stage.of(t, agent, { before: [...began, sent, taken, turn, turnEnd, killed] })
  t.same(await stage.verdict, { kind: 'completed' })
  t.same([agent.runs.length, stage.story().length], [0, 0])
})

t.test('killed twice in one turn: it is asked to go on once more, not twice', async (t) => {
  const second = [
    { type: 'daemon_started', by: 'daemon', epoch: 2, pid: 1, unit: 'u', bootId: 'b' },
    { type: 'turn_ended', by: 'daemon', epoch: 2, turn: 1, reason: 'interrupted' },
    { type: 'user_message', by: 'daemon', epoch: 2, messageId: 'continue-2000', content: 'Go on.' },
  ]
  const agent = new FakeAgent()
  const stage = await Stage.of(t, agent, { before: [...began, sent, taken, turn, killed, ...second] })
  t.same(await stage.verdict, { kind: 'completed' })
  t.same(
    agent.last.messages.map(({ messageId }) => messageId),
    ['continue-2000'],
  )
})

t.test('killed with its own question open: it is still open, and what was answered meanwhile counts', async (t) => {
  const budget = {
    type: 'input_request',
    by: 'daemon',
    epoch: 1,
    requestId: 'budget-1-1',
    about: 'budget',
    subject: 'turns',
  }
  const more = { type: 'user_message', by: 'user', messageId: 'm1', content: 'more' }
  const before = [...began, sent, taken, turn, turnEnd, more, { ...budget, question: 'Go on?' }, killed]
  const agent = new FakeAgent()
  const stage = await Stage.of(t, agent, { before, budget: { turns: 1 } })
  await until(() => stage.state.status === 'waiting_input', 'it waits')
  t.equal(agent.runs.length, 0, 'no agent runs meanwhile')
  await stage.control({ type: 'input_response', requestId: 'budget-1-1', content: 'continue' })
  t.same(await stage.verdict, { kind: 'completed' })
  t.same(
    agent.last.messages.map(({ messageId }) => messageId),
    ['m1'],
  )

  const answer = { type: 'input_response', by: 'user', requestId: 'budget-1-1', content: 'stop' }
  const open = [
    ...before.slice(0, -1),
    { type: 'daemon_started', by: 'daemon', epoch: 2, pid: 1, unit: 'u', bootId: 'b' },
  ]
  const stopped = await Stage.of(t, new FakeAgent(), { before: [...open, answer], budget: { turns: 1 } })
  const asked = await stopped.until('input_request', { epoch: 3 })
  t.match(asked, { requestId: 'budget-3-1', subject: 'turns' }, 'who takes it up again is asked again')
})

t.test('an agent that keeps its questions: the same one is asked, and its tool stays open', async (t) => {
  const agent = new FakeAgent({
    keepsQuestions: true,
    onStart: (run) => {
      run.welcome()
      for (const requestId of run.context.open) {
        run.startTurn()
        run.ask(requestId, 't1')
      }
    },
    // It is asked to go on in this turn; or behind it, where the disk was slow and the answer has come first.
    onSend: (run) => void setImmediate(() => run.book.inTurn || run.reply('there is nothing more')),
  })
  const before = [...began, sent, taken, turn, use, ask, question, killed]
  const stage = await Stage.of(t, agent, { before })
  await until(() => agent.runs.length === 1, 'it starts')
  t.same([...agent.last.context.open], ['r1'])
  t.same(
    stage.of('approval_voided').map(({ requestId }) => requestId),
    ['i1'],
  )
  t.same(stage.of('tool_result'), [])
  await stage.until('approval_request', { epoch: 2 })
  await stage.control({ type: 'approval_response', requestId: 'r1', decision: 'allow' })
  await until(() => agent.last.decisions.length === 1, 'the answer reaches it')
  agent.last.endTurn('completed')
  t.same(await stage.verdict, { kind: 'completed' })
})

t.test('a kept question that was answered while nothing ran is not asked again', async (t) => {
  const answer = { type: 'approval_response', by: 'user', requestId: 'r1', decision: 'deny', reason: 'no' }
  const agent = new FakeAgent({
    keepsQuestions: true,
    onSend: (run) => {
      run.startTurn()
      run.ask('r1', 't1')
    },
  })
  const stage = await Stage.of(t, agent, { before: [...began, sent, taken, turn, use, ask, answer, killed] })
  await until(() => agent.runs[0]?.decisions.length === 1, 'the answer reaches it')
  t.match(agent.last.decisions, [{ requestId: 'r1', decision: 'deny', reason: 'no' }])
  t.equal(stage.of('approval_request').length, 1)
  agent.last.endTurn('completed')
  t.same(await stage.verdict, { kind: 'completed' })
})

t.test('the first daemon of a session has nothing to recover', async (t) => {
  const stage = await Stage.of(t, new FakeAgent())
  await stage.verdict
  t.match(stage.events().slice(0, 3), [
    { type: 'session_created' },
    { type: 'daemon_started' },
    { type: 'agent_session' },
  ])
})
