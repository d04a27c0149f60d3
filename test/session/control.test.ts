import { existsSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { doorbell, type Home, sessionLog } from '../../src/base/paths.js'
import { appendOnce } from '../../src/log/append.js'
import { appendControl } from '../../src/session/control.js'
import { listen, ring } from '../../src/session/doorbell.js'
import { appendLifecycle } from '../../src/session/lifecycle.js'
import { readRegistry } from '../../src/session/registry.js'
import { readSession } from '../../src/session/state.js'
import { newHome, tempDir, until } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'
import { newSession } from '../helpers/session.js'

// The doorbells of these tests belong to their own AGENTZ_HOME, not to the login.
delete process.env.XDG_RUNTIME_DIR

const daemonStarted = { type: 'daemon_started', by: 'daemon', epoch: 1, unit: 'u', pid: 1, bootId: 'b' }
const append = (home: Home, id: string, event: object) => appendOnce(sessionLog(home, id), JSON.stringify(event))

async function running(home: Home, ...events: object[]): Promise<string> {
  const { sessionId } = await newSession(home)
  for (const event of [daemonStarted, ...events]) append(home, sessionId, event)
  return sessionId
}

t.test('an answer', async (t) => {
  const home = newHome(t)
  const ask = { type: 'approval_request', requestId: 'r1', tool: 'Bash', input: {} }
  const id = await running(
    home,
    ask,
    { ...ask, requestId: 'r2' },
    { type: 'input_request', requestId: 'i1', question: '?' },
  )
  const answer = (requestId: string, decision: 'allow' | 'deny' = 'allow') =>
    appendControl(home, id, { type: 'approval_response', requestId, decision, via: 'cli' })

  const { offset } = await answer('r1')
  t.equal(offset, statSync(sessionLog(home, id)).size, 'its address')
  t.match(readSession(home, id).status, /^waiting_/, 'others are still open')
  await t.rejects(answer('r1', 'deny'), { code: 'CONFLICT', message: /"r1" of session .* was answered already/ })
  await t.rejects(answer('r3'), { code: 'NOT_FOUND', message: /has no request "r3"/ })
  await t.rejects(answer('__proto__'), { code: 'NOT_FOUND' })
  await t.rejects(answer('i1'), { code: 'NOT_FOUND' }, 'a question is no approval')
  append(home, id, { type: 'approval_voided', requestId: 'r2', why: 'the agent died' })
  await t.rejects(answer('r2'), { code: 'CONFLICT' }, 'what is void takes no answer')
  t.ok((await appendControl(home, id, { type: 'input_response', requestId: 'i1', content: 'yes' })).offset)
  await t.rejects(appendControl(home, id, { type: 'input_response', requestId: 'i1', content: 'no' }), {
    code: 'CONFLICT',
  })
  const responses = readFileSync(sessionLog(home, id), 'utf8').match(/"type":"approval_response"/g)
  t.equal(responses?.length, 1, 'what was refused is not in the file')
  await t.rejects(appendControl(home, 'ffffffffffff', { type: 'cancel_requested' }), { code: 'NOT_FOUND' })
})

t.test('a question that died with its daemon takes no answer', async (t) => {
  const home = newHome(t)
  const ask = { type: 'approval_request', requestId: 'r1', tool: 'Bash', input: {} }
  const id = await running(home, ask, { ...daemonStarted, epoch: 2 })
  const answer = appendControl(home, id, { type: 'approval_response', requestId: 'r1', decision: 'allow' })
  await t.rejects(answer, { code: 'CONFLICT' })
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
  appendOnce(
    sessionLog(home, id),
    JSON.stringify({ type: 'approval_request', requestId: 'r9', tool: 'Bash', input: {} }),
  )
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

t.test('the doorbell', async (t) => {
  const home = newHome(t)
  const path = doorbell(home, '0123456789ab')
  t.equal(await ring(path), false, 'nobody is there')
  let rings = 0
  const stop = await listen(path, () => rings++)
  t.equal(await ring(path), true)
  await until(() => rings === 1, 'it rings')
  await Promise.all(Array.from({ length: 20 }, () => ring(path)))
  await until(() => rings === 21, 'every ring is heard')
  stop()
  await until(() => !existsSync(path), 'stopping removes the socket')
})

t.test('a socket that a killed daemon left is replaced', async (t) => {
  const directory = tempDir(t)
  const path = join(directory, 'bell')
  const dead = await program(
    directory,
    `import { createServer } from 'node:net'
    createServer().listen(process.argv[2], () => console.log('listening'))`,
  )
  const child = start(t, [process.execPath, dead, path])
  await child.said('listening')
  child.process.kill('SIGKILL')
  await child.ended
  t.ok(existsSync(path))
  t.equal(await ring(path), false, 'ringing there is no error')
  let rings = 0
  const stop = await listen(path, () => rings++)
  t.teardown(stop)
  t.equal(await ring(path), true)
  await until(() => rings === 1, 'it rings')
})

t.test('whoever appends rings', async (t) => {
  const home = newHome(t)
  const id = await running(home)
  let seen = false
  const stop = await listen(doorbell(home, id), () => {
    seen = readFileSync(sessionLog(home, id), 'utf8').includes('cancel_requested')
  })
  t.teardown(stop)
  await appendControl(home, id, { type: 'cancel_requested' })
  await until(() => seen, 'the daemon is rung when the event is in the file')
})

// A program that accepts and says nothing must not hold up whoever rings: the connection alone is the ring.
t.test('a listener that never answers', async (t) => {
  const path = join(tempDir(t), 'bell')
  const server = createServer(() => undefined)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  t.teardown(() => server.close())
  t.equal(await ring(path), true)
})

t.test('the end of a session stands in both files, once', async (t) => {
  const home = newHome(t)
  const id = await running(home)
  const event = { type: 'session_failed' as const, sessionId: id, error: 'e', cause: { result: 'signal' } }
  const check = () => readSession(home, id).status === 'running'
  t.equal(await appendLifecycle(home, event, 'supervisor', { epoch: 1, check }), true)
  t.equal(await appendLifecycle(home, event, 'supervisor', { epoch: 1, check }), false, 'no longer true')
  t.match(readSession(home, id), { status: 'failed', error: 'e', cause: { result: 'signal' } })
  t.match(readRegistry(home).rows.get(id), { status: 'failed', error: 'e' })
})
