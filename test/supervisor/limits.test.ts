/** Limits that bite: time, processor time, the memory of a conversation, and the defaults of config.json. */
import { readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { Agentz, requireManager, systemctl } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'

requireManager()

/** Seconds of processor time of a process and its threads. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

const property = (unit: string, name: string) => systemctl('show', '-p', name, '--value', unit).trim()

t.test('--runtime: the system ends it, and the cause says so', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = a.run('--runtime', '2', '-a', 'command', '--', 'sleep', '600')
  await a.untilType(sessionId, 'daemon_exited', 40_000)
  a.do('wait', sessionId, '-t', '30')
  t.match(a.show(sessionId), { status: 'failed', cause: { result: 'timeout' } })
  t.match(a.do('show', sessionId).stdout, /ran longer than it may/)
})

t.test('--cpu: a loop gets no more than its share of a processor', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = a.run('--cpu', '20%', '-a', 'command', '--', 'sh', '-c', 'echo $$; while :; do :; done')
  const told = await a.until(sessionId, (all) => all.some(({ type }) => type === 'text'), 'it runs')
  const pid = Number(told.find(({ type }) => type === 'text')?.content)
  const [from, used] = [Date.now(), cpuOf(pid)]
  await until(() => Date.now() > from + 3_000, 'three seconds are over')
  const share = (cpuOf(pid) - used) / ((Date.now() - from) / 1000)
  t.ok(share < 0.3, `it has had ${(100 * share).toFixed(0)} % of a processor`)
  t.ok(share > 0, 'and has run')
  a.do('cancel', sessionId)
})

t.test('--memory: what a tool of a conversation eats ends the tool, and the conversation goes on', async (t) => {
  const a = new Talk(t)
  const eater = `sh exec '${process.execPath}' -e 'const all = []; for (;;) all.push(Buffer.alloc(1e7, 1))'`
  const id = a.begin('--memory', '320M', eater)
  await a.untilType(id, 'session_completed', 60_000)
  t.same(a.said(id), ['it ended: SIGKILL'])
  t.match(a.show(id), { status: 'completed', epoch: 1 }, 'its daemon lives')
})

t.test('config.json has defaults, and a flag wins over each', async (t) => {
  const a = new Agentz(t)
  writeFileSync(a.home.config, JSON.stringify({ limits: { tasks: 100, runtime: 900, cpu: '90%', memory: '512M' } }))
  const sleep = ['-a', 'command', '--', 'sleep', '600']
  const { unit } = a.run(...sleep)
  t.equal(property(unit, 'TasksMax'), '100')
  t.equal(property(unit, 'RuntimeMaxUSec'), '15min')
  t.equal(property(unit, 'CPUQuotaPerSecUSec'), '900ms')
  t.equal(property(unit, 'MemoryMax'), String(512 * 2 ** 20))
  const flags = ['--tasks', '200', '--runtime', 'none', '--cpu', '50%', '--memory', '1G']
  const { unit: other } = a.run(...flags, ...sleep)
  t.equal(property(other, 'TasksMax'), '200')
  t.equal(property(other, 'RuntimeMaxUSec'), 'infinity')
  t.equal(property(other, 'CPUQuotaPerSecUSec'), '500ms')
  t.equal(property(other, 'MemoryMax'), String(2 ** 30))
  a.do('stop', '--all')
})
