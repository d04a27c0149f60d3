/**
 * The real claude against the mock model. It may talk to nobody else: HTTPS_PROXY points at a port that refuses.
 * Without the program (`npm ci` in test/agents) this is skipped, but in CI, and with AGENTZ_REQUIRE_AGENTS, it fails.
 */
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { claude } from '../../../src/agents/claude/claude.js'
import { nativeIdOf } from '../../../src/agents/claude/wire.js'
import { treeOf } from '../../../src/agents/tree.js'
import type { Spec } from '../../../src/session/spec.js'
import { startMockModel } from '../../mock-model/start.js'
import { newSpec, record } from '../recorder.js'

const bin = fileURLToPath(new URL('../node_modules/.bin', import.meta.url))
const required = Boolean(process.env.CI || process.env.AGENTZ_REQUIRE_AGENTS)
const skip =
  required || existsSync(join(bin, 'claude')) ? false : 'claude is not installed: run `npm ci` in test/agents'

/** Takes every connection, remembers it and hangs up. */
async function startTripWire() {
  let connections = 0
  const server = createServer((socket) => {
    connections++
    socket.destroy()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    connections: () => connections,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

t.test('claude is found by the caller’s PATH', async (t) => {
  const dir = t.testdir({ claude: '#!/bin/sh\n' })
  t.throws(() => claude.check({}, { PATH: dir }, '/'), { code: 'AGENT_MISSING', hint: /npm install -g @anthropic/ })
  chmodSync(join(dir, 'claude'), 0o755)
  t.equal(claude.check({}, { PATH: dir }, '/'), join(dir, 'claude'))
})

/** A program in the place of claude. */
function fake(t: Test, script: string, more: Partial<Spec> = {}) {
  const dir = t.testdir({ claude: `#!/bin/sh\n${script}\n` })
  chmodSync(join(dir, 'claude'), 0o755)
  const recorder = record(newSpec({ agentType: 'claude', prompt: 'hi', ...more }), {
    PATH: `${dir}:${process.env.PATH}`,
  })
  return { ...recorder, running: claude.start(recorder.context) }
}

const init = `{"type":"system","subtype":"init","session_id":"s","permissionMode":"default"}`

t.test('an exit without a result is a failure that quotes the last words', async (t) => {
  const { running, all } = fake(t, 'echo "no such flag" >&2; exit 1')
  t.match(await running.ended, {
    status: 'failed',
    error: '`claude` exited with status 1 before it had a result: no such flag',
    cause: { result: 'exit-code', code: 'exited', status: 1, message: 'no such flag' },
  })
  t.match(all('system'), [{ content: 'no such flag' }])
  const silent = fake(t, `read line; echo '${init}'`)
  t.match(await silent.running.ended, { status: 'failed', cause: { result: 'agent', status: 0 } })
  t.match(silent.all('turn_ended'), [{ reason: 'failed', error: 'claude has ended' }])
  const login = fake(t, 'echo "Invalid API key · Please run /login" >&2; exit 1')
  t.match(await login.running.ended, { status: 'failed', cause: { result: 'login', status: 1 } })
})

t.test('a program that vanished after the check', async (t) => {
  const recorder = record(newSpec({ agentType: 'claude', prompt: 'hi' }), { PATH: '/nowhere' })
  t.match(await claude.start(recorder.context).ended, { status: 'failed', cause: { result: 'not-found' } })
})

t.test('the prompt goes over stdin; a resumed session is asked to go on', async (t) => {
  const script = `echo "$*" >&2; read line; echo "$line"; echo '{"type":"result","is_error":false}'`
  const begun = fake(t, script, { prompt: 'a secret' })
  t.match(await begun.running.ended, { status: 'completed' })
  t.notMatch(begun.all('system')[0]?.content, /a secret/)
  const recorder = record(begun.context.spec, begun.context.env as Record<string, string>, { nativeId: 'native' })
  await claude.start(recorder.context).ended
  t.match(recorder.all('system')[0]?.content, /--resume native/)
})

t.test('a deaf claude is killed, its children too', async (t) => {
  const { running, until } = fake(
    t,
    `trap '' INT TERM; setsid sleep 600 & read line; echo '${init}'; while :; do wait; done`,
  )
  await until('turn_started')
  const pid = running.pid ?? 0
  const members = treeOf([pid])
  t.equal(members.length, 2)
  await running.stop()
  t.same(treeOf(members.map((member) => member.pid)), [])
  t.match(await running.ended, { status: 'failed', cause: { result: 'stopped' } })
})

t.test('the real claude', { skip }, async (t) => {
  if (!existsSync(join(bin, 'claude'))) return t.fail('claude is not installed: run `npm ci` in test/agents')
  const mock = await startMockModel()
  const tripWire = await startTripWire()
  t.teardown(async () => {
    await mock.stop()
    await tripWire.close()
  })

  function begin(
    t: Test,
    prompt: string,
    more: Partial<Spec> = {},
    key: Record<string, string> = { ANTHROPIC_API_KEY: 'mock' },
  ) {
    const dir = t.testdir({ home: {}, project: {} })
    const workingDir = join(dir, 'project')
    const env = {
      PATH: `${bin}:${process.env.PATH}`,
      HOME: join(dir, 'home'),
      ANTHROPIC_BASE_URL: mock.url,
      ...key,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
      DISABLE_AUTOUPDATER: '1',
      HTTPS_PROXY: tripWire.url,
      NO_PROXY: '127.0.0.1',
    }
    const recorder = record(newSpec({ agentType: 'claude', prompt: `MOCK: ${prompt}`, workingDir, ...more }), env)
    return { ...recorder, workingDir, running: claude.start(recorder.context) }
  }
  const texts = (all: { content?: string | undefined }[]) =>
    all.map(({ content }) => content).filter((content) => content !== undefined)

  t.test('an answer, and the session that gave it', async (t) => {
    const { running, all, events, warnings } = begin(t, 'think A sentence of the answer.')
    t.match(await running.ended, {
      status: 'completed',
      metadata: { turns: 1, durationMs: Number, usage: { output: 17 }, toolStats: { totalCalls: 0 }, editedFiles: [] },
    })
    t.match(all('agent_session'), [
      { nativeId: nativeIdOf('0123456789ab'), permissionMode: 'default', agentVersion: /^2\./ },
    ])
    t.same(texts(all('text')), ['A sentence of the answer.'])
    t.same(texts(all('thinking')), ['I am thinking about it.'])
    t.equal(events.filter((event) => JSON.stringify(event).includes('A sentence of the answer.')).length, 1)
    t.match(all('turn_ended'), [{ turn: 1, reason: 'completed' }])
    t.same(all('raw'), [])
    t.same(warnings, [])
  })

  t.test('an action is asked for, and allowed', async (t) => {
    const { running, until, all, workingDir } = begin(t, 'bash echo yes > made ;; text All done.')
    const { requestId, input } = await until('approval_request')
    t.match(input, { command: 'echo yes > made' })
    await running.decide?.({ requestId, decision: 'allow' })
    t.match(await running.ended, { status: 'completed', metadata: { toolStats: { byTool: { Bash: 1 } } } })
    t.equal(readFileSync(join(workingDir, 'made'), 'utf8'), 'yes\n')
    t.match(all('tool_result'), [{ toolId: all('tool_use')[0]?.toolId, isError: false }])
    t.same(texts(all('text')).at(-1), 'All done.')
    await t.rejects(async () => running.decide?.({ requestId, decision: 'allow' }), { code: 'CONFLICT' })
  })

  t.test('denied, with a reason that reaches the model', async (t) => {
    const { running, until, all, workingDir } = begin(t, 'write made.txt no')
    const { requestId, tool } = await until('approval_request')
    t.equal(tool, 'Write')
    await running.decide?.({ requestId, decision: 'deny', reason: 'not in this directory' })
    t.match(await running.ended, { status: 'completed', metadata: { editedFiles: [] } })
    t.match(all('tool_result'), [{ isError: true, content: 'not in this directory' }])
    t.match(texts(all('text')).at(-1), /The tool said: .*not in this directory/)
    t.notOk(existsSync(join(workingDir, 'made.txt')))
  })

  t.test('always means that it is not asked again', async (t) => {
    const { running, until, all } = begin(t, 'bash touch made ;; bash touch made ;; text Both done.')
    const { requestId } = await until('approval_request')
    await running.decide?.({ requestId, decision: 'allow_always' })
    t.match(await running.ended, { status: 'completed', metadata: { toolStats: { totalCalls: 2 } } })
    t.equal(all('approval_request').length, 1)
  })

  t.test('an edit is counted', async (t) => {
    const { running, until } = begin(t, 'write made.txt yes')
    const { requestId } = await until('approval_request')
    await running.decide?.({ requestId, decision: 'allow' })
    t.match(await running.ended, { status: 'completed', metadata: { editedFiles: [/made\.txt$/] } })
  })

  t.test('an error of the model', async (t) => {
    const { running, all } = begin(t, 'error 400')
    t.match(await running.ended, {
      status: 'failed',
      error: /API Error: 400/,
      cause: { result: 'agent', status: 400 },
    })
    t.match(all('error'), [{ content: /API Error: 400/ }])
    t.match(all('turn_ended'), [{ reason: 'failed' }])
  })

  t.test('nobody is logged in', async (t) => {
    const { running } = begin(t, 'text hi', {}, {})
    t.match(await running.ended, { status: 'failed', error: /\/login/, cause: { result: 'login' } })
  })

  t.test('an answer that breaks off does not hang', async (t) => {
    const { running, all } = begin(t, 'cut')
    const outcome = await running.ended
    t.ok(['completed', 'failed'].includes(outcome.status), JSON.stringify(outcome))
    t.equal(all('turn_ended').length, 1)
  })

  t.test('stopped while it streams', async (t) => {
    const { running, until, all } = begin(t, 'slow 10000 20')
    const { delta } = await until('text', ({ partial }) => partial === true)
    t.match(delta?.[0], /^tick/)
    const members = treeOf([running.pid ?? 0])
    await running.stop()
    t.same(treeOf(members.map(({ pid }) => pid)), [])
    t.match(await running.ended, { status: 'failed', cause: { result: 'stopped' } })
    t.match(all('turn_ended'), [{ reason: 'interrupted' }])
    t.match(texts(all('text')), [/^tick0 tick1 /], 'what was said so far is there, whole')
  })

  t.test('stopped while a tool runs: nothing of it stays', async (t) => {
    const { running, until, all, workingDir } = begin(t, 'bash echo $$ > pid; until test -e never; do sleep 1; done')
    const { requestId } = await until('approval_request')
    await running.decide?.({ requestId, decision: 'allow' })
    const pid = await appears(join(workingDir, 'pid'))
    t.ok(treeOf([running.pid ?? 0]).some((member) => member.pid === pid))
    await running.stop()
    t.same(treeOf([pid]), [])
    t.equal(all('tool_result').length, 1)
  })

  t.test('an interrupt voids the open question and ends the turn', async (t) => {
    const { running, until, all } = begin(t, 'bash touch made')
    const { requestId } = await until('approval_request')
    await running.interrupt?.()
    t.match(all('approval_voided'), [{ requestId }])
    t.match(await running.ended, { status: 'failed', error: 'the turn was interrupted', cause: { result: 'agent' } })
  })

  t.test(
    'as root all permissions cannot be had, and it says so',
    { skip: process.getuid?.() !== 0 && 'for root only' },
    async (t) => {
      const { running } = begin(t, 'text hi', { permissionMode: 'bypassPermissions' })
      t.match(await running.ended, { status: 'failed', error: /cannot be used with root/, cause: { status: 1 } })
    },
  )

  t.test('nobody but the mock was called', async (t) => {
    t.equal(tripWire.connections(), 0)
    t.ok((await mock.requests()).length > 0)
  })
})

/** Waits for a file with a number in it. */
async function appears(file: string): Promise<number> {
  for (;;) {
    const number = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
    if (number > 0) return number
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
