import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { isRunning, lives, statOf } from '../../src/base/proc.js'
import { until } from '../helpers/home.js'

if (process.platform !== 'linux') t.bailout('there is no /proc to read here')

t.test('a process, whatever its name is', async (t) => {
  const own = statOf(process.pid)
  t.match(own, { pid: process.pid, parent: process.ppid, start: /^[0-9]+$/ })
  const child = spawn('bash', ['-c', 'echo "odd) R 1 (name" > /proc/$$/comm; echo; read'], { stdio: 'pipe' })
  await once(child.stdout, 'data')
  const stat = statOf(child.pid ?? 0)
  t.match(stat, { parent: process.pid, state: /^[SR]$/ })
  t.ok(Number(stat?.start) >= Number(own?.start), 'a start comes after those before it')
  t.ok(stat && lives(stat))
  const member = { pid: child.pid ?? 0, start: stat?.start ?? '' }
  t.equal(isRunning(member), true)
  t.equal(isRunning({ ...member, start: '1' }), false, 'another one with its number')
  child.kill('SIGKILL')
  await until(() => statOf(child.pid ?? 0) === undefined, 'it is gone')
  t.equal(isRunning(member), false)
  for (const odd of [{}, { pid: 'x', start: '1' }, { pid: -1, start: '1' }, { pid: 1.5 }])
    t.equal(isRunning(odd as never), false)
})

t.test('one that is not there', async (t) => t.equal(statOf(2 ** 22 + 1), undefined))
