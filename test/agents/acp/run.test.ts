/** The runner against a fake agent: turns, questions, cancels, and what an agent may do wrong. */
import t from 'tap'
import { treeOf } from '../../../src/base/tree.js'
import { fakes, prompt, texts } from './fake.js'

const fake = await fakes(t)

t.test('a session, its mode read back, and turns', async (t) => {
  const agent = await fake(t)
  await agent.running.ready
  t.match(agent.all('agent_session'), [{ nativeId: 'native', permissionMode: 'default', agentVersion: '1.2.3' }])
  await prompt(agent, 'Hello there.')
  t.same(texts(agent), ['Hello there.'])
  t.match(agent.all('usage'), [{ scope: 'turn', input: 13, output: 5, cached: 3, costUsd: 0.25 }])
  await prompt(agent, 'Once more.')
  t.match(agent.all('turn_started'), [{ turn: 1 }, { turn: 2 }])
  t.match(agent.all('turn_ended'), [
    { turn: 1, reason: 'completed' },
    { turn: 2, reason: 'completed' },
  ])
  t.match(agent.all('usage')[1], { costUsd: 0.25 }, 'the cost of this turn, not of all')
  t.same(agent.all('raw'), [])
  await agent.running.finish()
  t.same(await agent.running.ended, { kind: 'finished' })
})

t.test('a question: allowed, allowed for good, denied', async (t) => {
  const agent = await fake(t, { context: { start: 7 } })
  const answers = [
    ['allow', 'selected y null'],
    ['allow_always', 'selected a null'],
    ['deny', 'selected n null'],
  ] as const
  for (const [at, [decision, answer]] of answers.entries()) {
    const turn = prompt(agent, 'ask')
    const requestId = `s7-${at + 1}`
    const request = await agent.until('approval_request', (event) => event.requestId === requestId)
    t.match(request, {
      tool: 'execute',
      input: { command: 'touch made' },
      title: 'touch made',
      toolId: `tool-${at + 1}`,
    })
    t.same(request.options, [
      { decision: 'allow', label: 'Yes' },
      { decision: 'allow_always', label: 'Always' },
      { decision: 'deny', label: 'No', reason: false },
    ])
    await agent.running.decide({ requestId, decision, reason: 'because' })
    await turn
    t.match(agent.all('tool_result').at(-1), { toolId: request.toolId, content: answer, isError: false })
    await t.rejects(agent.running.decide({ requestId, decision }), { code: 'CONFLICT' })
  }
  t.equal(agent.all('tool_use').length, 3)
})

t.test('a tool that is first heard of when it asks; a denial where none is offered', async (t) => {
  const agent = await fake(t, { how: 'late,no-no' })
  const turn = prompt(agent, 'ask')
  const { requestId } = await agent.until('approval_request')
  t.equal(
    agent.events.findIndex(({ type }) => type === 'tool_use') + 1,
    agent.events.findIndex(({ type }) => type === 'approval_request'),
  )
  await agent.running.decide({ requestId, decision: 'deny' })
  await turn
  t.match(agent.all('tool_result'), [{ content: /^cancelled/ }])
})

