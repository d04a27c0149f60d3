/** The agent's process in a conversation: how it starts, asks, dies, forgets, is stopped. */
import t from 'tap'
import { until } from '../helpers/home.js'
import { FakeAgent } from './fake-agent.js'
import { gate, Stage } from './stage.js'

/** Begins a turn with each message, and leaves the rest to the test. */
const busy = { onSend: (run: { startTurn(): void }) => run.startTurn() }

t.test('an approval, there and back; only the first answer reaches the agent', async (t) => {
  const agent = new FakeAgent(busy)
  const stage = await Stage.of(t, agent)
  await stage.until('message_accepted')
  agent.last.ask('r1')
  agent.last.question('i1', 'Which?')
  await stage.until('input_request')
  stage.byHand({ type: 'approval_response', requestId: 'r1', decision: 'of course' })
  stage.byHand({ type: 'input_response', requestId: 'r1', content: 'yes' })
  stage.byHand({ type: 'approval_response', requestId: 'r1', decision: 'deny', reason: 'too slow' })
  stage.byHand({ type: 'approval_response', requestId: 'r1', decision: 'allow' })
  stage.byHand({ type: 'input_response', requestId: 'i1', content: 'the first' })
  await until(() => agent.last.answers.length === 1, 'the agent has the answer')
  t.same(agent.last.decisions, [{ requestId: 'r1', decision: 'deny', reason: 'too slow' }])
  t.same(agent.last.answers, [['i1', 'the first']])
  t.equal(stage.state.status, 'running')
  agent.last.endTurn('completed')
  t.same(await stage.verdict, { kind: 'completed' })
  t.same(stage.of('error'), [])
})

t.test('killed from outside: it is resumed, and asked to go on, once', async (t) => {
  const agent = new FakeAgent(busy)
  const stage = await Stage.of(t, agent)
  await stage.until('message_accepted')
  agent.last.ask('r1')
  agent.last.kill()
  await stage.until('message_accepted', { messageId: 'continue-1001' })
  t.same(stage.story(), [
    ...['message_sent prompt new', 'turn_started 1', 'message_accepted prompt', 'approval_request r1'],
    ...['approval_voided r1', 'turn_ended 1 interrupted', 'system', 'user_message continue-1001'],
    ...['message_sent continue-1001 new', 'turn_started 2', 'message_accepted continue-1001'],
  ])
  t.match(agent.last.context, { nativeId: 'native-1001', start: 1002, turns: 1 })
  agent.last.endTurn('completed')
  t.same(await stage.verdict, { kind: 'completed' })
  t.match(stage.of('user_message'), [{ by: 'daemon' }])
  t.equal(stage.paced, 2)
})

t.test('killed between two turns, it has nothing to go on with', async (t) => {
  const agent = new FakeAgent(busy)
  const stage = await Stage.of(t, agent)
  await stage.until('message_accepted')
  const { last } = agent
  last.endTurn('completed')
  last.kill()
  t.same(await stage.verdict, { kind: 'completed' })
  t.same(stage.of('user_message'), [])
})

t.test('killed again and again: three times it is started again, and then that is the end', async (t) => {
  const agent = new FakeAgent({ onSend: (run) => void setImmediate(() => run.kill()) })
  const stage = await Stage.of(t, agent)
  t.match(await stage.verdict, { kind: 'failed', error: /SIGKILL/, cause: { result: 'signal', status: 'KILL' } })
  t.equal(agent.runs.length, 4)
  t.equal(stage.of('system').length, 3)
})

t.test('one that dies of itself is not started again', async (t) => {
  const cause = { result: 'login' as const, message: 'not logged in' }
  const agent = new FakeAgent({
    onStart: (run) => void setImmediate(() => run.end({ kind: 'died', error: 'not logged in', cause, again: false })),
  })
  const stage = await Stage.of(t, agent)
  t.same(await stage.verdict, { kind: 'failed', error: 'not logged in', cause })
  t.same([agent.runs.length, stage.of('message_sent').length], [1, 0])
})

