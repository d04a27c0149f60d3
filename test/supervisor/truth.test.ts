import fc from 'fast-check'
import t from 'tap'
import { isLive, liveStatuses, statuses, terminalStatuses } from '../../src/session/status.js'
import { carries, correction } from '../../src/supervisor/truth.js'

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
