import t from 'tap'
import { command } from '../../src/agents/command.js'
import { treeOf } from '../../src/base/tree.js'
import type { Spec } from '../../src/session/spec.js'
import { newSpec, record } from './recorder.js'

const env = { PATH: process.env.PATH ?? '' }

async function run(argv: string[], more: Partial<Spec> = {}) {
  const recorder = record(newSpec({ command: argv, ...more }), env)
  const outcome = await command.start(recorder.context).ended
  return { ...recorder, outcome }
}
const sh = (script: string, more?: Partial<Spec>) => run(['sh', '-c', script], more)

t.test('each line is a text event of its stream', async (t) => {
  const { all, events, outcome } = await sh(`echo one; echo two >&2; printf 'three\\r\\n\\nfour'`)
  const text = all('text')
  t.equal(events.length, text.length)
  t.same(
    text.filter(({ stream }) => stream === 'stdout').map(({ content }) => content),
    ['one', 'three', '', 'four'],
  )
  t.same(
    text.find(({ stream }) => stream === 'stderr'),
    { type: 'text', stream: 'stderr', content: 'two' },
  )
  t.match(outcome, { status: 'completed', metadata: { exitCode: 0, outputLines: 5, durationMs: Number } })
})

t.test('a failure says how it ended', async (t) => {
  t.match((await sh('echo x; exit 3')).outcome, {
    status: 'failed',
    error: '`sh` exited with status 3',
    cause: { result: 'exit-code', code: 'exited', status: 3 },
    metadata: { exitCode: 3, outputLines: 1 },
  })
  const killed = (await sh('kill -KILL $$')).outcome
  t.match(killed, { status: 'failed', error: '`sh` was ended by SIGKILL', cause: { result: 'signal', status: 'KILL' } })
  t.match((await run(['/no/such/program'])).outcome, {
    status: 'failed',
    error: /^`program` could not be started/,
    cause: { result: 'not-found' },
  })
})

t.test('arguments reach the program as they are', async (t) => {
  const argv = ['a b', '$HOME', '*', "it's", '', 'é\n']
  const { all } = await run(['printf', '<%s>\\n', ...argv])
  t.equal(
    all('text')
      .map(({ content }) => content)
      .join('\n'),
    argv.map((arg) => `<${arg}>`).join('\n'),
  )
})

t.test('the prompt is the input; without one there is none', async (t) => {
  t.match((await run(['cat'], { prompt: 'a line\nanother' })).all('text'), [
    { content: 'a line' },
    { content: 'another' },
  ])
  const { all, outcome } = await run(['cat'])
  t.same(all('text'), [])
  t.equal(outcome.status, 'completed')
})

t.test('a program that does not read its input has done nothing wrong', async (t) => {
  const { outcome, warnings } = await run(['true'], { prompt: 'x'.repeat(4 * 1024 * 1024) })
  t.equal(outcome.status, 'completed')
  t.same(warnings, [])
})

t.test('a huge line is cut to what a log line holds, with the number of missing bytes', async (t) => {
  const size = 5 * 1024 * 1024
  const { all } = await sh(`head -c ${size} /dev/zero | tr '\\0' x; echo; head -c ${size} /dev/zero; echo; echo end`)
  const [long, zeros, end] = all('text')
  for (const event of [long, zeros]) {
    const { content = '', missingBytes = 0 } = event ?? {}
    t.ok(Buffer.byteLength(JSON.stringify(event)) < 1024 * 1024)
    const marker = `[… ${missingBytes} bytes are missing here]`
    t.ok(content.endsWith(marker))
    t.equal(content.length - marker.length + missingBytes, size)
  }
  t.equal(end?.content, 'end')
})

t.test('a background process that holds the pipe is told of', async (t) => {
  const { all, outcome } = await sh('sleep 600 & echo $!')
  const [line] = all('text')
  process.kill(Number(line?.content), 'SIGKILL')
  t.match(all('system'), [{ content: /a background process still holds its output/ }])
  t.equal(outcome.status, 'completed')
})

t.test('stop ends it and what it started', async (t) => {
  const recorder = record(newSpec({ command: ['sh', '-c', 'sleep 600 & echo $!; wait'] }), env)
  const running = command.start(recorder.context)
  const { content } = await recorder.until('text')
  await running.stop()
  t.match(await running.ended, { status: 'failed', cause: { result: 'signal', status: 'TERM' } })
  t.same(treeOf([Number(content)]), [])
})

t.test('the check finds the program by the caller’s PATH and directory', async (t) => {
  const dir = t.testdir({ 'tool.sh': '#!/bin/sh\n' })
  t.match(command.check({ command: ['sh'] }, env, '/'), /\/sh$/)
  t.throws(() => command.check({ command: ['no-such-program'] }, env, '/'), { code: 'AGENT_MISSING' })
  t.throws(() => command.check({ command: ['./tool.sh'] }, env, dir), { code: 'AGENT_MISSING', message: /not an exec/ })
  t.throws(() => command.check({}, env, '/'), { code: 'USAGE' })
})