t.test('one that does not take the message', async (t) => {
  const agent = new FakeAgent({ onSend: () => Promise.reject(new Error('the model is unknown')) })
  const stage = await Stage.of(t, agent)
  t.match(await stage.verdict, { kind: 'failed', error: /did not take the message: the model is unknown/ })
  t.equal(agent.last.isOver, true)
})

const earlier = [
  { type: 'daemon_started', by: 'daemon', epoch: 1, pid: 1, unit: 'u', bootId: 'b' },
  { type: 'agent_session', by: 'agent', epoch: 1, nativeId: 'n1' },
  ...['message_sent', 'message_accepted'].map((type) => ({ type, by: 'daemon', epoch: 1, messageId: 'prompt' })),
  { type: 'turn_started', by: 'agent', epoch: 1, turn: 1 },
  { type: 'text', by: 'agent', epoch: 1, content: 'I have begun.' },
  { type: 'turn_ended', by: 'agent', epoch: 1, turn: 1, reason: 'completed' },
  { type: 'session_completed', by: 'daemon', epoch: 1, metadata: {} },
  { type: 'user_message', by: 'user', messageId: 'm1', content: 'and now the rest' },
]

t.test('one that has lost its history begins anew, and is told what was before', async (t) => {
  const agent = new FakeAgent({
    onStart: (run) => {
      if (run.context.nativeId !== 'n1') run.welcome()
      else setImmediate(() => run.end({ kind: 'forgotten', error: 'No conversation found' }))
    },
  })
  const stage = await Stage.of(t, agent, { before: earlier })
  t.same(await stage.verdict, { kind: 'completed' })
  t.same(
    agent.runs.map(({ context }) => context.nativeId),
    ['n1', undefined],
  )
  t.match(stage.of('error'), [{ content: /lost its history \(No conversation found\)/ }])
  t.match(stage.of('agent_session').at(-1), { nativeId: 'native-2002', anew: true })
  t.match(agent.last.messages, [
    { messageId: 'm1', content: /User: the prompt\n\nYou: I have begun\.[\s\S]*and now the rest$/ },
  ])
  await stage.say('m2')
  t.same(await stage.dialogue.run(), { kind: 'completed' })
  t.match(agent.last.context, { nativeId: 'native-2002' })
  t.match(agent.last.messages, [{ messageId: 'm2', content: 'say m2' }], 'told once')
})

t.test('one that has nothing to forget, and says so all the same', async (t) => {
  const agent = new FakeAgent({
    onStart: (run) => void setImmediate(() => run.end({ kind: 'forgotten', error: 'No conversation found' })),
  })
  const stage = await Stage.of(t, agent)
  t.match(await stage.verdict, { kind: 'failed', error: /No conversation found/, cause: { result: 'agent' } })
  t.equal(agent.runs.length, 1)
})

t.test('the permission mode is read back', async (t) => {
  const wider = new FakeAgent({ ...busy, onStart: (run) => run.welcome('bypassPermissions') })
  const ended = await Stage.of(t, wider, { permissionMode: 'plan' })
  t.match(await ended.verdict, {
    kind: 'failed',
    cause: { result: 'permission-mode' },
    error: /bypassPermissions, not in plan/,
  })
  t.equal(wider.last.isOver, true)
  const unknown = await Stage.of(t, new FakeAgent({ onStart: (run) => run.welcome('yolo') }))
  t.match(
    await unknown.verdict,
    { kind: 'failed', cause: { result: 'permission-mode' } },
    'none was asked for: the default',
  )
  const own = await Stage.of(t, new FakeAgent({ modes: undefined, onStart: (run) => run.welcome('yolo') }))
  t.match(await own.verdict, { kind: 'completed' }, 'an agent whose modes are its own')
  const narrower = await Stage.of(t, new FakeAgent({ onStart: (run) => run.welcome('plan') }), {
    permissionMode: 'default',
  })
  t.match(await narrower.verdict, { kind: 'completed' })
  t.match(narrower.of('error'), [{ content: /runs in permission mode plan, not in default/ }])
})

