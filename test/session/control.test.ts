import { readFileSync, statSync } from 'node:fs'
import t from 'tap'
import { type Home, sessionLog } from '../../src/base/paths.js'
import { appendOnce } from '../../src/log/append.js'
import { appendControl } from '../../src/session/control.js'
import { appendLifecycle } from '../../src/session/lifecycle.js'
import { readRegistry } from '../../src/session/registry.js'
import { readSession } from '../../src/session/state.js'
import { newHome, tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'
import { newSession } from '../helpers/session.js'
import { ask, budgetQuestion, started } from './fold.js'

// The doorbells of these tests belong to their own AGENTZ_HOME, not to the login.
delete process.env.XDG_RUNTIME_DIR

const append = (home: Home, id: string, event: object) => appendOnce(sessionLog(home, id), JSON.stringify(event))

async function running(home: Home, ...events: object[]): Promise<string> {
  const { sessionId } = await newSession(home)
  for (const event of [started(), ...events]) append(home, sessionId, event)
  return sessionId
}

t.test('an answer to an approval', async (t) => {
  const home = newHome(t)
  const options = ['allow', 'deny'].map((decision) => ({ decision, label: decision }))
  const more = [ask('r2'), ask('r4', { options }), { type: 'input_request', requestId: 'i1', question: '?' }]
  const id = await running(home, ask('r1'), ...more)
  const answer = (requestId: string, decision: 'allow' | 'allow_always' | 'deny' = 'allow') =>
    appendControl(home, id, { type: 'approval_response', requestId, decision, via: 'cli' })

  const { offset } = await answer('r1')
  t.equal(offset, statSync(sessionLog(home, id)).size, 'its address')
  t.match(readSession(home, id).status, /^waiting_/, 'others are still open')
  await t.rejects(answer('r1', 'deny'), { code: 'CONFLICT', message: /"r1" of session .* was answered already/ })
  await t.rejects(answer('r3'), { code: 'NOT_FOUND', message: /there is no request "r3"/ })
  await t.rejects(answer('__proto__'), { code: 'NOT_FOUND' })
  await t.rejects(answer('i1'), { code: 'NOT_FOUND' }, 'a question is no approval')
  append(home, id, { type: 'approval_voided', requestId: 'r2', why: 'the agent died' })
  await t.rejects(answer('r2'), { code: 'NOT_FOUND', message: /is void: the agent died/ })
  const refused = { code: 'BAD_INPUT', message: /"allow_always" is not one of/, hint: 'Answers: allow, deny.' }
  await t.rejects(answer('r4', 'allow_always'), refused, 'what is not offered')
  t.ok((await answer('r4', 'deny')).offset)
  const responses = readFileSync(sessionLog(home, id), 'utf8').match(/"type":"approval_response"/g)
  t.equal(responses?.length, 2, 'what was refused is not in the file')
  await t.rejects(appendControl(home, 'ffffffffffff', { type: 'cancel_requested' }), { code: 'NOT_FOUND' })
})

t.test('an answer to a question', async (t) => {
  const home = newHome(t)
  const question = (requestId: string, more: object = {}) => ({
    type: 'input_request',
    requestId,
    question: '?',
    ...more,
  })
  const undecided = { about: 'undecided', subject: 'prompt', options: ['send', 'skip'] }
  const id = await running(
    home,
    ...[question('i1'), question('i2', { options: ['red', 'blue'] }), question('i3', undecided), ask('r1')],
    ...[budgetQuestion('turns', 'b1'), budgetQuestion('cost', 'b2')],
  )
  const answer = (requestId: string, content: string) =>
    appendControl(home, id, { type: 'input_response', requestId, content })
  t.ok((await answer('i1', 'yes')).offset)
  await t.rejects(answer('i1', 'no'), { code: 'CONFLICT' })
  await t.rejects(answer('r1', 'yes'), { code: 'NOT_FOUND' }, 'an approval is no question')
  t.ok((await answer('i2', 'green')).offset, 'an agent may understand what it did not offer')
  await t.rejects(answer('i3', 'again'), { code: 'BAD_INPUT', hint: 'Answers: send, skip.' })
  t.ok((await answer('i3', ' skip\n')).offset)
  for (const odd of ['yes', '', '0', '-3', 'NaN']) await t.rejects(answer('b1', odd), { code: 'BAD_INPUT' }, odd)
  t.ok((await answer('b1', '12')).offset)
  t.ok((await answer('b2', 'continue')).offset)
  t.match(readSession(home, id).granted, { turns: 12 })
})

t.test('a message', async (t) => {
  const home = newHome(t)
  const id = await running(home)
  const say = (messageId: string, content = 'hello', to = id) =>
    appendControl(home, to, { type: 'user_message', messageId, content, via: 'cli' })
  t.ok((await say('m1', 'größer\n"than" $HOME')).offset)
  t.equal(readSession(home, id).messages.get('m1')?.content, 'größer\n"than" $HOME')
  await t.rejects(say('m1'), { code: 'CONFLICT', message: /has a message "m1" already/ })
  await t.rejects(say('prompt'), { code: 'CONFLICT' }, 'the prompt was the first one')
  await t.rejects(say('m2', ' \n'), { code: 'BAD_INPUT', message: 'the message is empty' })
  await t.rejects(say('m2', 'a\0b'), { code: 'BAD_INPUT', message: /NUL/ })
  await t.rejects(say('continue-7'), { code: 'BAD_INPUT', message: /daemon's own/ })
  const { sessionId } = await newSession(home, { agentType: 'command', prompt: '', command: ['true'] })
  await t.rejects(say('m1', 'hello', sessionId), { code: 'BAD_INPUT', message: /runs a program/ })
  append(home, id, { type: 'session_completed', epoch: 1, metadata: {} })
  t.ok((await say('m3')).offset, 'one that has ended takes messages')
  t.same([...readSession(home, id).messages.keys()], ['prompt', 'm1', 'm3'])
})

t.test('an answer when nobody listens', async (t) => {
  const home = newHome(t)
  const answer = (id: string) =>
    appendControl(home, id, { type: 'approval_response', requestId: 'r1', decision: 'allow' })
  const exited = { type: 'daemon_exited', by: 'supervisor', epoch: 1, result: 'signal' }
  const between = await running(home, ask('r1'), exited)
  await t.rejects(answer(between), { code: 'CONFLICT', message: /being started again/ })
  const voided = { type: 'approval_voided', requestId: 'r1', why: 'its daemon is gone' }
  const after = await running(home, ask('r1'), exited, started(2), voided)
  await t.rejects(answer(after), { code: 'NOT_FOUND', message: /its daemon is gone/ })
  t.ok((await answer(await running(home, ask('r1'), exited, started(2)))).offset, 'one that was kept')
  const over = await running(home, ask('r1'), { type: 'session_cancelled', epoch: 1, cause: { result: 'cancelled' } })
  await t.rejects(answer(over), { code: 'NOT_FOUND', message: /the session is cancelled/ })
})

t.test('cancel', async (t) => {
  const home = newHome(t)
  const id = await running(home)
  t.ok((await appendControl(home, id, { type: 'cancel_requested', via: 'cli' })).offset)
  t.equal(readSession(home, id).cancelRequested, true)
  t.equal((await appendControl(home, id, { type: 'cancel_requested' })).offset, undefined, 'once is enough')
  for (const end of ['session_completed', 'session_failed', 'session_cancelled'] as const) {
    const over = await running(home, { type: end, epoch: 1, metadata: {}, cause: { result: 'x' } })
    const size = statSync(sessionLog(home, over)).size
    const { offset, state } = await appendControl(home, over, { type: 'cancel_requested' })
    t.equal(offset, undefined, `${end}: nothing to do`)
    t.equal(`session_${state.status}`, end)
    t.equal(statSync(sessionLog(home, over)).size, size)
  }
})

t.test('a reason comes back as it was typed', async (t) => {
  const home = newHome(t)
  const id = await running(home)
  const content = 'two\nlines, "quotes", $HOME, \u2028 and größer'
  append(home, id, ask('r9'))
  const { offset = 0 } = await appendControl(home, id, {
    type: 'approval_response',
    requestId: 'r9',
    decision: 'deny',
    reason: content,
  })
  const line = readFileSync(sessionLog(home, id)).subarray(0, offset).toString().trim().split('\n').at(-1) ?? ''
  t.equal(JSON.parse(line).reason, content)
})

// Looked at before the lock was had, both would find the request open.
t.test('two processes answer at once: one wins', async (t) => {
  const home = newHome(t)
  const answerer = await program(
    tempDir(t),
    `import { homePaths } from './src/base/paths.js'
    import { appendControl } from './src/session/control.js'
    const [id, who] = process.argv.slice(2)
    console.log('ready')
    for await (const data of process.stdin) {
      for (const requestId of data.toString().split(' ').filter(Boolean)) {
        const event = { type: 'approval_response', requestId, decision: 'allow', via: who }
        await appendControl(homePaths(), id, event).then(
          () => console.log('won', requestId),
          (error) => console.log(error.code, requestId),
        )
      }
      break
    }`,
  )
  const requests = Array.from({ length: 12 }, (_, n) => `r${n}`)
  const id = await running(home, ...requests.map((requestId) => ({ type: 'approval_request', requestId })))
  const env = { AGENTZ_HOME: home.root, XDG_RUNTIME_DIR: '' }
  const both = ['one', 'two'].map((who) => start(t, [process.execPath, answerer, id, who], env))
  for (const child of both) await child.said('ready')
  for (const child of both) child.tell(`${requests.join(' ')} `)
  const said: string[] = []
  for (const { ended } of both) said.push(...(await ended).stdout.split('\n'))
  for (const requestId of requests) {
    const results = said.filter((line) => line.endsWith(` ${requestId}`)).sort()
    t.same(results, [`CONFLICT ${requestId}`, `won ${requestId}`])
  }
  const found = readFileSync(sessionLog(home, id), 'utf8').match(/"type":"approval_response"/g)
  t.equal(found?.length, requests.length)
})

t.test('the end of a session stands in both files, once', async (t) => {
  const home = newHome(t)
  const id = await running(home)
  const event = { type: 'session_failed' as const, sessionId: id, error: 'e', cause: { result: 'signal' as const } }
  const check = () => readSession(home, id).status === 'running'
  t.equal(await appendLifecycle(home, event, 'supervisor', { epoch: 1, check }), true)
  t.equal(await appendLifecycle(home, event, 'supervisor', { epoch: 1, check }), false, 'no longer true')
  t.match(readSession(home, id), { status: 'failed', error: 'e', cause: { result: 'signal' } })
  t.match(readRegistry(home).rows.get(id), { status: 'failed', error: 'e' })
})
