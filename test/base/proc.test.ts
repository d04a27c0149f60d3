import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { lives, statOf } from '../../src/base/proc.js'
import { until } from '../helpers/home.js'

if (process.platform !== 'linux') t.bailout('there is no /proc to read here')

t.test('a process, whatever its name is', async (t) => {
  const own = statOf(process.pid)
  t.match(own, { pid: process.pid, parent: process.ppid, start: /^[0-9]+$/ })
  const child = spawn('bash', ['-c', 'echo "odd) R 1 (name" > /proc/$$/comm; echo; read'], { stdio: 'pipe' })
  await once(child.stdout, 'data')
  const stat = statOf(child.pid ?? 0)
  t.match(stat, { parent: process.pid, state: 'S' })
  t.ok(Number(stat?.start) >= Number(own?.start), 'a start comes after those before it')
  t.ok(stat && lives(stat))
  child.kill('SIGKILL')
  await until(() => statOf(child.pid ?? 0) === undefined, 'it is gone')
})

t.test('one that is not there', async (t) => t.equal(statOf(2 ** 22 + 1), undefined))
