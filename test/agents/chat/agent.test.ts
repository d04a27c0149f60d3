import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startMockModel } from '../../mock-model/start.js'
import { Chat } from './driver.js'

const mock = await startMockModel()
t.teardown(() => mock.stop())
const local = { CEREBRAS_BASE_URL: mock.url }
const chatOf = (t: Test, env: Record<string, string> = local) => new Chat(t, 'cerebras', env)

t.test('it says who it is, what it can, and how it stands', async (t) => {
  const driver = chatOf(t).spawn()
  const hello = await driver.call('initialize', { protocolVersion: 1, clientCapabilities: {} })
  t.match(hello, {
    protocolVersion: 1,
    agentInfo: { name: 'agentz-cerebras', version: /^\d/ },
    agentCapabilities: { loadSession: true, sessionCapabilities: { resume: {} } },
  })
  const session = await driver.call('session/new', { cwd: t.testdir(), mcpServers: [] })
  t.match(session, {
    sessionId: /^[0-9a-f-]{36}$/,
    modes: { currentModeId: 'default', availableModes: [{ id: 'plan' }, {}, {}, {}] },
    models: { currentModelId: 'mock-model' },
  })
})

t.test('settings that are wrong end the start, in a sentence', async (t) => {
  const refusal = (env: Record<string, string>) => chatOf(t, env).start()
  await t.rejects(refusal({}), { code: -32000, message: /CEREBRAS_API_KEY is not set/ })
  await t.rejects(refusal({ CEREBRAS_BASE_URL: 'nowhere' }), { code: -32602, message: /no address/ })
  await t.rejects(refusal({ ...local, AGENTZ_HISTORY: join(t.testdir(), 'missing/x') }), { message: /cannot append/ })
})

t.test('sessions, modes and directories that are not there', async (t) => {
  const driver = await chatOf(t).start()
  const { sessionId } = driver
  const gone = { cwd: t.testdir(), mcpServers: [], sessionId: 'unknown' }
  for (const method of ['session/resume', 'session/load']) {
    await t.rejects(driver.call(method, gone), { code: -32002 }, method)
  }
  await t.rejects(driver.call('session/new', { cwd: '/no/such/place', mcpServers: [] }), { message: /ENOENT/ })
  await t.rejects(driver.call('session/set_mode', { sessionId, modeId: 'dontAsk' }), { message: /no mode dontAsk/ })
  await t.rejects(driver.call('session/prompt', { sessionId: 'other', prompt: [] }), { code: -32002 })
  await t.rejects(driver.call('session/unheard_of', {}), { code: -32601 })
  t.match(await driver.prompt('MOCK: text It still works.'), { stopReason: 'end_turn' })
})

t.test('a message that is too long is refused, and the conversation goes on', async (t) => {
  const driver = await chatOf(t).start()
  await t.rejects(driver.prompt('x'.repeat(1024 * 1024)), { message: /longer than 1048576/ })
  t.match(await driver.prompt('MOCK: text It goes on.'), { stopReason: 'end_turn' })
})

t.test('the address of the server, with the version and without', async (t) => {
  for (const path of ['', '/', '/v1', '/v1/', '/a/v1']) {
    const before = (await mock.requests()).length
    const driver = await chatOf(t, { CEREBRAS_BASE_URL: mock.url + path }).start()
    await driver.prompt('MOCK: text Hello.')
    const [request] = (await mock.requests()).slice(before)
    t.match(request?.path, /^(\/a)?\/v1\/chat\/completions$/, path)
  }
})

t.test('an answer comes in pieces, with thoughts and usage', async (t) => {
  const driver = await chatOf(t).start()
  const answer = await driver.prompt('MOCK: think So it is.')
  t.same(answer, { stopReason: 'end_turn', _meta: { 'agentz/usage': { input: 120, output: 17, cached: 100 } } })
  t.equal(driver.said, 'So it is.')
  t.equal(driver.thought, 'I am thinking about it.')
  t.ok(driver.updates.length >= 4)
  t.equal(driver.stderr, '')
})

t.test('the model is chosen in each of three ways', async (t) => {
  const model = async () => ((await mock.requests()).at(-1) as { model?: string } | undefined)?.model
  const chat = chatOf(t)
  const driver = await chat.start()
  await driver.prompt('MOCK: text x')
  t.equal(await model(), 'mock-model')
  await driver.call('session/set_model', { sessionId: driver.sessionId, modelId: 'second' })
  await driver.prompt('MOCK: text x')
  t.equal(await model(), 'second')
  const meta = { _meta: { 'agentz/model': 'third' } }
  const { sessionId } = await driver.call('session/new', { cwd: chat.cwd, mcpServers: [], ...meta })
  driver.sessionId = String(sessionId)
  await driver.prompt('MOCK: text x')
  t.equal(await model(), 'third')
  const wrong = { sessionId: driver.sessionId, modelId: '' }
  await t.rejects(driver.call('session/set_model', wrong), { message: /names no model/ })
})

t.test('a conversation that is loaded is told once more', async (t) => {
  const chat = chatOf(t)
  const first = await chat.start()
  writeFileSync(join(chat.cwd, 'file'), '')
  await first.prompt('MOCK: tool list_files {} ;; text Seen.', { 'agentz/messageId': 'm1' })
  await first.end()
  const driver = chat.spawn()
  await driver.call('initialize', { protocolVersion: 1, clientCapabilities: {} })
  const params = { cwd: chat.cwd, mcpServers: [], sessionId: first.sessionId }
  t.match(await driver.call('session/load', params), { _meta: { 'agentz/messages': ['m1'] } })
  t.equal(driver.said, 'I am using a tool.Seen.')
  t.same(driver.tools, ['call list_files', 'completed'])
  t.match(driver.updates[0], { sessionUpdate: 'user_message_chunk', content: { text: /^MOCK: / } })
})
