import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readLines } from '../../src/agents/lines.js'
import {
  causeOf,
  type Exit,
  type Started,
  sentenceOf,
  settle,
  startProcess,
  stopProcess,
  within,
} from '../../src/agents/process.js'
import { survivors, treeOf } from '../../src/base/tree.js'
import { newSpec } from './recorder.js'

const env = { PATH: process.env.PATH ?? '' }
const notFull = () => undefined

const sh = (script: string, more: Partial<Parameters<typeof startProcess>[0]> = {}) =>
  startProcess({ argv: ['sh', '-c', script], spec: newSpec(), env, stdin: 'ignore', ...more })

/** All output lines of a process, and its exit. */
async function outcome(started: Started): Promise<{ lines: string[]; exit: Exit; abandoned: boolean }> {
  const lines: string[] = []
  const onLine = (line: string) => lines.push(line)
  const { stdout, stderr } = started.child
  const outputs = Promise.all([stdout, stderr].map((stream) => stream && readLines(stream, onLine)))
  return { lines, ...(await settle(started, outputs, notFull)) }
}

/** Resolves with the first line that a process prints. */
const firstLine = ({ child }: Started) =>
  new Promise<string>((resolve) => child.stdout?.once('data', (data: Buffer) => resolve(data.toString().trim())))

t.test('a program gets the given environment, not ours', async (t) => {
  process.env.OF_THE_DAEMON = 'secret'
  const { lines } = await outcome(sh('env', { env: { ...env, GIVEN: 'a b', AGENTZ_SESSION_ID: 'of the parent' } }))
  for (const line of ['AGENTZ_SESSION_ID=0123456789ab', `PATH=${env.PATH}`, 'GIVEN=a b'])
    t.ok(lines.includes(line), line)
  t.notOk(lines.some((line) => line.startsWith('OF_THE_DAEMON=') || line.includes('of the parent')))
})

t.test('the directory and the umask are the caller’s; ours stays', async (t) => {
  const dir = t.testdir({ sub: {} })
  const before = process.umask()
  const spec = newSpec({ workingDir: join(dir, 'sub'), umask: '0027' })
  const { lines } = await outcome(sh('pwd -P; umask; cat', { spec }))
  t.same(lines, [join(dir, 'sub'), '0027'])
  t.equal(process.umask(), before)
})

t.test('an agent is offered to the OOM killer before the daemon', { skip: process.platform !== 'linux' }, async (t) => {
  const own = Number(readFileSync('/proc/self/oom_score_adj', 'latin1'))
  const started = sh('read line; cat /proc/self/oom_score_adj', { stdin: 'pipe' })
  started.child.stdin?.end('\n')
  const { lines } = await outcome(started)
  t.equal(Number(lines[0]), Math.min(1000, own + 200))
})

t.test('exits in systemd’s words and in a sentence', async (t) => {
  const cases: [string, object, string][] = [
    ['exit 0', { result: 'success', code: 'exited', status: 0 }, '`sh` exited with status 0'],
    ['exit 3', { result: 'exit-code', code: 'exited', status: 3 }, '`sh` exited with status 3'],
    ['kill -TERM $$', { result: 'signal', code: 'killed', status: 'TERM' }, '`sh` was ended by SIGTERM'],
    ['kill -KILL $$', { result: 'signal', code: 'killed', status: 'KILL' }, '`sh` was ended by SIGKILL'],
  ]
  for (const [script, cause, sentence] of cases) {
    const exit = await sh(script).exited
    t.same(causeOf(exit), cause)
    t.equal(sentenceOf('sh', exit), sentence)
  }
  t.match(causeOf({ code: null, signal: 'SIGKILL', oom: true }), { result: 'oom-kill', status: 'KILL' })
})

t.test('what cannot be started ends as well', async (t) => {
  for (const argv of [['no-such-program'], ['/etc/passwd'], ['./gone']]) {
    const exit = await startProcess({ argv, spec: newSpec(), env, stdin: 'ignore' }).exited
    t.equal(causeOf(exit).result, 'not-found')
    t.match(sentenceOf('x', exit), /could not be started: .*(ENOENT|EACCES)/)
  }
})

t.test('a background process cannot hold the session open by holding the pipe', async (t) => {
  const started = sh('sleep 600 & echo $!')
  const { lines, abandoned } = await outcome(started)
  t.equal(abandoned, true)
  const pid = Number(lines[0])
  t.ok(treeOf([pid]).length > 0)
  process.kill(pid, 'SIGKILL')
})

t.test('stopping takes the whole tree, process groups and deaf ones included', async (t) => {
  const deaf = `trap '' TERM; setsid sh -c 'trap "" TERM; sleep 600 & echo ready; while :; do wait; done' & wait; wait`
  const started = sh(deaf)
  t.equal(await firstLine(started), 'ready')
  const members = treeOf([started.pid ?? 0])
  t.ok(members.length >= 3)
  await stopProcess(started, { signal: 'SIGTERM', to: 'tree', graceMs: 100 })
  t.same(survivors(members), [])
  t.match(causeOf(await started.exited), { result: 'signal', status: 'KILL' })
})

t.test('a signal to the process alone leaves its children to it, but not alive', async (t) => {
  const started = sh('trap "echo bye; exit 5" INT; sleep 600 & echo ready; wait')
  t.equal(await firstLine(started), 'ready')
  const members = treeOf([started.pid ?? 0])
  await stopProcess(started, { signal: 'SIGINT', to: 'process', graceMs: 1000 })
  t.same(survivors(members), [])
  t.same(await started.exited, { code: 5, signal: null })
  await stopProcess(started, { signal: 'SIGINT', to: 'process', graceMs: 1000 })
})

t.test('within', async (t) => {
  t.equal(await within(Promise.resolve(), 1000), true)
  t.equal(await within(new Promise(() => {}), 1), false)
})
