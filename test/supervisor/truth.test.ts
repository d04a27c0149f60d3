import fc from 'fast-check'
import t from 'tap'
import type { Loose } from '../../src/session/life.js'
import { isLive, liveStatuses, needsAnswer, statuses, terminalStatuses } from '../../src/session/status.js'
import { carries, correction } from '../../src/supervisor/truth.js'
import { foldOf } from '../session/fold.js'
import { histories } from '../session/histories.js'

const time = Date.parse('2026-01-01T12:00:00.000Z')
const creator = { pid: 42, start: '7' }
const now = { boot: 'this boot', time, lives: (one: object) => one === creator }
const before = (ms: number) => new Date(time - ms).toISOString()
const old = before(3_600_000)
const carrying = ['active', 'activating', 'reloading', 'deactivating']
const unit = (active: string) => ({ active, sub: 'x' })

t.test('which units carry a session', async (t) => {
  for (const active of carrying) t.equal(carries(unit(active)), true, active)
  for (const active of ['failed', 'inactive', 'unknown', '']) t.equal(carries(unit(active)), false, active)
  t.equal(carries(undefined), false)
})

t.test('the table', async (t) => {
  const life = { status: 'running' as const, epoch: 1, bootId: 'this boot', createdAt: old }
  const result = (fields: object, state?: string) =>
    correction({ ...life, ...fields }, state === undefined ? undefined : unit(state), now)?.cause.result
  for (const status of liveStatuses) {
    t.equal(result({ status }, 'active'), undefined, `${status}, and its unit runs`)
    t.equal(result({ status }), 'lost', `${status}, and there is no unit`)
    t.equal(result({ status }, 'failed'), 'lost', `${status}, and its unit failed`)
    t.equal(result({ status, bootId: 'another boot' }), 'reboot', `${status}, in another boot`)
    t.equal(result({ status, bootId: 'another boot' }, 'active'), undefined, `${status}, resumed in this boot`)
  }
  for (const status of terminalStatuses) t.equal(result({ status }), undefined, `${status} stays`)
  t.equal(result({ bootId: undefined }), 'lost', 'a boot that nobody noted')

  // Between session_created and the manager's first word nothing carries a session, and it is not lost.
  const young = { status: 'pending', epoch: 0, bootId: undefined }
  t.equal(result({ ...young, createdAt: before(0) }), undefined, 'just created')
  t.equal(result({ ...young, createdAt: before(9_999) }), undefined, 'nearly 10 s old')
  t.equal(result({ ...young, createdAt: before(10_000) }), 'lost', '10 s old')
  t.equal(result({ ...young, createdAt: before(10_000), creator }), undefined, 'its creator is slow, and lives')
  t.equal(result({ ...young, createdAt: before(119_999), creator }), undefined)
  t.equal(result({ ...young, createdAt: before(120_000), creator }), 'lost', 'a server lives for ever')
  t.equal(result({ ...young, createdAt: before(10_000), creator: { ...creator } }), 'lost', 'its creator is gone')
  t.equal(result({ ...young, createdAt: old, queuedAt: old }), undefined, 'it waits for its turn')
  t.equal(result({ ...young, createdAt: before(-1) }), 'lost', 'created in the future: the clock was put back')
  t.equal(result({ ...young, createdAt: 'no date' }), 'lost')
  t.equal(result({ createdAt: before(0) }), 'lost', 'a daemon that had started is no birth')
  t.equal(result({ ...young, status: 'running', createdAt: before(0) }), 'lost', 'nothing runs before its first daemon')
})

t.test('properties', async () => {
  const life = fc.record({
    status: fc.constantFrom(...statuses),
    epoch: fc.nat(5),
    bootId: fc.constantFrom('this boot', 'another boot', undefined),
    creator: fc.constantFrom(creator, { pid: 1, start: '1' }, undefined),
    createdAt: fc.oneof(fc.integer({ min: -20_000, max: 20_000 }).map(before), fc.string()),
  })
  const anyUnit = fc.option(fc.constantFrom(...carrying, 'failed', 'inactive').map(unit), { nil: undefined })
  fc.assert(
    fc.property(life, anyUnit, (state, of) => {
      const corrected = correction(state, of, now)
      if (!isLive(state.status) || carries(of)) return corrected === undefined
      const birth = state.epoch === 0
      if (corrected === undefined) return birth
      return corrected.status === 'interrupted' && ['reboot', 'lost'].includes(corrected.cause.result)
    }),
    { numRuns: 1000 },
  )
})

/** Every state of a unit that systemd knows, systemctl(1) --state=help. */
const subs: Record<string, string[]> = {
  active: ['running', 'exited', 'reload', 'reload-signal', 'reload-notify'],
  activating: ['condition', 'start-pre', 'start', 'start-post', 'auto-restart', 'auto-restart-queued'],
  reloading: ['reload'],
  deactivating: [
    'stop',
    'stop-watchdog',
    'stop-sigterm',
    'stop-sigkill',
    'stop-post',
    'final-sigterm',
    'final-sigkill',
  ],
  failed: ['failed'],
  inactive: ['dead', 'dead-before-auto-restart', 'failed-before-auto-restart'],
  maintenance: ['cleaning'],
}
const everyUnit = Object.entries(subs).flatMap(([active, each]) => each.map((sub) => ({ active, sub })))

t.test('what is shown, after any history, with any unit, in any boot, at any age', async () => {
  const scene = fc.record({
    records: histories,
    unit: fc.option(fc.constantFrom(...everyUnit), { nil: undefined }),
    boot: fc.constantFrom('this boot', 'another boot', undefined),
    age: fc.constantFrom(-3_600_000, -1, 0, 9_999, 10_000, 119_999, 120_000, 86_400_000),
    creator: fc.constantFrom(creator, { pid: 1, start: '1' }, undefined),
  })
  fc.assert(
    fc.property(scene, ({ records, unit, boot, age, creator: by }) => {
      const ofBoot = (each: Loose) => (each.type === 'daemon_started' ? { ...each, bootId: boot } : each)
      const state = foldOf(records.filter(({ type }) => typeof type === 'string').map(ofBoot))
      Object.assign(state, { createdAt: before(age), ...(state.epoch === 0 ? { creator: by } : {}) })
      const corrected = correction(state, unit, now)
      const { status, cause } = { ...state, ...corrected }
      if (!statuses.includes(status)) throw new Error(`${status} is no status`)
      if (!isLive(state.status) && corrected !== undefined) throw new Error('an end was corrected')
      if (!carries(unit) && isLive(status)) {
        const isQueued = state.queuedAt !== undefined
        const isBorn = state.epoch === 0 && age >= 0 && (age < 10_000 || (by === creator && age < 120_000))
        if (status !== 'pending' || !(isQueued || isBorn)) throw new Error(`${status}, and nothing carries it`)
      }
      if (carries(unit) && isLive(state.status) && status !== state.status) throw new Error('what runs was called lost')
      if (needsAnswer(status) && state.approvals.size + state.inputs.size === 0) throw new Error('it waits for nothing')
      if (status === 'interrupted' && cause?.result === undefined) throw new Error('nobody knows why')
      if (corrected?.cause.result === 'reboot' && state.bootId === 'this boot') throw new Error('no reboot was seen')
    }),
    { numRuns: 4000 },
  )
})
