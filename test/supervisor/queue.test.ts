/** The queue on a supervisor that is a table; how it does under the real manager is in queue-fleet.test.ts. */
import { rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { setTimeout as later } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { AgentzError } from '../../src/base/errors.js'
import { type Home, sessionLog } from '../../src/base/paths.js'
import { appendOnce } from '../../src/log/append.js'
import { frame } from '../../src/session/frame.js'
import { appendLifecycle } from '../../src/session/lifecycle.js'
import { appendRegistry, readRegistry } from '../../src/session/registry.js'
import type { Spec } from '../../src/session/spec.js'
import { readSession } from '../../src/session/state.js'
import { specify } from '../../src/session/store.js'
import { cancelSession } from '../../src/supervisor/cancel.js'
import { readFleet, readTrue } from '../../src/supervisor/fleet.js'
import { launch } from '../../src/supervisor/launch.js'
import { admit, placeOf } from '../../src/supervisor/queue.js'
import { sayTo } from '../../src/supervisor/say.js'
import { newHome } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'
import { FakeSupervisor } from '../server/helpers.js'

const request = (prompt: string) => specify({ agentType: 'claude', prompt, workingDir: tmpdir() })

class Stage {
  readonly home: Home
  readonly units = new FakeSupervisor()
  constructor(t: Test, cap?: number) {
    this.home = newHome(t)
    this.cap(cap)
  }
  cap(sessions: number | undefined): void {
    writeFileSync(this.home.config, JSON.stringify({ fleet: sessions === undefined ? {} : { sessions } }))
  }
  async launch(prompt = 'work'): Promise<{ spec: Spec; id: string; place: number | undefined }> {
    const spec = request(prompt)
    const place = await launch(this.home, this.units, spec, {})
    return { spec, id: spec.sessionId, place }
  }
  /** The daemon speaks, in both files. */
  async speak(id: string, epoch = 1): Promise<void> {
    const started = { type: 'daemon_started', unit: 'u', pid: process.pid, bootId: 'b', sessionId: id } as const
    await appendLifecycle(this.home, started, 'daemon', { epoch })
  }
  /** It ends, and its reaper looks who is next; its unit is there as long as the reaper runs. */
  async end(id: string, epoch = 1): Promise<void> {
    await appendLifecycle(this.home, { type: 'session_completed', sessionId: id, metadata: {} }, 'daemon', { epoch })
    this.units.units.set(id, { active: 'deactivating', sub: 'stop-post' })
    await this.next()
    this.units.units.delete(id)
  }
  next = () => admit(this.home, this.units)
  runs = () => [...this.units.units.keys()]
  status = async (id: string) => [
    (await readFleet(this.home, this.units)).status(id),
    (await readTrue(this.home, this.units, id)).status,
  ]
}

t.test('without a cap nothing is queued', async (t) => {
  const s = new Stage(t)
  const { id, place } = await s.launch()
  t.equal(place, undefined)
  t.same(s.runs(), [id])
  t.equal(readSession(s.home, id).queuedAt, undefined)
})

t.test('those over the cap wait, and come in order', async (t) => {
  const s = new Stage(t, 2)
  const all = []
  for (let n = 0; n < 5; n++) all.push(await s.launch())
  t.same(
    all.map(({ place }) => place),
    [undefined, undefined, 1, 2, 3],
  )
  const [a = '', b = '', c = '', d = '', e = ''] = all.map(({ id }) => id)
  t.same(s.runs(), [a, b])
  t.same(await s.status(c), ['pending', 'pending'], 'nothing carries it, and it is not lost')
  const fleet = await readFleet(s.home, s.units)
  t.same([fleet.head(d).place, fleet.head(a).place], [2, undefined])
  t.match(JSON.parse(fleet.text(d)), { status: 'pending', place: 2, queuedAt: /^20/ })
  await s.speak(a)
  await s.speak(b)
  await s.end(b)
  t.same(s.runs(), [a, c], 'the next one, while the reaper of the other still runs')
  await s.next()
  t.same(s.runs(), [a, c], 'and no more')
  await s.speak(c)
  t.equal(readSession(s.home, c).queuedAt, undefined)
  t.same([await placeOf(s.home, s.units, d), await placeOf(s.home, s.units, c)], [1, undefined])
  await s.end(a)
  await s.end(c)
  t.same(s.runs(), [d, e])
})

t.test('a cap that is raised, lowered or taken away', async (t) => {
  const s = new Stage(t, 1)
  const ids = []
  for (let n = 0; n < 6; n++) ids.push((await s.launch()).id)
  s.cap(3)
  await s.next()
  t.same(s.runs(), ids.slice(0, 3))
  s.cap(1)
  for (const id of ids.slice(0, 3)) await s.speak(id)
  await s.end(ids[0] ?? '')
  await s.end(ids[1] ?? '')
  t.same(s.runs(), [ids[2]], 'nobody is ended for it, and nobody is started')
  s.cap(undefined)
  await s.next()
  t.same(s.runs(), ids.slice(2))
  t.equal((await s.launch()).place, undefined)
})

t.test('a daemon that may be started again keeps its room', async (t) => {
  const s = new Stage(t, 1)
  const { id } = await s.launch()
  const { id: next } = await s.launch()
  await s.speak(id)
  const exit = { unit: 'u', result: 'signal', code: 'killed', status: 'KILL', manager: 'running', epoch: 1 }
  await appendLifecycle(s.home, { type: 'daemon_exited', sessionId: id, ...exit }, 'supervisor', { epoch: 1 })
  for (const sub of ['stop-post', 'auto-restart']) {
    s.units.units.set(id, { active: 'activating', sub })
    await s.next()
    t.same(s.runs(), [id], sub)
  }
  s.units.units.delete(id)
  await s.next()
  t.same(s.runs(), [next])
})

t.test('units of other homes take no room', async (t) => {
  const s = new Stage(t, 1)
  s.units.units.set('ffffffffffff', { active: 'active', sub: 'running' })
  const { id } = await s.launch()
  t.ok(s.runs().includes(id))
})

t.test('one that cannot be started fails, and the next one comes', async (t) => {
  const s = new Stage(t, 1)
  const { id: first } = await s.launch()
  const [b, c] = [await s.launch(), await s.launch()]
  await s.speak(first)
  const start = s.units.start
  s.units.start = async (spec) => {
    if (spec.sessionId === b.id) throw new AgentzError('UNIT_FAILED', 'its unit is bad')
    return start(spec)
  }
  await s.end(first)
  t.same(s.runs(), [c.id])
  t.match(readSession(s.home, b.id), { status: 'failed', cause: { result: 'not-started' }, error: 'its unit is bad' })
  t.equal(readRegistry(s.home).rows.status(b.id), 'failed')
})

t.test('a session that fails in its own launch says so', async (t) => {
  const s = new Stage(t, 1)
  s.units.refuse = new AgentzError('UNIT_FAILED', 'no unit for you')
  await t.rejects(s.launch(), { code: 'UNIT_FAILED' })
  const [id = ''] = readRegistry(s.home).rows.ids()
  t.match(readSession(s.home, id), { status: 'failed', cause: { result: 'not-started' } })
  s.units.refuse = undefined
  t.match(await sayTo(s.home, s.units, id, { content: 'again' }), { reopened: true })
  t.same(s.runs(), [id], 'queued again after the same epoch, and started')
})

t.test('a manager that is gone leaves the queue as it is', async (t) => {
  const s = new Stage(t, 1)
  const { id: first } = await s.launch()
  const { id } = await s.launch()
  await s.speak(first)
  await appendLifecycle(s.home, { type: 'session_completed', sessionId: first, metadata: {} }, 'daemon', { epoch: 1 })
  s.units.units.clear()
  s.units.refuse = new AgentzError('NO_MANAGER', 'it is ending')
  await t.rejects(s.next(), { code: 'NO_MANAGER' })
  t.same(await s.status(id), ['pending', 'pending'])
  s.units.refuse = undefined
  await s.next()
  t.same(s.runs(), [id])
})

t.test('a message to a session that has ended waits too', async (t) => {
  const s = new Stage(t, 1)
  const { id: ended } = await s.launch()
  await s.speak(ended)
  await s.end(ended)
  const { id: busy } = await s.launch()
  const said = await sayTo(s.home, s.units, ended, { content: 'and now?' })
  t.match(said, { reopened: true, place: 1 })
  t.same(await s.status(ended), ['pending', 'pending'])
  t.match(await sayTo(s.home, s.units, ended, { content: 'one more' }), { reopened: false, place: 1 })
  await s.speak(busy)
  await s.end(busy)
  t.same(s.runs(), [ended])
  await s.speak(ended, 2)
  t.match(readSession(s.home, ended), { status: 'running', restarts: 0, epoch: 2, queuedAt: undefined })
  t.match(readRegistry(s.home).rows.get(ended), { status: 'running', restarts: 0, epoch: 2, queuedAt: undefined })
})

t.test('cancelled while it waits: at once, also a second time', async (t) => {
  const s = new Stage(t, 1)
  const { id: busy } = await s.launch()
  const { id } = await s.launch()
  for (let time = 0; time < 2; time++) {
    t.match(await cancelSession(s.home, s.units, id, 'cli'), { status: 'cancelled', done: true })
    t.same(await s.status(id), ['cancelled', 'cancelled'], `time ${time}`)
    t.match(await cancelSession(s.home, s.units, id, 'cli'), { status: 'cancelled', done: false })
    t.match(await sayTo(s.home, s.units, id, { content: 'come back' }), { place: 1 })
    t.same(await s.status(id), ['pending', 'pending'])
  }
  await cancelSession(s.home, s.units, id, 'cli')
  await s.speak(busy)
  await s.end(busy)
  t.same(s.runs(), [])
})

t.test('a creator that died between the two files', async (t) => {
  const s = new Stage(t, 1)
  const { sessionId } = await newSession(s.home)
  const queued = { type: 'session_queued', sessionId } as const
  appendOnce(sessionLog(s.home, sessionId), frame(queued, 'supervisor', 0))
  await s.next()
  t.same(s.runs(), [], 'its creator lives: it may not have come to it yet')
  rmSync(s.home.registry)
  const created = { agentType: 'claude', prompt: 'p', title: 't', workingDir: '/' }
  const creator = { pid: process.pid, start: '1' }
  const line = frame({ type: 'session_created', sessionId, ...created, creator }, 'user')
  await appendRegistry(s.home, JSON.parse(line))
  await s.next()
  t.same(s.runs(), [sessionId])
})

t.test('a registry that says queued of what has ended starts nothing', async (t) => {
  const s = new Stage(t, 1)
  const { id: busy } = await s.launch()
  const { id } = await s.launch()
  await cancelSession(s.home, s.units, id, 'cli')
  const late = frame({ type: 'session_queued', sessionId: id }, 'supervisor', 0)
  await appendRegistry(s.home, JSON.parse(late))
  await s.speak(busy)
  await s.end(busy)
  t.same(s.runs(), [])
})

t.test('many at once: never more than the cap, and each in its turn', async (t) => {
  const s = new Stage(t, 3)
  let most = 0
  const start = s.units.start
  const order: string[] = []
  const ends: Promise<void>[] = []
  const work = async (id: string) => {
    await later(5)
    await s.speak(id)
    await s.end(id)
  }
  s.units.start = async (spec) => {
    await start(spec)
    order.push(spec.sessionId)
    most = Math.max(most, [...s.units.units.values()].filter(({ sub }) => sub === 'running').length)
    ends.push(work(spec.sessionId))
  }
  const specs = await Promise.all(Array.from({ length: 30 }, () => s.launch()))
  const over = async () => {
    const fleet = await readFleet(s.home, s.units)
    return specs.every(({ id }) => fleet.status(id) === 'completed')
  }
  while (!(await over())) await later(20)
  await Promise.all(ends)
  t.equal(most, 3)
  t.equal(new Set(order).size, 30)
})
