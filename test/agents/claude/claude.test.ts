/** The agent as the rest of agentz sees it, and programs that stand in its place and misbehave. */
import { chmodSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { claude } from '../../../src/agents/claude/claude.js'
import { treeOf } from '../../../src/base/tree.js'
import type { Spec } from '../../../src/session/spec.js'
import { until } from '../../helpers/home.js'
import { newSpec, record } from '../recorder.js'

t.test('claude is found by the caller’s PATH', async (t) => {
  const dir = t.testdir({ claude: '#!/bin/sh\n' })
  t.throws(() => claude.check({}, { PATH: dir }, '/'), { code: 'AGENT_MISSING', hint: /npm install -g @anthropic/ })
  chmodSync(join(dir, 'claude'), 0o755)
  t.equal(claude.check({}, { PATH: dir }, '/'), join(dir, 'claude'))
})

t.test('whether somebody is logged in', async (t) => {
  const dir = t.testdir({ empty: {}, home: { '.claude': { '.credentials.json': '{}' } } })
  const file = join(dir, 'home/.claude/.credentials.json')
  t.same(claude.login({ HOME: join(dir, 'home') }), { state: 'yes', detail: file })
  t.same(claude.login({ HOME: dir, CLAUDE_CONFIG_DIR: join(dir, 'home/.claude') }), { state: 'yes', detail: file })
  t.same(claude.login({ HOME: dir, ANTHROPIC_API_KEY: 'secret' }), { state: 'yes', detail: 'ANTHROPIC_API_KEY' })
  const { state, detail } = claude.login({ HOME: join(dir, 'empty'), ANTHROPIC_API_KEY: '' })
  t.equal(state, process.platform === 'darwin' ? 'unknown' : 'no')
  t.notMatch(detail, dir)
})

/** A program in the place of claude: a shell script, with a few words of the protocol at hand. */
async function fake(t: Test, script: string, more: Partial<Spec> = {}, nativeId?: string) {
  const dir = t.testdir({ claude: `#!/bin/sh\n${words}\n${script}\n` })
  chmodSync(join(dir, 'claude'), 0o755)
  const env = { PATH: `${dir}:${process.env.PATH}`, HOME: dir }
  const recorder = record(newSpec({ agentType: 'claude', workingDir: dir, ...more }), env, { nativeId })
  const running = await claude.start(recorder.context)
  return { ...recorder, running, dir }
}

/** The first two lines that it reads are our own requests. */
const words = `
ready() { read a; read b; echo '{"type":"control_response","response":{"subtype":"success","request_id":"mode","response":{"mode":"default"}}}'; }
init() { echo '{"type":"system","subtype":"init","session_id":"s","permissionMode":"default"}'; }
say() { echo '{"type":"assistant","message":{"content":[{"type":"text","text":"said"}]}}'; }
result() { echo '{"type":"result","is_error":false}'; }
taken() { echo "$1" | sed 's/"type":"user"/"type":"user","isReplay":true/'; }
`
const message = { messageId: 'm1', content: 'a secret' }

t.test('an end unasked quotes the last words, and is no reason to start it again', async (t) => {
  const { running, all } = await fake(t, 'echo "no such flag" >&2; exit 1')
  t.match(await running.ended, {
    kind: 'died',
    error: '`claude` exited with status 1: no such flag',
    cause: { result: 'exit-code', code: 'exited', status: 1, message: 'no such flag' },
    again: false,
  })
  t.match(all('system'), [{ content: 'no such flag' }])
  const login = await fake(t, 'echo "Invalid API key · Please run /login" >&2; exit 1')
  t.match(await login.running.ended, { kind: 'died', cause: { result: 'login', status: 1 } })
  const silent = await fake(t, 'ready; init')
  t.match(await silent.running.ended, { kind: 'died', cause: { result: 'agent', status: 0 } })
  t.match(silent.all('turn_ended'), [{ reason: 'failed', error: '`claude` exited with status 0' }])
})

t.test('a signal from outside is a reason to start it again', async (t) => {
  const { running, all } = await fake(t, 'ready; init; kill -KILL $$')
  t.match(await running.ended, { kind: 'died', cause: { result: 'signal', status: 'KILL' }, again: true })
  t.match(all('turn_ended'), [{ reason: 'interrupted', error: '`claude` was ended by SIGKILL' }])
})

t.test('a program that vanished after the check', async (t) => {
  const recorder = record(newSpec({ agentType: 'claude' }), { PATH: '/nowhere' })
  const running = await claude.start(recorder.context)
  t.match(await running.ended, { kind: 'died', cause: { result: 'not-found' }, again: false })
})

t.test('what is said goes over stdin, and only the session’s id is an argument', async (t) => {
  const script = 'echo "$*" >&2; ready; read line; init; taken "$line"; result; read end'
  const begun = await fake(t, script)
  await begun.running.ready
  await begun.running.send(message)
  await begun.running.finish()
  t.same(await begun.running.ended, { kind: 'finished' })
  t.match(begun.all('system')[0]?.content, /--session-id [0-9a-f-]{36}$/)
  t.notMatch(begun.all('system')[0]?.content, /a secret/)
  const resumed = await fake(t, script, { permissionMode: 'plan' }, 'native')
  await resumed.running.stop()
  t.match(resumed.all('system')[0]?.content, /--permission-mode plan --resume native$/)
})

t.test('a message is told as taken before the end of its turn, though all came in one piece', async (t) => {
  for (const [how, reply] of [
    ['it is repeated', 'all=$(init; taken "$line"; say; result); echo "$all"'],
    ['a slash command, which is never repeated', 'all=$(init; say; result); echo "$all"'],
  ] as const) {
    const { running, events, context, until: told } = await fake(t, `ready; read line; ${reply}; read end`)
    await running.ready
    await running.send(message)
    context.emit([{ type: 'message_accepted', messageId: 'm1' }])
    await told('turn_ended')
    const order = events.map(({ type }) => type).filter((type) => /^(turn|message)/.test(type))
    t.same(order, ['turn_started', 'message_accepted', 'turn_ended'], how)
    await running.finish()
  }
})

t.test('a message that it did not take before its end is refused', async (t) => {
  const { running } = await fake(t, 'ready; read line; exit 3')
  await running.ready
  await t.rejects(running.send(message), { code: 'CONFLICT', message: /exited with status 3.* before it took/ })
  await t.rejects(running.send(message), { code: 'CONFLICT', message: /does not read any more/ })
  await t.rejects(running.decide({ requestId: 'q', decision: 'allow' }), { code: 'CONFLICT' })
  await t.rejects(running.answer('q', 'x'), { code: 'CONFLICT' })
  await running.interrupt()
  await running.finish()
  await running.stop()
})

t.test('one that refuses the permission mode is ended, and never ready', async (t) => {
  const refusal = '{"type":"control_response","response":{"subtype":"error","request_id":"mode","error":"not allowed"}}'
  const { running } = await fake(t, `read a; read b; echo '${refusal}'; cat > rest`)
  t.match(await running.ended, {
    kind: 'died',
    error: 'claude refused the permission mode: not allowed',
    cause: { result: 'permission-mode' },
    again: false,
  })
  t.equal(await Promise.race([running.ready.then(() => 'ready'), Promise.resolve('pending')]), 'pending')
})

t.test('a deaf claude is killed, its children too', async (t) => {
  const { running, until: told } = await fake(
    t,
    `trap '' INT TERM; setsid sleep 600 & ready; init; while :; do wait; done`,
  )
  await told('turn_started')
  const members = treeOf([running.pid ?? 0])
  t.equal(members.length, 2)
  await running.stop()
  t.same(treeOf(members.map((member) => member.pid)), [])
  t.same(await running.ended, { kind: 'finished' })
})

t.test('stop also interrupts the turn that a waiting message begins', async (t) => {
  const aborted = `echo '{"type":"result","is_error":true,"terminal_reason":"aborted_streaming"}'`
  const script = `ready; read one; init; taken "$one"; read two; read stop; ${aborted}; sleep 0.1; init; taken "$two"; read again; echo "$again" > again; ${aborted}; read end`
  const { running, all, dir } = await fake(t, script)
  await running.ready
  await running.send(message)
  const second = running.send({ messageId: 'm2', content: 'more' })
  await running.stop()
  await second
  await until(() => existsSync(join(dir, 'again')), 'the second turn is interrupted')
  t.match(all('turn_ended'), [{ reason: 'interrupted' }, { reason: 'interrupted' }])
})
