/** The queue with real units: many creators at once, and what kills them. */
import { mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Agentz, lines, requireManager, systemctl } from '../helpers/agentz.js'
import { until } from '../helpers/home.js'

requireManager()

function stage(t: Test, sessions: number): Agentz {
  const a = new Agentz(t)
  cap(a, sessions)
  return a
}

const cap = (a: Agentz, sessions: number) => writeFileSync(a.home.config, JSON.stringify({ fleet: { sessions } }))

/** Marks when it begins and ends, and lasts as long as a file is there. */
const marking = (a: Agentz, name: string, seconds: string) => {
  const file = join(a.home.root, 'marks')
  return [
    '-a',
    'command',
    '--',
    'sh',
    '-c',
    `echo "+ ${name}" >> ${file}; sleep ${seconds}; echo "- ${name}" >> ${file}`,
  ]
}

const marks = (a: Agentz) => lines(readFileSync(join(a.home.root, 'marks'), 'utf8'))

function most(signs: string[]): number {
  let [now, high] = [0, 0]
  for (const sign of signs) {
    now += sign.startsWith('+') ? 1 : -1
    high = Math.max(high, now)
  }
  return high
}

const begun = (a: Agentz) => marks(a).flatMap((mark) => (mark.startsWith('+') ? [mark.slice(2)] : []))
const ended = (a: Agentz) => a.ls().filter(({ status }) => status === 'completed').length

t.test('forty at once from forty processes: three run, all finish', async (t) => {
  const a = stage(t, 3)
  const creators = Array.from({ length: 40 }, (_, n) => a.spawn(['run', '-d', ...marking(a, String(n), '0.05')]))
  const codes = await Promise.all(creators.map((child) => new Promise((resolve) => child.once('exit', resolve))))
  t.same(codes, Array(40).fill(0))
  await until(() => ended(a) === 40, 'all have finished', 120_000)
  t.equal(new Set(begun(a)).size, 40, 'each once')
  t.equal(begun(a).length, 40)
  t.ok(most(marks(a)) <= 3, `${most(marks(a))} at once`)
})

t.test('first come, first served; run waits and says so; ls and show tell the place', async (t) => {
  const a = stage(t, 1)
  const gate = await a.ticking()
  const ids = ['a', 'b', 'c', 'd'].map((name) => a.run(...marking(a, name, '0')).sessionId)
  const watched = a.spawn(['run', ...marking(a, 'e', '0')])
  let said = ''
  watched.stderr.on('data', (data) => {
    said += data
  })
  await until(() => /place 5 in the queue/.test(said), 'run says that it waits')
  t.match(a.do('ls').stdout, new RegExp(`${ids[1]}\tpending\t.*\tqueued 2\t`))
  t.match(a.show(ids[2] ?? ''), { status: 'pending', place: 3 })
  t.match(a.do('show', ids[2] ?? '').stdout, /queued +place 3, since 20/)
  t.equal(a.do('cancel', ids[1] ?? '').status, 0)
  t.equal(a.show(ids[1] ?? '').status, 'cancelled', 'at once')
  t.equal(a.do('cancel', gate.sessionId).status, 0)
  const code = await new Promise((resolve) => watched.once('exit', resolve))
  t.equal(code, 0, 'it was attached until its end')
  t.same(begun(a), ['a', 'c', 'd', 'e'])
})

t.test('the creator is killed at any moment', async (t) => {
  const a = stage(t, 1)
  const gate = await a.ticking()
  const start = performance.now()
  await new Promise((resolve) => a.spawn(['run', '-d', ...marking(a, 'whole', '0')]).once('exit', resolve))
  const whole = performance.now() - start
  for (let ms = whole / 10; ms <= whole * 1.3; ms += whole / 10) {
    const child = a.spawn(['run', '-d', ...marking(a, String(ms), '0')])
    await new Promise((resolve) => setTimeout(resolve, ms))
    child.kill('SIGKILL')
  }
  t.equal(a.do('cancel', gate.sessionId).status, 0)
  // One that was killed inside of a lock holds the others up for two seconds.
  const settled = () => a.ls().every(({ status, queuedAt }) => status !== 'running' && queuedAt === undefined)
  await until(settled, 'whoever was queued has had its turn', 30_000)
  const told = a.ls().filter(({ status }) => status === 'completed')
  t.equal(begun(a).length, new Set(begun(a)).size, 'none twice')
  t.equal(begun(a).length, told.length)
  t.ok(told.length > 0, `${told.length} came`)
  for (const { sessionId } of told) t.equal(a.show(sessionId).status, 'completed')
})

t.test('the reaper is killed before it could start the next', async (t) => {
  const a = stage(t, 1)
  const gate = await a.ticking()
  const next = a.run(...marking(a, 'next', '0'))
  // The lock of the queue is held, so that the reaper hangs in it.
  const lock = `${a.home.queue}.lock`
  mkdirSync(lock)
  const fresh = setInterval(() => utimesSync(lock, new Date(), new Date()), 500)
  a.do('cancel', gate.sessionId)
  const controlled = () => Number(systemctl('show', '-p', 'ControlPID', '--value', gate.unit).trim())
  await until(() => controlled() > 0 && a.show(gate.sessionId).status === 'cancelled', 'the reaper waits')
  const pid = controlled()
  process.kill(pid, 'SIGKILL')
  clearInterval(fresh)
  rmSync(lock, { recursive: true })
  await a.untilType(next.sessionId, 'session_completed')
  t.equal(a.show(gate.sessionId).status, 'cancelled', 'and its end stays as it was')
})
