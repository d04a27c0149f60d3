/** Status and cause over the life of a session: what is known of an end stays known. */
import fc from 'fast-check'
import t from 'tap'
import { applyLife, causeOf, isOver, type Life, type Loose, newLife } from '../../src/session/life.js'
import { isLive, needsAnswer, type Status, statuses } from '../../src/session/status.js'
import { at, foldOf, started } from './fold.js'
import { histories, likely } from './histories.js'

const exit = (epoch = 1, more: object = {}) => ({
  ...{ type: 'daemon_exited', by: 'supervisor', epoch, result: 'signal', code: 'killed', status: 'KILL' },
  ...more,
})
const interrupted = (result: string, more: object = {}) => ({
  ...{ type: 'session_interrupted', by: 'supervisor', epoch: 1 },
  ...{ cause: { result, message: `why: ${result}` }, ...more },
})
const bare = { result: 'signal', code: 'killed', status: 'KILL' }
const endOf = (...events: object[]) => {
  const { status, cause } = foldOf(events)
  return [status, cause]
}

// A reaper that wrote "stopped" after the daemon's own word, and the reason was gone.
t.test('the first end of a run counts, also against a second interruption', async (t) => {
  const why = { result: 'log-out', message: 'why: log-out' }
  t.strictSame(endOf(started(), interrupted('log-out'), interrupted('stopped')), ['interrupted', why])
  t.strictSame(endOf(started(), interrupted('log-out'), exit()), ['interrupted', why], 'an exit behind it')
  const cancelled = { type: 'session_cancelled', cause: { result: 'cancelled', message: 'm' } }
  t.strictSame(endOf(started(), interrupted('stopped'), cancelled), ['cancelled', cancelled.cause], 'somebody decided')
  t.strictSame(endOf(started(), cancelled, interrupted('stopped')), ['cancelled', cancelled.cause])
})

t.test('a bare exit is no end: whoever writes one says more', async (t) => {
  t.strictSame(endOf(started(), exit()), ['interrupted', bare])
  t.strictSame(endOf(started(), exit(), exit()), ['interrupted', bare], 'the reaper was run again')
  t.strictSame(endOf(started(), exit(), exit(1, { result: 'success' })), ['interrupted', bare], 'and knew less')
  t.strictSame(endOf(started(), exit(), interrupted('lost'))[1], { result: 'lost', message: 'why: lost' })
  const failed = { type: 'session_failed', error: 'e', cause: { result: 'start-limit-hit', message: 'm' } }
  t.strictSame(endOf(started(), exit(), failed), ['failed', failed.cause])
  t.notOk(isOver(foldOf([started(), exit()])))
})

t.test('an end that names no cause takes nothing away; an interruption is told from a bare exit', async (t) => {
  t.strictSame(endOf(started(), exit(), { type: 'session_failed', error: 'e' }), ['failed', bare])
  t.strictSame(endOf(started(), { type: 'session_failed' }), ['failed', { result: 'unknown' }])
  const state = foldOf([started(), exit(), { type: 'session_interrupted', epoch: 1 }])
  t.match(state.cause, { ...bare, message: /signal/ })
  t.ok(isOver(state))
  t.ok(isOver(foldOf([started(), interrupted('of the future', { cause: { result: 'of the future' } })])))
})

t.test('an exit without a result has a cause all the same', async (t) => {
  t.strictSame(endOf(started(), { type: 'daemon_exited', epoch: 1 }), ['interrupted', { result: 'unknown' }])
})

// Of {"toString":0} nobody can make a text: one such line, and `ls` showed no session at all.
t.test('what is no cause is none, field by field', async (t) => {
  for (const nothing of [undefined, null, 5, 'signal', []]) t.same(causeOf(nothing), { result: 'unknown' })
  const hostile = { toString: 0 }
  t.strictSame(causeOf({ result: hostile, code: hostile, status: hostile, message: hostile, of: hostile }), {
    result: 'unknown',
    of: hostile,
  })
  const { error } = foldOf([started(), { type: 'session_failed', error: hostile }])
  t.equal(error, undefined)
})

// The registry may hold a start twice, and what had ended lived again.
t.test('a start that is told once more opens nothing', async (t) => {
  const end = { type: 'session_completed', metadata: {} }
  const state = foldOf([started(), end, started()])
  t.match(state, { status: 'completed', epoch: 1, restarts: 0 })
  t.match(foldOf([started(), started()]), { status: 'running', restarts: 0 })
  t.match(foldOf([started(), end, started(2)]), { status: 'running', epoch: 2, restarts: 0 })
  t.match(foldOf([started(), exit(), started(2)]), { status: 'running', epoch: 2, restarts: 1 })
})

