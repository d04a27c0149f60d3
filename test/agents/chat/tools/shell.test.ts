import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { until } from '../../../helpers/home.js'
import { processesWith } from '../../contract/stage.js'
import { workshop } from '../use.js'

t.test('output, errors and the exit status', async (t) => {
  const { cwd, use } = workshop(t)
  const run = (command: string) => use('shell', { command })
  t.same(await run('pwd'), { text: `${cwd}\n` })
  t.same(await run('true'), { text: '[no output]' })
  t.same(await run('echo out; echo err >&2; exit 3'), { text: 'out\nerr\n\n[exit status 3]', failed: true })
  t.same(await run('kill -9 $$'), { text: '[exit status 137]', failed: true })
  t.match(await run('no-such-command'), { failed: true, text: /not found/ })
  t.same(await run('cat'), { text: '[no output]' }, 'it has no input')
  await t.rejects(run(''), /command: /)
})

t.test('a flood of output is cut in the middle', async (t) => {
  const { use } = workshop(t)
  const { text } = await use('shell', { command: 'echo begin; yes x | head -c 20000000; echo end' })
  t.ok(text.length < 1024 * 1024, `${text.length} characters`)
  t.match(text, /^begin\n/)
  t.match(text, /\n\[… 19\d{6} bytes are missing here\]\n/)
  t.match(text, /\nend\n$/)
})

t.test('one that takes too long is ended', async (t) => {
  const { use } = workshop(t)
  const { text, failed } = await use('shell', { command: 'echo begun; sleep 60', timeout_seconds: 0.3 })
  t.equal(text, 'begun\n\n[ended after 0.3 s]')
  t.equal(failed, true)
})

t.test('a stop ends it with all that it has started', async (t) => {
  const { cwd, use } = workshop(t)
  const stop = new AbortController()
  const mark = join(cwd, 'never')
  const loop = `until [ -e ${mark} ]; do sleep 0.05; done`
  const running = use('shell', { command: `setsid sh -c 'touch there; ${loop}' & ${loop}` }, stop.signal)
  running.catch(() => undefined)
  await until(() => existsSync(join(cwd, 'there')), 'it runs')
  t.ok(processesWith('cmdline', mark).length >= 2)
  stop.abort()
  await t.rejects(running, { name: 'AbortError' })
  t.same(processesWith('cmdline', mark), [])
  await t.rejects(use('shell', { command: 'touch late' }, stop.signal), { name: 'AbortError' })
  t.notOk(existsSync(join(cwd, 'late')), 'nothing begins after a stop')
})

t.test('a process in the background is not waited for', async (t) => {
  const { cwd, use } = workshop(t)
  const { text } = await use('shell', { command: 'sleep 60 & echo $! > pid; echo done' })
  t.equal(text, 'done\n')
  const pid = Number(readFileSync(join(cwd, 'pid'), 'utf8'))
  t.ok(existsSync(`/proc/${pid}`), 'it goes on')
  process.kill(pid, 'SIGKILL')
})
