/** The real claude against the mock model, one process for several messages. It may talk to nobody else. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { AgentContext } from '../../../src/agents/agent.js'
import { claude } from '../../../src/agents/claude/claude.js'
import { nativeIdOf } from '../../../src/agents/claude/wire.js'
import { treeOf } from '../../../src/base/tree.js'
import { tempDir, until } from '../../helpers/home.js'
import { prepareAgent, skipOf, startTripWire } from '../../helpers/real-agents.js'
import { startMockModel } from '../../mock-model/start.js'
import { newSpec, ownSession, record } from '../recorder.js'

t.test('the real claude', { skip: skipOf('claude') }, async (t) => {
  const mock = await startMockModel()
  const tripWire = await startTripWire()
  t.teardown(async () => {
    await mock.stop()
    await tripWire.close()
  })

  interface How {
    readonly mode?: string
    readonly env?: Record<string, string>
    readonly context?: Partial<AgentContext>
    /** Of an earlier start, with its HOME. */
    readonly dir?: string
  }

  /** Starts claude and waits until it takes messages. */
  async function begin(t: Test, { mode, env = {}, context = {}, dir = tempDir(t) }: How = {}) {
    const environment = { ...prepareAgent('claude', dir, { model: mock.url, proxy: tripWire.url }), ...env }
    const spec = newSpec({
      agentType: 'claude',
      workingDir: dir,
      ...(mode === undefined ? {} : { permissionMode: mode }),
    })
    const recorder = record(spec, environment, context)
    const running = await claude.start(recorder.context)
    t.teardown(() => running.stop())
    await Promise.race([running.ready, running.ended])
    let messages = 0
    const send = (script: string, messageId = `m${++messages}`) =>
      running.send({ messageId, content: `MOCK: ${script}` })
    const whole = () => recorder.all('text').flatMap(({ content }) => (content === undefined ? [] : [content]))
    const turns = (n: number) => until(() => recorder.all('turn_ended').length >= n, `${n} turns have ended`)
    return { ...recorder, running, send, whole, turns, dir }
  }
  const appears = (path: string) => until(() => existsSync(path), `${path} is made`)

  t.test('an answer, the session that gave it, and its own end', async (t) => {
    const { running, send, all, events, whole, turns, warnings } = await begin(t)
    t.match(all('agent_session'), [{ nativeId: nativeIdOf(ownSession, 1), permissionMode: 'default' }])
    await send('think A sentence of the answer.')
    await turns(1)
    t.match(all('agent_session').at(-1), { permissionMode: 'default', agentVersion: /^2\./, model: /claude/ })
    t.same(whole(), ['A sentence of the answer.'])
    t.equal(events.filter((event) => JSON.stringify(event).includes('A sentence of the answer.')).length, 1)
    t.ok(all('thinking').some(({ content }) => content === 'I am thinking about it.'))
    t.match(all('turn_ended'), [{ turn: 1, reason: 'completed' }])
    t.same(all('raw'), [])
    const members = treeOf([running.pid ?? 0])
    await running.finish()
    t.same(await running.ended, { kind: 'finished' })
    t.same(treeOf(members.map(({ pid }) => pid)), [])
    t.same(warnings, [])
  })

  t.test('allowed; denied with a reason that reaches the model; always; all on one process', async (t) => {
    const { running, send, all, until: told, whole, turns, dir } = await begin(t)
    await send('bash echo yes > made ;; text All done.')
    const first = await told('approval_request')
    t.match(first, { tool: 'Bash', input: { command: 'echo yes > made' } })
    await running.decide({ requestId: first.requestId, decision: 'allow' })
    await turns(1)
    t.equal(readFileSync(join(dir, 'made'), 'utf8'), 'yes\n')
    t.equal(whole().at(-1), 'All done.')
    await t.rejects(running.decide({ requestId: first.requestId, decision: 'allow' }), { code: 'CONFLICT' })

    await send('write denied.txt no')
    const second = await told('approval_request', ({ requestId }) => requestId !== first.requestId)
    await running.decide({ requestId: second.requestId, decision: 'deny', reason: 'not in this directory' })
    await turns(2)
    t.match(all('tool_result').at(-1), { isError: true, content: 'not in this directory' })
    t.match(whole().at(-1), /The tool said: .*not in this directory/)
    t.notOk(existsSync(join(dir, 'denied.txt')))

    await send('bash touch again ;; bash touch again ;; text Both done.')
    const third = await told('approval_request', ({ input }) => /again/.test(JSON.stringify(input)))
    await running.decide({ requestId: third.requestId, decision: 'allow_always' })
    await turns(3)
    t.equal(all('approval_request').length, 3)
    t.equal(whole().at(-1), 'Both done.')
    t.notOk(existsSync(join(dir, '.claude')), 'the answer has changed no settings')
  })

  t.test('it asks something itself, and is answered in words of one’s own', async (t) => {
    const { running, send, until: told, whole, turns } = await begin(t)
    const questions = [
      { question: 'Which?', header: 'C', multiSelect: false, options: [option('red'), option('blue')] },
    ]
    await send(`tool AskUserQuestion ${JSON.stringify({ questions })}`)
    const { requestId, question, options } = await told('input_request')
    t.same([question, options], ['Which?', ['red', 'blue']])
    await running.answer(requestId, 'green')
    await turns(1)
    t.match(whole().at(-1), /"Which\?"="green"/)
    await t.rejects(running.answer(requestId, 'red'), { code: 'CONFLICT' })
  })

  t.test('interrupted while it streams, in a tool and with a question; then it takes a further message', async (t) => {
    const { running, send, all, until: told, whole, turns, dir } = await begin(t)
    await running.interrupt()
    await send('slow 1000 20')
    await told('text', ({ partial }) => partial === true)
    await running.interrupt()
    t.match(all('turn_ended'), [{ reason: 'interrupted', cause: { result: 'agent' } }])
    t.match(whole(), [/^tick0 tick1 /], 'what was said so far is there, whole')

    await send('bash echo $$ > pid; until test -e never; do sleep 0.1; done')
    await running.decide({ requestId: (await told('approval_request')).requestId, decision: 'allow' })
    await appears(join(dir, 'pid'))
    await until(() => Number(readFileSync(join(dir, 'pid'), 'utf8')) > 0, 'its pid is written')
    const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'))
    t.ok(treeOf([running.pid ?? 0]).some((member) => member.pid === pid))
    await running.interrupt()
    t.match(all('turn_ended')[1], { reason: 'interrupted' })
    await until(() => treeOf([pid]).length === 0, 'the tool is gone')
    t.equal(all('tool_result').length, 1)

    await send('bash touch made')
    const { requestId } = await told('approval_request', ({ input }) => /touch made/.test(JSON.stringify(input)))
    await running.interrupt()
    t.match(all('approval_voided'), [{ requestId }])
    t.match(all('turn_ended')[2], { turn: 3, reason: 'interrupted' })

    await send('text Still here.')
    await turns(4)
    t.equal(whole().at(-1), 'Still here.')
  })

  t.test('messages while it is busy: after the text, within the tools, and also behind an interrupt', async (t) => {
    const { running, send, all, until: told, whole, turns, dir } = await begin(t)
    await send('slow 30 20')
    await Promise.all([send('text Second.'), send('text Third.')])
    await turns(2)
    t.equal(whole().at(-1), 'Third.', 'both began one turn')
    for (const messageId of ['m1', 'm2', 'm3']) {
      const content = `MOCK: ${{ m1: 'slow 30 20', m2: 'text Second.', m3: 'text Third.' }[messageId]}`
      await until(async () => (await running.has({ messageId, content })) === true, `the history has ${messageId}`)
    }

    await send('bash touch busy; until test -e go; do sleep 0.1; done ;; text Tool over.')
    await running.decide({ requestId: (await told('approval_request')).requestId, decision: 'allow' })
    await appears(join(dir, 'busy'))
    const folded = running.send({ messageId: 'folded', content: 'By the way.' })
    writeFileSync(join(dir, 'go'), '')
    await folded
    await turns(3)
    t.equal(whole().at(-1), 'Tool over.')
    const has = () => running.has({ messageId: 'folded', content: 'By the way.' })
    await until(async () => (await has()) === true, 'the history has what came within the turn')

    await send('slow 1000 20')
    const waiting = send('text Taken all the same.')
    await running.interrupt()
    await waiting
    await turns(5)
    t.match(all('turn_ended').slice(3), [{ reason: 'interrupted' }, { reason: 'completed' }])
    t.equal(whole().at(-1), 'Taken all the same.')
    t.equal(await running.has({ messageId: 'never', content: 'Never said.' }), undefined)
  })

  t.test('a silent model: the message is known to be taken all the same', async (t) => {
    const { running, send, all, dir } = await begin(t)
    await send('hang')
    t.equal(await running.has({ messageId: 'm1', content: '' }), true)
    t.ok(readdirSync(join(dir, 'home/.claude/projects')).length > 0)
    await running.interrupt()
    t.match(all('turn_ended'), [{ reason: 'interrupted' }])
  })

  t.test('a slash command is answered by claude itself', async (t) => {
    const { running, turns, events } = await begin(t)
    await running.send({ messageId: 'm', content: '/cost' })
    await turns(1)
    t.ok(events.some((event) => event.type === 'system' && /Total cost/.test(event.content)))
  })

  t.test('a resumed session remembers, in the mode that was asked for', async (t) => {
    const first = await begin(t)
    await first.send('text one')
    await first.turns(1)
    await first.running.finish()
    const nativeId = first.all('agent_session')[0]?.nativeId
    const second = await begin(t, { dir: first.dir, mode: 'plan', context: { nativeId, start: 2, turns: 1 } })
    t.match(second.all('agent_session'), [{ nativeId, permissionMode: 'plan' }])
    t.equal(await second.running.has({ messageId: 'm1', content: 'MOCK: text one' }), true)
    await second.send('text two', 'm2')
    await second.turns(1)
    t.match(second.all('turn_ended'), [{ turn: 2 }])
    const scripts = (await mock.requests()).map((request) => request.scripts?.join(', '))
    t.ok(scripts.includes('text one, text two'), 'the model was told of both')
    t.equal(second.all('agent_session').at(-1)?.permissionMode, 'plan')
  })

  t.test('a session that it does not know, also one whose history broke off at its start', async (t) => {
    const dir = tempDir(t)
    const nativeId = nativeIdOf(ownSession, 1)
    const unknown = await begin(t, { dir, context: { nativeId } })
    t.match(await unknown.running.ended, { kind: 'forgotten', error: /^No conversation found/ })
    t.same(unknown.all('turn_started'), [])
    // Killed between the first line of its history and the first message.
    const project = join(dir, 'home/.claude/projects', dir.replace(/[^A-Za-z0-9]/g, '-'))
    mkdirSync(project, { recursive: true })
    const begun = { type: 'queue-operation', operation: 'enqueue', sessionId: nativeId }
    writeFileSync(join(project, `${nativeId}.jsonl`), `${JSON.stringify(begun)}\n`)
    const broken = await begin(t, { dir, context: { nativeId, start: 2 } })
    t.match(await broken.running.ended, { kind: 'forgotten' })
    const anew = await begin(t, { dir, context: { start: 3 } })
    await anew.send('text hi')
    await anew.turns(1)
  })

  t.test('errors of the model end the turn and not the process', async (t) => {
    const { send, all, whole, turns } = await begin(t, { env: { CLAUDE_CODE_MAX_RETRIES: '1' } })
    await send('error 400')
    await turns(1)
    t.match(all('turn_ended')[0], {
      reason: 'failed',
      error: /API Error: 400/,
      cause: { result: 'agent', status: 400 },
    })
    await send('error 401')
    await turns(2)
    t.match(all('turn_ended')[1], { reason: 'failed', cause: { result: 'login', status: 401 } })
    t.match(all('system').at(-1), { content: /HTTP 401.*try 1 of 1/ })
    t.match(all('error'), [{ cause: { status: 400 } }, { cause: { result: 'login', status: 401 } }])
    await send('cut')
    await turns(3)
    await send('text Well again.')
    await turns(4)
    t.equal(whole().at(-1), 'Well again.')
  })

  t.test('nobody is logged in', async (t) => {
    const { send, all, turns } = await begin(t, { env: { ANTHROPIC_API_KEY: '' } })
    await send('text hi')
    await turns(1)
    t.match(all('turn_ended'), [{ reason: 'failed', error: /\/login/, cause: { result: 'login' } }])
  })

  t.test('as root all permissions cannot be had', { skip: process.getuid?.() !== 0 && 'for root only' }, async (t) => {
    const { running } = await begin(t, { mode: 'bypassPermissions' })
    t.match(await running.ended, {
      kind: 'died',
      error: /cannot be used with root/,
      cause: { status: 1 },
      again: false,
    })
  })

  t.test('stopped in the midst of tools, with a message waiting: nothing of it stays', async (t) => {
    const { running, send, all, until: told, dir } = await begin(t)
    await send('bash setsid sleep 600 & touch busy; until test -e never; do sleep 0.1; done')
    await running.decide({ requestId: (await told('approval_request')).requestId, decision: 'allow' })
    await appears(join(dir, 'busy'))
    const members = treeOf([running.pid ?? 0])
    t.ok(members.length >= 3, `${members.length} processes`)
    const waiting = send('bash touch after').catch(() => undefined)
    await running.stop()
    await waiting
    t.same(treeOf(members.map(({ pid }) => pid)), [])
    t.same(await running.ended, { kind: 'finished' })
    t.match(all('turn_ended')[0], { reason: 'interrupted' })
    t.equal(all('turn_ended').length, all('turn_started').length)
    t.notOk(existsSync(join(dir, 'after')))
  })

  t.test('nobody but the mock was called', async (t) => {
    t.same(tripWire.tripped, [])
    t.ok((await mock.requests()).length > 0)
  })
})

const option = (label: string) => ({ label, description: label })
