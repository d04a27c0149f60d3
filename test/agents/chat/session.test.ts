import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { until } from '../../helpers/home.js'
import { startMockModel } from '../../mock-model/start.js'
import { processesWith } from '../contract/stage.js'
import { Chat } from './driver.js'

const mock = await startMockModel()
t.teardown(() => mock.stop())
const chatOf = (t: Test) => new Chat(t, 'cerebras', { CEREBRAS_BASE_URL: mock.url })
const goOn = (start: number) => ({ 'agentz/continue': true, 'agentz/messageId': `continue-${start}` })
const last = async () => (await mock.requests()).at(-1)

t.test('killed while a question waits: the same question is asked again, and its answer counts', async (t) => {
  const chat = chatOf(t)
  const first = await chat.start()
  void first.prompt('MOCK: bash echo once >> made ;; text Done.', { 'agentz/messageId': 'prompt' })
  const before = await first.question()
  await first.kill()
  const second = await chat.start(first.sessionId)
  t.match(second.begun, { _meta: { 'agentz/messages': ['prompt'] } })
  const requests = (await mock.requests()).length
  const turn = second.prompt('Go on.', goOn(2))
  const again = await second.question()
  t.equal(again.toolCallId, before.toolCallId)
  t.same(again.params.toolCall, before.params.toolCall)
  t.same(second.tools, [], 'the call is not told again')
  t.equal((await mock.requests()).length, requests, 'the model is not asked for it again')
  again.answer('allow_once')
  t.match(await turn, { stopReason: 'end_turn' })
  t.equal(readFileSync(join(chat.cwd, 'made'), 'utf8'), 'once\n')
  t.match(second.said, /^Done\.$/)
  t.notOk(
    chat.records.some(({ text }) => text === 'Go on.'),
    'the word to go on is no part of the conversation',
  )
  t.equal(statSync(chat.history).mode & 0o777, 0o600)
})

t.test('killed twice with the same question, which is denied at last', async (t) => {
  const chat = chatOf(t)
  let driver = await chat.start()
  void driver.prompt('MOCK: bash touch made')
  const { toolCallId } = await driver.question()
  for (const start of [2, 3]) {
    await driver.kill()
    driver = await chat.start(driver.sessionId)
    void driver.prompt('Go on.', goOn(start))
    t.equal((await driver.question()).toolCallId, toolCallId)
  }
  ;(await driver.question()).answer('reject_once', 'enough')
  await until(async () => (await last())?.lastResult?.includes('enough') === true, 'the model hears it')
  t.notOk(existsSync(join(chat.cwd, 'made')))
})

t.test('whoever asked for it is gone while a question waits: it is still open for the next process', async (t) => {
  const chat = chatOf(t)
  let driver = await chat.start()
  void driver.prompt('MOCK: bash touch made ;; text Done.')
  const { toolCallId } = await driver.question()
  for (const how of ['end', 'terminate'] as const) {
    t.same(await driver[how](), [0, null])
    driver = await chat.start(driver.sessionId)
    void driver.prompt('Go on.', goOn(how.length))
    t.equal((await driver.question()).toolCallId, toolCallId, how)
  }
  ;(await driver.question()).answer('allow_once')
  await until(() => existsSync(join(chat.cwd, 'made')), 'it is done')
})

t.test('killed while a tool runs: it is not run again, and the model is told that nobody knows', async (t) => {
  const chat = chatOf(t)
  const first = await chat.start(undefined, 'bypassPermissions')
  void first.prompt('MOCK: bash echo once >> made; sleep 61.5 ;; text Done.')
  await until(() => existsSync(join(chat.cwd, 'made')), 'the tool runs')
  await first.kill()
  for (const pid of processesWith('cmdline', 'sleep\x0061.5')) process.kill(pid, 'SIGKILL')
  const second = await chat.start(first.sessionId, 'bypassPermissions')
  t.match(await second.prompt('Go on.', goOn(2)), { stopReason: 'end_turn' })
  t.match((await last())?.lastResult, /interrupted\. Whether it was done/)
  t.equal(readFileSync(join(chat.cwd, 'made'), 'utf8'), 'once\n')
  t.same(second.tools, [], 'the client has closed it already')
})

t.test('killed while an answer streams: the model is asked again', async (t) => {
  const chat = chatOf(t)
  const first = await chat.start()
  void first.prompt('MOCK: slow 20 30')
  await until(() => first.said.includes('tick1'), 'it streams')
  await first.kill()
  const second = await chat.start(first.sessionId)
  await second.prompt('Go on.', goOn(2))
  t.match(second.said, /^tick0 .*tick19$/)
  t.same((await last())?.scripts, ['slow 20 30'])
})

t.test('a word to go on, where all was said, is a message', async (t) => {
  const chat = chatOf(t)
  const driver = await chat.start()
  await driver.prompt('MOCK: text Done.')
  await driver.prompt('MOCK: text More.', goOn(2))
  t.match(driver.said, /Done\.More\./)
})

t.test('another message instead of an answer: the question is closed', async (t) => {
  const chat = chatOf(t)
  const first = await chat.start()
  void first.prompt('MOCK: bash touch made ;; text Done.')
  await first.question()
  await first.kill()
  const second = await chat.start(first.sessionId)
  t.match(await second.prompt('MOCK: text Something else.'), { stopReason: 'end_turn' })
  t.equal(second.asked.length, 0)
  t.match(second.said, 'Something else.')
  t.match(
    chat.records.find(({ type }) => type === 'result'),
    { outcome: 'interrupted', text: /next message came first/ },
  )
})