t.test('nothing waits without an open question, whatever status is named', async (t) => {
  for (const type of ['session_updated', 'status_change']) {
    for (const status of ['waiting_approval', 'waiting_input'])
      t.equal(foldOf([started(), { type, status }]).status, 'running', `${type} ${status}`)
  }
  const ask = { type: 'approval_request', requestId: 'r1' }
  const other = { type: 'session_updated', status: 'waiting_input' }
  t.equal(foldOf([started(), ask, other]).status, 'waiting_approval', 'the kind that is open')
})

const startOf = () => newLife({ type: 'session_created', timestamp: at(0) })
const apply = (records: readonly Loose[], life: Life = startOf()): Life => {
  for (const each of records) if (typeof each.type === 'string') applyLife(life, structuredClone(each))
  return life
}

const opens = (type: unknown) => type === 'daemon_started' || type === 'session_queued'
const isEnd = (type: unknown) => /^session_(?:completed|failed|cancelled|interrupted)$/.test(String(type))

t.test('properties of any history', async () => {
  fc.assert(
    fc.property(histories, (records) => {
      const life = startOf()
      for (const each of records) {
        const before = structuredClone(life)
        applyLife(life, each)
        const { status, cause } = life
        if (!statuses.includes(status)) throw new Error(`${status} is no status`)
        if (['failed', 'cancelled', 'interrupted'].includes(status) && typeof cause?.result !== 'string')
          throw new Error(`${status} without a cause`)
        if (isLive(before.status) || (opens(each.type) && isLive(status))) continue
        if (isLive(status)) throw new Error(`${String(each.type)} opens what is ${before.status}`)
        // What has ended changes by an end that says more, and by nothing else.
        const same = status === before.status && JSON.stringify(cause) === JSON.stringify(before.cause)
        if (same) continue
        if (before.status !== 'interrupted' || !isEnd(each.type)) throw new Error(`${String(each.type)} changes an end`)
        if (isOver(before) && status === 'interrupted') throw new Error('a second interruption changes the first')
      }
    }),
    { numRuns: 3000 },
  )
})

t.test('what is said twice is said once', async () => {
  fc.assert(
    fc.property(likely, (records) => {
      const once = apply(records)
      const twice = apply(records.flatMap((each) => [each, each]))
      return JSON.stringify(once) === JSON.stringify(twice)
    }),
    { numRuns: 1500 },
  )
})

t.test('a daemon that has started, and has not ended since, lives', async () => {
  fc.assert(
    fc.property(likely, (records) => {
      let open = false
      let newest = 0
      for (const { type, epoch } of records) {
        if (typeof epoch === 'number' && epoch < newest) continue
        if (type === 'daemon_started' && epoch !== newest) {
          newest = epoch as number
          open = true
        } else if (isEnd(type) || type === 'daemon_exited') open = false
      }
      const state = foldOf(records)
      if (open && !isLive(state.status)) throw new Error(`its newest daemon lives, and it is ${state.status}`)
    }),
    { numRuns: 1500 },
  )
})

t.test('a question is open, or nothing waits', async () => {
  fc.assert(
    fc.property(histories, (records) => {
      const { status, approvals, inputs } = foldOf(records.filter(({ type }) => typeof type === 'string'))
      const open: Partial<Record<Status, number>> = { waiting_approval: approvals.size, waiting_input: inputs.size }
      return !needsAnswer(status) || (open[status] ?? 0) > 0
    }),
    { numRuns: 1500 },
  )
})

t.test('an epoch that cannot be: each later start is still a later one', async (t) => {
  const next = (events: object[]) => {
    const { epoch, exited } = foldOf(events)
    return Math.max(epoch, exited) + 1
  }
  for (const forged of [2 ** 31, 2 ** 53 - 1, 2 ** 53, 1e300, Number.POSITIVE_INFINITY, 1.5, -1, '7', {}, null]) {
    for (const type of ['daemon_started', 'daemon_exited']) {
      const events: object[] = [started(), { type, by: 'daemon', epoch: forged }]
      for (let start = 1; start <= 3; start++) {
        const epoch = next(events)
        events.push(exit(epoch - 1), started(epoch))
        const state = foldOf(events)
        t.match(state, { status: 'running', epoch }, `${type} of ${String(forged)}, start ${start}`)
        t.notOk(epoch === next(events), 'its next start has another number')
      }
    }
  }
})