t.test('our own agent: ids of tools, reasons, and questions that are asked again', async (t) => {
  const profile = { own: true } as const
  const agent = await fake(t, { profile, context: { open: new Set(['tool-1', 'lost']) } })
  const turn = prompt(agent, 'ask')
  await agent.until('turn_started')
  while (true) {
    const taken = await agent.running.decide({ requestId: 'tool-1', decision: 'deny', reason: 'not today' }).then(
      () => true,
      () => false,
    )
    if (taken) break
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await turn
  t.same([agent.all('approval_request'), agent.all('tool_use')], [[], []], 'both stand in the file already')
  t.match(agent.all('tool_result'), [{ toolId: 'tool-1', content: /^selected n .*agentz\/reason.*not today/ }])
  t.match(agent.all('approval_voided'), [{ requestId: 'lost' }])
  await agent.running.send({ messageId: 'again', content: 'ask' })
  t.match(await agent.until('approval_request'), { requestId: 'tool-2', options: [{}, {}, { reason: true }] })
  process.kill(agent.running.pid ?? 0, 'SIGKILL')
  t.match(await agent.running.ended, { kind: 'died', again: true, cause: { result: 'signal', status: 'KILL' } })
  t.match(agent.all('turn_ended').at(-1), { turn: 2, reason: 'interrupted' })
  t.equal(agent.all('approval_voided').length, 1, 'the question stays open')
  t.equal(agent.all('tool_result').length, 1, 'and the tool that waits for it')
})

t.test('a form', async (t) => {
  const agent = await fake(t)
  const turn = prompt(agent, 'form')
  const { requestId, question } = await agent.until('input_request')
  t.equal(question, 'Which colour?')
  await agent.running.answer(requestId, 'blue')
  await turn
  t.same(texts(agent), ['{"action":"accept","content":{"colour":"blue"}}'])
})

t.test('cancelled while it answers, while it asks, and while it is silent', async (t) => {
  const agent = await fake(t)
  await agent.running.ready
  await agent.running.interrupt()
  await agent.running.send({ messageId: 'a', content: 'hang' })
  await t.rejects(agent.running.send({ messageId: 'b', content: 'too early' }), { code: 'CONFLICT' })
  await agent.running.interrupt()
  t.match(agent.all('turn_ended'), [{ reason: 'interrupted' }])
  t.same(texts(agent), ['I begin. '])

  await agent.running.send({ messageId: 'c', content: 'ask' })
  const { requestId } = await agent.until('approval_request')
  await agent.running.interrupt()
  t.match(agent.all('approval_voided'), [{ requestId, why: 'the turn was interrupted' }])
  t.match(agent.all('turn_ended')[1], { reason: 'interrupted' })
  await t.rejects(agent.running.decide({ requestId, decision: 'allow' }), { code: 'CONFLICT' })

  await prompt(agent, 'It can still be talked with.')
  const members = treeOf([agent.running.pid ?? 0])
  const sent = agent.running.send({ messageId: 'd', content: 'silent' })
  sent.catch(() => undefined)
  await agent.running.stop()
  await t.rejects(sent, { code: 'CONFLICT' })
  t.same(await agent.running.ended, { kind: 'finished' })
  t.same(treeOf(members.map(({ pid }) => pid)), [])
  t.equal(agent.all('turn_started').length, agent.all('turn_ended').length)
})

t.test('a question that is withdrawn', async (t) => {
  const agent = await fake(t)
  await prompt(agent, 'withdraw')
  t.match(agent.all('approval_voided'), [{ why: 'fake withdrew the question' }])
})

t.test('how turns end', async (t) => {
  const agent = await fake(t)
  for (const word of ['max_tokens', 'max_turn_requests', 'refusal', 'end_turn']) await prompt(agent, `stop ${word}`)
  await prompt(agent, 'error 529 Overloaded')
  await prompt(agent, 'error 401 wrong key')
  t.match(agent.all('turn_ended'), [
    { reason: 'failed', error: /limit of its tokens/, cause: { result: 'agent' } },
    { reason: 'failed', error: /limit of its calls/ },
    { reason: 'failed', error: /refuses/ },
    { reason: 'completed' },
    { reason: 'failed', error: 'Overloaded', cause: { result: 'overloaded', status: 529 } },
    { reason: 'failed', error: 'wrong key', cause: { result: 'login', status: 401 } },
  ])
})

t.test('a mode that changes on the way is told', async (t) => {
  const agent = await fake(t)
  await prompt(agent, 'mode plan')
  t.equal(agent.all('agent_session').at(-1)?.permissionMode, 'plan')
})

t.test('killed from outside', async (t) => {
  const agent = await fake(t)
  await agent.running.ready
  await agent.running.send({ messageId: 'a', content: 'die' })
  t.match(await agent.running.ended, { kind: 'died', again: true, error: /ended by SIGKILL/ })
  t.match(agent.all('turn_ended'), [{ reason: 'interrupted' }])
  t.same(texts(agent), ['I die. '])
})