t.test('a mode that changes after the first turn has begun was changed by an answer', async (t) => {
  const agent = new FakeAgent(busy)
  const stage = await Stage.of(t, agent, { permissionMode: 'plan' })
  await stage.until('turn_started')
  agent.last.welcome('bypassPermissions')
  agent.last.endTurn('completed')
  t.same(await stage.verdict, { kind: 'completed' })
  t.equal(stage.state.permissionMode, 'bypassPermissions')
})

t.test('a stop in every state', async (t) => {
  const paced = gate()
  const waiting = new FakeAgent()
  const early = await Stage.of(t, waiting, { hold: paced.opened })
  await until(() => early.paced === 1, 'it waits for its moment')
  early.dialogue.stop()
  paced.open()
  t.same(await early.verdict, { kind: 'stopped' })
  t.equal(waiting.runs.length, 0, 'it was never started')

  const begun = gate()
  const slow = new FakeAgent({ onStart: () => begun.opened })
  const starting = await Stage.of(t, slow)
  await until(() => slow.runs.length === 1, 'it starts')
  starting.dialogue.stop()
  begun.open()
  t.same(await starting.verdict, { kind: 'stopped' })
  t.equal(slow.last.isOver, true)
  t.same(starting.of('message_sent'), [])

  const agent = new FakeAgent(busy)
  const stage = await Stage.of(t, agent)
  await stage.until('message_accepted')
  agent.last.ask('r1')
  stage.dialogue.stop()
  t.same(await stage.verdict, { kind: 'stopped' })
  await stage.output.commit([], 'daemon')
  t.same(stage.story().slice(-2), ['approval_voided r1', 'turn_ended 1 interrupted'])
})

t.test('what an agent says while it is stopped is in the file before the end', async (t) => {
  const agent = new FakeAgent({
    ...busy,
    // Its process is gone, and its last words are read only now.
    onEnd: (run) => void setTimeout(() => run.end({ kind: 'finished' }), 50),
  })
  const stage = await Stage.of(t, agent)
  await stage.until('message_accepted')
  stage.dialogue.stop()
  t.same(await stage.verdict, { kind: 'stopped' })
  t.equal(agent.last.isOver, true)
  await stage.output.commit([], 'daemon')
  t.equal(stage.story().at(-1), 'turn_ended 1 interrupted')
})

t.test('an agent that says nothing is marked, and unmarked', async (t) => {
  const agent = new FakeAgent(busy)
  const stage = await Stage.of(t, agent, { stallTimeout: 0.1 })
  t.match(await stage.until('stalled'), { seconds: 0.1, by: 'daemon' })
  t.equal(stage.state.stalled, 0.1)
  agent.last.say('I was thinking.')
  await stage.until('stall_ended')
  await until(() => stage.of('stalled').length === 2, 'it is silent again')
  agent.last.ask('r1')
  await until(() => stage.of('stall_ended').length === 2, 'it waits for a person')
  await new Promise((resolve) => setTimeout(resolve, 250))
  t.equal(stage.of('stalled').length, 2, 'who waits is not silent')
  agent.last.endTurn('completed')
  t.same(await stage.verdict, { kind: 'completed' })
})

t.test('a receipt that comes behind the end of its turn: the message was had all the same', async (t) => {
  const agent = new FakeAgent({
    steers: false,
    onSend: (run) => {
      run.startTurn()
      run.endTurn('failed')
      return new Promise((resolve) => setImmediate(resolve))
    },
  })
  const stage = await Stage.of(t, agent)
  t.match(await stage.verdict, { kind: 'failed' })
  const types = stage.story()
  t.ok(types.indexOf('message_accepted prompt') < types.indexOf('turn_ended 1 failed'))
  t.equal(types.filter((line) => line === 'message_accepted prompt').length, 1)
})

t.test('a turn that is over before the receipt of its message: nobody waits for another one', async (t) => {
  for (const steers of [true, false]) {
    const agent = new FakeAgent({ steers, onSend: (run) => run.reply('at once') })
    const stage = await Stage.of(t, agent)
    t.same(await stage.verdict, { kind: 'completed' })
    t.equal(agent.last.messages.length, 1)
  }
})
