/** The real codex against the mock model. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { AgentContext } from '../../../src/agents/agent.js'
import { codex } from '../../../src/agents/codex/codex.js'
import { codexModes } from '../../../src/agents/codex/wire.js'
import { treeOf } from '../../../src/base/tree.js'
import { tempDir, until } from '../../helpers/home.js'
import { prepareAgent, skipOf, startTripWire } from '../../helpers/real-agents.js'
import { startMockModel } from '../../mock-model/start.js'
import { newSpec, record } from '../recorder.js'

const mock = await startMockModel()
const tripWire = await startTripWire()

/** A place for several starts of one session. */
function place(t: Test) {
  const dir = tempDir(t)
  const env = prepareAgent('codex', dir, { model: mock.url, proxy: tripWire.url })
  const workingDir = join(dir, 'work')
  mkdirSync(workingDir)
  let ids = 0
  const start = async (permissionMode = 'default', more: Partial<AgentContext> = {}) => {
    const recorder = record(newSpec({ agentType: 'codex', workingDir, permissionMode }), env, more)
    const running = await codex.start(recorder.context)
    t.after(() => running.stop())
    const send = (script: string) => running.send({ messageId: `m${++ids}`, content: `MOCK: ${script}` })
    const ends = (n: number) => until(() => recorder.all('turn_ended').length >= n, `turn ${n} has ended`)
    const texts = () => recorder.all('text').flatMap(({ content }) => content ?? [])
    return { ...recorder, running, send, ends, texts }
  }
  return { start, env, workingDir, path: (name: string) => join(workingDir, name) }
}

const only = { skip: skipOf('codex'), timeout: 60_000 }

t.test('a turn, and the program without the script before it', only, async (t) => {
  const { start } = place(t)
  const { running, send, ends, all, texts } = await start()
  await running.ready
  t.match(all('agent_session'), [{ model: 'mock-model', permissionMode: 'default', agentVersion: /^\d+\.\d+\.\d+/ }])
  const [program = ''] = readFileSync(`/proc/${running.pid}/cmdline`, 'utf8').split('\0')
  t.match(program, /vendor\/.*\/codex$/)
  await send('think so it is')
  await ends(1)
  t.same(texts(), ['so it is'])
  t.match(all('usage'), [{ scope: 'step', input: 120, output: 17, cached: 100 }])
  t.same(all('raw'), [])
  await running.finish()
  t.match(await running.ended, { kind: 'finished' })
  await t.rejects(running.send({ messageId: 'late', content: 'x' }), { code: 'CONFLICT' })
})

t.test('approvals: once, always in this session, and never', only, async (t) => {
  const { start, path } = place(t)
  const { running, send, ends, all, until: event } = await start()
  await running.ready
  const decided = async (n: number, decision: 'allow' | 'allow_always' | 'deny') => {
    const { requestId } = await event('approval_request', (request) => request.requestId === `s1-${n}`)
    await running.decide({ requestId, decision })
  }
  await send('bash echo 1 >> a.txt ;; bash echo 1 >> a.txt ;; bash echo 2 >> b.txt ;; text end')
  await decided(1, 'allow')
  await decided(2, 'allow_always')
  await decided(3, 'deny')
  await ends(1)
  t.equal(readFileSync(path('a.txt'), 'utf8'), '1\n1\n')
  t.equal(existsSync(path('b.txt')), false)
  t.match(all('tool_result').at(-1), { content: '[declined]', isError: true })
  await send('bash echo 1 >> a.txt ;; text end')
  await ends(2)
  t.equal(all('approval_request').length, 3, 'what is always allowed is not asked again')
  t.match(all('approval_request')[0], { tool: 'commandExecution', title: 'echo 1 >> a.txt', toolId: /^call/ })
  await t.rejects(running.decide({ requestId: 's1-1', decision: 'allow' }), { code: 'CONFLICT' })
})

t.test('an interrupted command is ended, and a message that waited for it is not lost', only, async (t) => {
  const { start } = place(t)
  const { running, send, ends, all, until: event, texts } = await start('acceptEdits')
  await running.ready
  await send('bash sleep 47')
  await event('tool_use')
  const { pid = 0 } = running
  const commands = () => treeOf([pid]).filter((member) => member.pid !== pid)
  await until(() => commands().length > 0, 'the command runs')
  const steered = send('text steered')
  await running.interrupt()
  t.same(commands(), [])
  t.match(all('turn_ended'), [{ reason: 'interrupted' }])
  t.match(all('tool_result'), [{ content: '[no result: the turn was interrupted]' }])
  await steered
  await ends(2)
  t.same(texts().slice(1), ['steered'])
  await send('bash echo alive ;; text end')
  await ends(3)
  t.match(all('tool_result').at(-1), { content: 'alive\n', isError: false })
  await running.interrupt()
})

t.test('after a kill the history tells which messages it had', only, async (t) => {
  const { start } = place(t)
  const first = await start()
  await first.running.ready
  const { nativeId } = await first.until('agent_session')
  await first.send('bash touch never.txt')
  await first.until('approval_request')
  process.kill(first.running.pid ?? 0, 'SIGKILL')
  t.match(await first.running.ended, { kind: 'died', again: true })
  t.match(first.all('approval_voided'), [{ requestId: 's1-1' }])
  t.match(first.all('turn_ended'), [{ turn: 1, reason: 'interrupted' }])

  const second = await start('plan', { nativeId, start: 2, turns: 1 })
  await second.running.ready
  t.match(second.all('agent_session'), [{ nativeId, permissionMode: 'plan' }])
  t.equal(await second.running.has({ messageId: 'm1', content: '' }), true)
  t.equal(await second.running.has({ messageId: 'm2', content: '' }), false)
  await second.send('text on')
  await second.ends(1)
  t.match(second.all('turn_ended'), [{ turn: 2, reason: 'completed' }])
  t.equal(second.all('usage').length, 1, 'nothing is told again')
  await second.running.stop()
  t.match(await second.running.ended, { kind: 'finished' })
  t.same(treeOf([second.running.pid ?? 0]), [])

  const lost = await start('plan', { nativeId: '01a204d5-1cf1-7182-8418-000000000000' })
  t.match(await lost.running.ended, { kind: 'forgotten', error: /no rollout found/ })
})

t.test('each mode is the one that codex says it runs in', only, async (t) => {
  const { start } = place(t)
  for (const mode of codexModes) {
    const { running, until: event } = await start(mode)
    t.match(await event('agent_session'), { permissionMode: mode })
    await running.stop()
  }
})

t.test('an error of the model, and a missing login', only, async (t) => {
  const { start, env } = place(t)
  const { running, send, ends, all } = await start()
  await running.ready
  await send('error 400')
  await ends(1)
  t.match(all('turn_ended'), [{ reason: 'failed', error: 'mock error 400', cause: { result: 'agent' } }])
  await running.stop()
  // The provider that is built in, where nobody is logged in.
  writeFileSync(join(env.HOME ?? '', '.codex/config.toml'), '[features]\nplugins = false\n')
  const { running: out } = await start()
  t.match(await out.ended, { kind: 'died', error: /codex login/, cause: { result: 'login' }, again: false })
})

// Not in a teardown: that waits until nothing runs any more, and the mock does.
t.test('nobody but the mock was called', async (t) => {
  t.same(tripWire.tripped, [])
  await Promise.all([mock.stop(), tripWire.close()])
})
