import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../../helpers/home.js'
import { Chat } from './driver.js'

t.test('the demonstration from its start to a follow-up in the next process', async (t) => {
  const chat = new Chat(t, 'demo')
  const first = await chat.start()
  t.match(first.begun, { models: { currentModelId: 'scripted' } })
  const opening = first.prompt('Show me, fast.')
  const { params, answer } = await first.question()
  t.match(first.said, /^I am a scripted demonstration; no model is behind this\./)
  t.ok(first.thought)
  t.same(first.tools.slice(0, 3), ['call List .', 'in_progress', 'completed'], 'looking around is not asked for')
  t.match(params.toolCall, { title: 'Write agentz-demo.txt' })
  answer('allow_once')
  t.match(await opening, { stopReason: 'end_turn' })
  t.ok(existsSync(join(chat.cwd, 'agentz-demo.txt')))
  t.match(first.said, /agentz send/)
  await first.kill()

  const second = await chat.start(first.sessionId)
  const followUp = second.prompt('Are you still there?')
  const question = await second.question()
  t.match(second.said, /You said: "Are you still there\?"\. I remember one message/)
  t.match(question.params.toolCall, { rawInput: { command: 'date' } })
  question.answer('reject_once', 'I have a watch')
  t.match(await followUp, { stopReason: 'end_turn' })
  t.match(second.said, /says: I have a watch/)
})

t.test('it streams so that people can read, and stops at once', async (t) => {
  const driver = await new Chat(t, 'demo').start()
  const began = performance.now()
  const turn = driver.prompt('Show me.')
  await until(() => driver.said.split(' ').length > 5, 'some words are said')
  t.ok(performance.now() - began > 500)
  const before = performance.now()
  driver.cancel()
  t.match(await turn, { stopReason: 'cancelled' })
  t.ok(performance.now() - before < 1000)
})
