/** The agent as the rest of agentz sees it, and programs that stand in its place and misbehave. */
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { codex } from '../../../src/agents/codex/codex.js'
import { treeOf } from '../../../src/base/tree.js'
import { until } from '../../helpers/home.js'
import { newSpec, record } from '../recorder.js'

t.test('codex is found by the caller’s PATH', async (t) => {
  const dir = t.testdir({ codex: '#!/bin/sh\n' })
  t.throws(() => codex.check({}, { PATH: dir }, '/'), { code: 'AGENT_MISSING', hint: /npm install -g @openai/ })
  chmodSync(join(dir, 'codex'), 0o755)
  t.equal(codex.check({}, { PATH: dir }, '/'), join(dir, 'codex'))
})

t.test('whether somebody is logged in', async (t) => {
  const dir = t.testdir({ empty: {}, home: { '.codex': { 'auth.json': '{}' } } })
  const file = join(dir, 'home/.codex/auth.json')
  t.same(codex.login({ HOME: join(dir, 'home') }), { state: 'yes', detail: file })
  t.same(codex.login({ HOME: dir, CODEX_HOME: join(dir, 'home/.codex') }), { state: 'yes', detail: file })
  t.match(codex.login({ HOME: dir, OPENAI_API_KEY: 'secret' }), { state: 'unknown', detail: /^OPENAI_API_KEY/ })
  t.same(codex.login({ HOME: join(dir, 'empty') }), { state: 'no', detail: 'run `codex login`' })
})

/** A program in the place of codex: a shell script, with a few words of the protocol at hand. */
async function fake(t: Test, script: string, nativeId?: string) {
  const dir = t.testdir({ codex: `#!/bin/sh\n${words}\n${script}\n` })
  chmodSync(join(dir, 'codex'), 0o755)
  const env = { PATH: `${dir}:${process.env.PATH}`, HOME: dir }
  const recorder = record(newSpec({ agentType: 'codex', workingDir: dir }), env, { nativeId })
  const running = await codex.start(recorder.context)
  t.after(() => running.stop())
  const sent = () => running.send({ messageId: 'm1', content: 'a secret' })
  return { ...recorder, running, dir, sent }
}

/** Each word reads the request that it answers; their numbers count up from 1. */
const words = `
hello() { read a; echo '{"id":1,"result":{"userAgent":"agentz/1.2.3 (x)"}}'; read b; read c; echo '{"id":2,"result":{"account":null,"requiresOpenaiAuth":false}}'; read opening; }
open() { hello; echo '{"id":3,"result":{"thread":{"id":"T"},"approvalPolicy":"untrusted","sandbox":{"type":"workspaceWrite"}}}'; }
news() { echo '{"method":"'"$1"'","params":{"threadId":"T","turnId":"t1",'"$2"'}}'; }
item() { news item/completed '"item":{"id":"i","type":'"$1"'}'; }
begin() { read turn; echo '{"id":4,"result":{"turn":{"id":"t1"}}}'; news turn/started '"turn":{"id":"t1"}'; }
taken() { item '"userMessage","clientId":"m1"'; }
end() { news turn/completed '"turn":{"id":"t1","status":"completed"}'; }
ask() { echo '{"id":'"$1"',"method":"'"$2"'","params":{"threadId":"T","questions":[{"id":"q","question":"Which?"}]}}'; }
`

t.test('an end unasked quotes the last words, without the stack below them', async (t) => {
  const { running, all } = await fake(t, `echo 'Error: no home\n\nStack backtrace:\n   0: <unknown>' >&2; exit 1`)
  t.match(await running.ended, { kind: 'died', error: '`codex` exited with status 1: Error: no home', again: false })
  t.match(all('system'), [{ content: 'Error: no home' }])
  t.equal(await Promise.race([running.ready.then(() => 'ready'), Promise.resolve('pending')]), 'pending')
})

t.test('a signal from outside is a reason to start it again, and closes the turn', async (t) => {
  const { running, all, sent } = await fake(t, 'open; begin; kill -KILL $$')
  await running.ready
  await t.rejects(sent(), { code: 'CONFLICT', message: /SIGKILL before it took the message/ })
  t.match(await running.ended, { kind: 'died', cause: { result: 'signal', status: 'KILL' }, again: true })
  t.match(all('turn_ended'), [{ reason: 'interrupted', error: '`codex` was ended by SIGKILL' }])
})

t.test('a program that vanished after the check', async (t) => {
  const recorder = record(newSpec({ agentType: 'codex' }), { PATH: '/nowhere' })
  const running = await codex.start(recorder.context)
  t.match(await running.ended, { kind: 'died', cause: { result: 'not-found' }, again: false })
})

