import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { until } from '../../helpers/home.js'
import { startMockModel } from '../../mock-model/start.js'
import { processesWith } from '../contract/stage.js'
import { Chat } from './driver.js'

const mock = await startMockModel()
t.teardown(() => mock.stop())
const chatOf = (t: Test) => new Chat(t, 'cerebras', { CEREBRAS_BASE_URL: mock.url })
const last = async () => (await mock.requests()).at(-1)

t.test('errors of the model are told with their status, and the conversation goes on', async (t) => {
  const driver = await chatOf(t).start()
  for (const status of [400, 401, 429, 529]) {
    const before = (await mock.requests()).length
    await t.rejects(driver.prompt(`MOCK: error ${status}`), {
      message: new RegExp(`^The model answered with HTTP status ${status}: .*mock error ${status}$`),
      data: { status },
    })
    t.equal((await mock.requests()).length - before, status > 401 ? 3 : 1, 'how often it was tried')
  }
  t.match(await driver.prompt('MOCK: text It goes on.'), { stopReason: 'end_turn' })
  t.equal((await last())?.scripts?.length, 5, 'the model knows all that was said')
  t.equal(driver.stderr, '')
})

t.test('that it has a message is told when the message is on the disk, whatever the model does', async (t) => {
  const chat = chatOf(t)
  const driver = await chat.start()
  void driver.prompt('MOCK: hang', { 'agentz/messageId': 'm1' })
  await until(() => driver.updates.length > 0, 'it says something')
  t.match(driver.updates, [{ sessionUpdate: 'user_message_chunk', content: { text: 'MOCK: hang' } }])
  t.match(chat.records.at(-1), { type: 'message', messageId: 'm1', text: 'MOCK: hang' })
})

t.test('an answer that breaks off', async (t) => {
  const chat = chatOf(t)
  const driver = await chat.start()
  await t.rejects(driver.prompt('MOCK: cut'), { message: /^The model's answer broke off: terminated/ })
  t.match(chat.records.at(-1), { type: 'answer', text: 'This answer breaks off' })
  t.match(await driver.prompt('MOCK: text It goes on.'), { stopReason: 'end_turn' })
})

t.test('a server that is not there', async (t) => {
  const driver = await new Chat(t, 'cerebras', { CEREBRAS_BASE_URL: 'http://127.0.0.1:1' }).start()
  await t.rejects(driver.prompt('Hello'), { message: /^The model cannot be reached: .*/ })
})

t.test('cancelled while an answer streams', async (t) => {
  const chat = chatOf(t)
  const driver = await chat.start()
  const turn = driver.prompt('MOCK: slow 400 50')
  await until(() => driver.said.includes('tick1'), 'it streams')
  driver.cancel()
  t.match(await turn, { stopReason: 'cancelled' })
  await until(async () => (await last())?.hungUp === true, 'the model is hung up on')
  t.match(chat.records.at(-1), { type: 'answer', text: /^tick0 tick1/ })
  t.match(await driver.prompt('MOCK: text It goes on.'), { stopReason: 'end_turn' })
})

t.test('cancelled while the model is silent', async (t) => {
  const driver = await chatOf(t).start()
  const before = (await mock.requests()).length
  const turn = driver.prompt('MOCK: hang')
  await until(async () => (await mock.requests()).length > before, 'it was asked')
  driver.cancel()
  t.match(await turn, { stopReason: 'cancelled' })
})

t.test('cancelled while a tool runs: nothing of it is left', async (t) => {
  const chat = chatOf(t)
  const driver = await chat.start(undefined, 'bypassPermissions')
  const mark = `never-${randomBytes(6).toString('hex')}`
  const loop = `until [ -e ${mark} ]; do sleep 0.1; done`
  const turn = driver.prompt(`MOCK: bash setsid sh -c 'touch started; ${loop}' & ${loop}`)
  await until(() => existsSync(join(chat.cwd, 'started')), 'the tool runs')
  t.ok(processesWith('cmdline', mark).length >= 2)
  driver.cancel()
  t.match(await turn, { stopReason: 'cancelled' })
  t.same(processesWith('cmdline', mark), [])
  t.match(driver.tools.at(-1), 'failed')
  t.match(chat.records.at(-1), { type: 'result', outcome: 'interrupted', text: /stopped/ })
})

t.test('cancelled while a question waits, by the client or by its answer', async (t) => {
  const chat = chatOf(t)
  const driver = await chat.start()
  const first = driver.prompt('MOCK: bash touch made ;; text Done.')
  await driver.question()
  driver.cancel()
  t.match(await first, { stopReason: 'cancelled' })
  const second = driver.prompt('MOCK: bash touch made ;; text Done.')
  ;(await driver.question(2)).answer(undefined)
  t.match(await second, { stopReason: 'cancelled' })
  t.notOk(existsSync(join(chat.cwd, 'made')))
  t.match(await driver.prompt('MOCK: text It goes on.'), { stopReason: 'end_turn' })
})

t.test('a second prompt at once is refused; a message that it has is not taken twice', async (t) => {
  const chat = chatOf(t)
  const driver = await chat.start()
  const first = driver.prompt('MOCK: slow 5 20', { 'agentz/messageId': 'm1' })
  await t.rejects(driver.prompt('MOCK: text x'), { message: /has not been answered/ })
  await first
  await driver.prompt('MOCK: slow 5 20', { 'agentz/messageId': 'm1' })
  t.equal(chat.records.filter(({ type }) => type === 'message').length, 1)
})
