import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startMockModel } from '../../mock-model/start.js'
import { Chat } from './driver.js'

const mock = await startMockModel()
t.teardown(() => mock.stop())
const chatOf = (t: Test) =>
  new Chat(t, 'cerebras', { CEREBRAS_BASE_URL: mock.url, CEREBRAS_API_KEY: 'the-key', OTHER: 'told' })
const lastResult = async () => (await mock.requests()).at(-1)?.lastResult

t.test('allowed: asked first, told, done', async (t) => {
  const chat = chatOf(t)
  const driver = await chat.start()
  const turn = driver.prompt('MOCK: write a.txt hello ;; text Done.')
  const { toolCallId, params, answer } = await driver.question()
  t.match(driver.updates.at(-1), { sessionUpdate: 'tool_call', toolCallId, kind: 'edit', name: 'write_file' })
  t.match(params.toolCall, { title: 'Write a.txt', rawInput: { path: 'a.txt', content: 'hello' } })
  t.match(params.toolCall, { locations: [{ path: join(chat.cwd, 'a.txt') }] })
  t.match(params.options, [{ kind: 'allow_once' }, { kind: 'allow_always' }, { kind: 'reject_once' }])
  t.notOk(existsSync(join(chat.cwd, 'a.txt')))
  answer('allow_once')
  t.match(await turn, { stopReason: 'end_turn', _meta: { 'agentz/usage': { output: 34 } } })
  t.equal(readFileSync(join(chat.cwd, 'a.txt'), 'utf8'), 'hello')
  t.same(driver.tools, ['call Write a.txt', 'in_progress', 'completed'])
})

t.test('denied: the model reads the reason, and goes on', async (t) => {
  const chat = chatOf(t)
  const driver = await chat.start()
  const turn = driver.prompt('MOCK: bash touch made')
  ;(await driver.question()).answer('reject_once', 'not today')
  t.match(await turn, { stopReason: 'end_turn' })
  t.equal(await lastResult(), 'A person has denied this, and says: not today')
  t.match(driver.said, /The tool said: A person has denied this/)
  t.same(driver.tools, ['call touch made', 'failed'])
  t.notOk(existsSync(join(chat.cwd, 'made')))
  const second = driver.prompt('MOCK: bash touch made')
  ;(await driver.question(2)).answer('reject_once')
  await second
  t.equal(await lastResult(), 'A person has denied this.')
})

t.test('always: the same command is not asked for again, and another one is; also by the next process', async (t) => {
  const chat = chatOf(t)
  const first = await chat.start()
  const turn = first.prompt('MOCK: bash echo 1 >> a ;; bash echo 1 >> a ;; bash echo 2 >> a ;; text Done.')
  ;(await first.question()).answer('allow_always')
  ;(await first.question(2)).answer('allow_once')
  await turn
  t.equal(first.asked.length, 2)
  await first.kill()
  const second = await chat.start(first.sessionId)
  await second.prompt('MOCK: bash echo 1 >> a ;; text Done.')
  t.equal(second.asked.length, 0)
  t.equal(readFileSync(join(chat.cwd, 'a'), 'utf8'), '1\n1\n2\n1\n')
})

t.test('modes', async (t) => {
  const chat = chatOf(t)
  const plan = await chat.start(undefined, 'plan')
  await plan.prompt('MOCK: tool shell {"command":"touch made"}')
  t.same((await mock.requests()).at(-1)?.tools, ['read_file', 'list_files', 'search'])
  t.notOk(existsSync(join(chat.cwd, 'made')))
  t.match(await lastResult(), /shell/)

  const edits = await chatOf(t).start(undefined, 'acceptEdits')
  const turn = edits.prompt('MOCK: write a.txt hello ;; bash touch made ;; text Done.')
  const { params, answer } = await edits.question()
  t.match(params.toolCall, { kind: 'execute' })
  answer('allow_once')
  await turn

  const free = await chatOf(t).start(undefined, 'bypassPermissions')
  await free.prompt('MOCK: write a.txt hello ;; bash echo $OTHER $CEREBRAS_API_KEY.')
  t.equal(free.asked.length, 0)
  t.equal(await lastResult(), 'told .\n', 'commands do not get the key')
})

t.test('what lies outside is asked for, by whatever way it is named', async (t) => {
  const chat = chatOf(t)
  const outside = t.testdir({ secret: 'the secret' })
  symlinkSync(outside, join(chat.cwd, 'link'))
  const driver = await chat.start(undefined, 'acceptEdits')
  const turn = driver.prompt(
    'MOCK: tool read_file {"path":"link/secret"} ;; tool write_file {"path":"link/new","content":""} ;; text Done.',
  )
  const { params, answer } = await driver.question()
  t.match(params.toolCall, { title: /^Read .*secret \(outside of the working directory\)$/ })
  answer('reject_once')
  ;(await driver.question(2)).answer('reject_once')
  await turn
  t.notOk(existsSync(join(outside, 'new')))
})

t.test('a path that leads elsewhere once it is allowed is not followed', async (t) => {
  const chat = chatOf(t)
  const outside = t.testdir()
  mkdirSync(join(chat.cwd, 'dir'))
  const driver = await chat.start()
  const turn = driver.prompt('MOCK: write dir/a.txt hello')
  const { answer } = await driver.question()
  rmSync(join(chat.cwd, 'dir'), { recursive: true })
  symlinkSync(outside, join(chat.cwd, 'dir'))
  answer('allow_once')
  await turn
  t.match(driver.result, /leads elsewhere/)
  t.notOk(existsSync(join(outside, 'a.txt')))
})

t.test('nor if the process that asked for it is another one than the one that hears the answer', async (t) => {
  const chat = chatOf(t)
  const outside = t.testdir()
  mkdirSync(join(chat.cwd, 'dir'))
  const first = await chat.start()
  void first.prompt('MOCK: write dir/a.txt hello')
  await first.question()
  await first.kill()
  rmSync(join(chat.cwd, 'dir'), { recursive: true })
  symlinkSync(outside, join(chat.cwd, 'dir'))
  const second = await chat.start(first.sessionId)
  await second.prompt('Go on.', { 'agentz/continue': true })
  t.match(second.result, /leads elsewhere/)
  t.same(second.asked, [], 'the question that a person has seen was about another file')
  t.notOk(existsSync(join(outside, 'a.txt')))
})

t.test('calls that are wrong are answered, and the model goes on', async (t) => {
  const chat = chatOf(t)
  writeFileSync(join(chat.cwd, 'file'), '')
  const driver = await chat.start()
  const script = 'tool no_such_tool {} ;; tool read_file {} ;; tool read_file {"path":"missing"} ;; text Done.'
  t.match(await driver.prompt(`MOCK: ${script}`), { stopReason: 'end_turn' })
  t.same(driver.tools, [
    'call no_such_tool',
    'failed',
    'call read_file',
    'failed',
    'call Read missing',
    'in_progress',
    'failed',
  ])
  t.match(driver.said, /Done\.$/)
})

t.test('a large result reaches people, and the model in parts', async (t) => {
  const driver = await chatOf(t).start(undefined, 'bypassPermissions')
  await driver.prompt('MOCK: bash yes 1234567 | head -c 20000000 ;; text Done.')
  t.ok((driver.result?.length ?? 0) > 700_000)
  t.match(await lastResult(), /bytes are missing here/)
  t.ok(((await lastResult())?.length ?? 0) < 100_000)
})