t.test('what is said goes over stdin, and is told as taken before the end of its turn', async (t) => {
  const script = 'echo "$*" >&2; open; begin; all=$(taken; end); echo "$all"; read rest; echo "$turn" > turn'
  const { running, events, all, context, until: told, sent, dir } = await fake(t, script)
  await running.ready
  await sent()
  context.emit([{ type: 'message_accepted', messageId: 'm1' }])
  await told('turn_ended')
  const order = events.map(({ type }) => type).filter((type) => /^(turn|message)/.test(type))
  t.same(order, ['turn_started', 'message_accepted', 'turn_ended'])
  t.equal(all('system')[0]?.content, 'app-server')
  t.match(all('agent_session'), [{ nativeId: 'T', agentVersion: '1.2.3', permissionMode: 'default' }])
  await running.finish()
  t.same(await running.ended, { kind: 'finished' })
  t.match(JSON.parse(readFileSync(join(dir, 'turn'), 'utf8')), {
    params: { threadId: 'T', clientUserMessageId: 'm1', input: [{ text: 'a secret' }] },
  })
})

t.test('lines that nobody understands are kept, and do no harm', async (t) => {
  const odd = ['not JSON', '{"method":', '[1]', '{"x":1}', '{"method":"of/the/future"}']
  const script = `open; ${odd.map((line) => `echo '${line}'`).join('; ')}; echo '{"id":99,"result":{}}'; begin; taken; end; read rest`
  const { running, all, warnings, until: told, sent } = await fake(t, script)
  await running.ready
  await sent()
  await told('turn_ended')
  t.same(
    all('raw').map(({ raw }) => raw),
    [...odd.slice(0, 3), { x: 1 }, { method: 'of/the/future' }],
  )
  t.same(warnings, ['codex answers what nobody asked'])
})

t.test('a flood of words is gathered, and told whole', async (t) => {
  const count = 20_000
  const delta = '{"method":"item/agentMessage/delta","params":{"threadId":"T","itemId":"i","delta":"word "}}'
  const script = `open; begin; taken; yes '${delta}' | head -n ${count}; end; read rest`
  const { running, all, until: told, sent } = await fake(t, script)
  await running.ready
  await sent()
  await told('turn_ended')
  const whole = all('text').filter(({ content }) => content !== undefined)
  t.match(whole, [{ content: 'word '.repeat(count) }])
  t.ok(all('text').length < count / 10)
})

t.test('what cannot be served is refused at once, and a question is answered once', async (t) => {
  const script = `open; begin; taken; ask 7 item/tool/call; read no; echo "$no" > no; ask 8 item/tool/requestUserInput; read yes; echo "$yes" > yes; end; read rest`
  const { running, all, until: told, dir, sent } = await fake(t, script)
  await running.ready
  await sent()
  const { requestId, question } = await told('input_request')
  t.same([requestId, question], ['s1-1', 'Which?'])
  await running.answer(requestId, 'the red one')
  await t.rejects(running.answer(requestId, 'the blue one'), { code: 'CONFLICT' })
  await told('turn_ended')
  t.match(JSON.parse(readFileSync(join(dir, 'no'), 'utf8')), { id: 7, error: { message: 'not supported' } })
  t.match(JSON.parse(readFileSync(join(dir, 'yes'), 'utf8')), {
    id: 8,
    result: { answers: { q: { answers: ['the red one'] } } },
  })
  t.equal(all('raw').length, 1)
})

t.test('one that refuses to open the thread is ended', async (t) => {
  const refusal = (message: string) =>
    `hello; echo '{"id":3,"error":{"code":-32600,"message":"${message}"}}'; cat > rest`
  const { running } = await fake(t, refusal('the policy is not allowed'))
  t.match(await running.ended, { kind: 'died', error: /could not start: .*policy is not allowed/, again: false })
  const { running: lost } = await fake(t, refusal('no rollout found for thread id x'), 'x')
  t.match(await lost.ended, { kind: 'forgotten', error: /no rollout found/ })
})

t.test('one that says nothing and is deaf is killed, its children too', async (t) => {
  const { running, dir } = await fake(t, `trap '' TERM; setsid sleep 600 & touch begun; while :; do wait; done`)
  await until(() => existsSync(join(dir, 'begun')), 'it runs')
  const members = treeOf([running.pid ?? 0])
  t.equal(members.length, 2)
  await running.interrupt()
  await running.stop()
  t.same(treeOf(members.map((member) => member.pid)), [])
  t.same(await running.ended, { kind: 'finished' })
})
