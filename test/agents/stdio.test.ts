/** Programs that talk JSON lines and end in every way there is. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Stdio, type StdioOptions } from '../../src/agents/stdio.js'
import { treeOf } from '../../src/base/tree.js'
import { tempDir, until } from '../helpers/home.js'
import { newSpec, record } from './recorder.js'

// As outside of a unit: there nobody else clears up.
delete process.env.INVOCATION_ID

const silent = () => Promise.resolve()

function start(t: Test, script: string, more: Partial<StdioOptions> = {}) {
  const dir = tempDir(t)
  const recorder = record(newSpec({ workingDir: dir }), { PATH: process.env.PATH ?? '' })
  const lines: string[] = []
  const stdio = new Stdio(recorder.context, {
    argv: ['sh', '-c', script],
    onLine: (line) => lines.push(line),
    ...more,
  })
  t.teardown(() => stdio.stop(silent, 'SIGKILL'))
  const said = (line: string) => until(() => lines.includes(line), `it says ${line}`)
  return { ...recorder, stdio, lines, said, dir }
}

async function endOf(t: Test, script: string, more?: Partial<StdioOptions>) {
  const { stdio, ...rest } = start(t, script, more)
  return { ...rest, end: stdio.endOf(await stdio.settled) }
}

t.test('each status, with the last words', async (t) => {
  t.same((await endOf(t, 'exit 3')).end, {
    kind: 'died',
    error: '`sh` exited with status 3',
    cause: { result: 'exit-code', code: 'exited', status: 3 },
    again: false,
  })
  t.match((await endOf(t, 'echo first >&2; echo last words >&2; exit 1')).end, {
    error: '`sh` exited with status 1: last words',
    cause: { result: 'exit-code', status: 1, message: 'last words' },
  })
  t.match((await endOf(t, 'exit 0')).end, { kind: 'died', cause: { result: 'agent', status: 0 } })
  t.match((await endOf(t, 'echo "please run /login" >&2; exit 1')).end, { cause: { result: 'login', status: 1 } })
  t.match((await endOf(t, '', { argv: ['/no/such/program'] })).end, { kind: 'died', cause: { result: 'not-found' } })
})

t.test('a signal that nobody here has sent is a reason to start it again', async (t) => {
  for (const signal of ['KILL', 'TERM', 'SEGV']) {
    const { end } = await endOf(t, `echo words >&2; kill -${signal} $$`)
    t.match(end, { kind: 'died', error: `\`sh\` was ended by SIG${signal}`, again: true, cause: { status: signal } })
  }
})

t.test('lines go both ways; what it says to stderr is told, noise is not', async (t) => {
  const script = 'cat; echo noise >&2; echo "  " >&2; echo odd >&2'
  const { stdio, said, all, lines } = start(t, script, { isNoise: (line) => line === 'noise' })
  await stdio.write({ a: 'é\n' })
  stdio.tell({ b: 2 })
  await said('{"b":2}')
  await stdio.finish('SIGTERM')
  t.same(lines, ['{"a":"é\\n"}', '{"b":2}'])
  t.same(all('system'), [{ type: 'system', content: 'odd' }])
  t.same(stdio.endOf(await stdio.settled), { kind: 'finished' })
})

t.test('variables for the agent alone', async (t) => {
  const { lines, stdio } = start(t, 'echo "$OWN $AGENTZ_SESSION_ID"', { env: { OWN: 'own' } })
  await stdio.settled
  t.match(lines, [/^own [0-9a-f]{12}$/])
})

t.test('who does not read any more is a conflict for who waits, and a warning for who does not', async (t) => {
  const { stdio, warnings } = start(t, 'exit 0')
  await stdio.settled
  await t.rejects(stdio.write({}), { code: 'CONFLICT', message: 'sh does not read any more' })
  stdio.tell({})
  await until(() => warnings.length > 0, 'there is a warning')
  t.equal(stdio.writable, false)
  await stdio.finish('SIGTERM')
  await stdio.stop(silent, 'SIGTERM')
})

t.test('finish lets it end by itself, and takes what it left behind', async (t) => {
  const { stdio, said, lines } = start(t, 'setsid sleep 600 & echo $!; cat; echo over')
  await until(() => lines.length > 0, 'it tells of its child')
  const [child] = lines
  await stdio.finish('SIGTERM')
  await said('over')
  t.same(treeOf([Number(child)]), [])
  t.same(stdio.endOf(await stdio.settled), { kind: 'finished' })
})

t.test('stop interrupts first, and signals only who does not go', async (t) => {
  const gentle = start(t, 'read line; echo "$line"; read end; echo ended')
  await gentle.stdio.stop(async () => {
    await gentle.stdio.write({ interrupt: true })
    await gentle.said('{"interrupt":true}')
  }, 'SIGTERM')
  t.same(gentle.lines, ['{"interrupt":true}', 'ended'])
  const deaf = start(t, `trap '' TERM INT; setsid sleep 600 & echo started; while :; do wait; done`)
  await deaf.said('started')
  const members = treeOf([deaf.stdio.pid ?? 0])
  t.equal(members.length, 2)
  await deaf.stdio.stop(() => new Promise(() => undefined), 'SIGTERM')
  t.same(treeOf(members.map(({ pid }) => pid)), [])
  t.same(deaf.stdio.endOf(await deaf.stdio.settled), { kind: 'finished' })
})

t.test('a tool that left the tree before anybody looked is found by its mark', async (t) => {
  const { stdio, said, dir } = start(t, 'sh -c "setsid sleep 600 & echo \\$! > pid" && echo left; cat')
  await said('left')
  const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'))
  t.notOk(treeOf([stdio.pid ?? 0]).some((member) => member.pid === pid))
  t.equal(treeOf([pid]).length, 1)
  await stdio.stop(silent, 'SIGTERM')
  t.same(treeOf([pid]), [])
})
