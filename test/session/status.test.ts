import fc from 'fast-check'
import t from 'tap'
import { SessionEvent } from '../../src/session/events.js'
import { isLive, nextStatus, type Status, statuses, terminalStatuses } from '../../src/session/status.js'

const types = SessionEvent.def.options.map((option) => option.def.shape.type.def.values[0] as string)
const hostile = ['', '__proto__', 'constructor', 'toString', 'valueOf', 'hasOwnProperty', 'RUNNING', 'turn_started ']
const event = fc.record({
  type: fc.oneof(fc.constantFrom(...types), fc.constantFrom(...hostile), fc.string()),
  named: fc.oneof(
    fc.constantFrom<unknown>(...statuses, ...hostile, undefined, null, 5, {}, ['running']),
    fc.anything(),
  ),
})
const status = fc.constantFrom(...statuses)
const terminal: ReadonlySet<string> = new Set(terminalStatuses)

t.test('any events in any order give a legal status', async () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 30 }), (events) => {
      let now: Status = 'pending'
      for (const { type, named } of events) now = nextStatus(now, type, named)
      if (!statuses.includes(now)) throw new Error(`${now} is no status`)
    }),
    { numRuns: 500 },
  )
})

t.test('what has ended stays so until a daemon starts again', async () => {
  fc.assert(
    fc.property(fc.constantFrom(...terminalStatuses), fc.array(event), (end, events) => {
      let now: Status = end
      for (const { type, named } of events) {
        const before: Status = now
        now = nextStatus(now, type, named)
        if (type === 'daemon_started' || type === 'session_queued') return
        if (!terminal.has(now)) throw new Error(`${type} leads from ${before} to ${now}`)
        // Interrupted is what a reader says before the reason is known; the others are somebody's word.
        if (before !== 'interrupted' && now !== before) throw new Error(`${type} makes ${before} ${now}`)
      }
    }),
    { numRuns: 500 },
  )
})

t.test('unknown types change nothing', async () => {
  fc.assert(
    fc.property(status, fc.oneof(fc.constantFrom(...hostile), fc.string()), fc.anything(), (now, type, named) => {
      fc.pre(!types.includes(type))
      return nextStatus(now, type, named) === now
    }),
  )
})

t.test('a named status is taken only from the living to the living', async () => {
  fc.assert(
    fc.property(status, status, fc.constantFrom('session_updated', 'status_change'), (now, named, type) => {
      return nextStatus(now, type, named) === (isLive(now) && isLive(named) ? named : now)
    }),
  )
})

t.test('the table', async (t) => {
  const table: [Status, string, Status][] = [
    ['pending', 'daemon_started', 'running'],
    ['completed', 'daemon_started', 'running'],
    ['idle', 'turn_started', 'running'],
    ['running', 'turn_ended', 'idle'],
    ['waiting_approval', 'turn_ended', 'idle'],
    ['pending', 'turn_ended', 'pending'],
    ['running', 'approval_request', 'waiting_approval'],
    ['waiting_approval', 'approval_response', 'running'],
    ['waiting_approval', 'approval_voided', 'running'],
    ['waiting_input', 'approval_response', 'waiting_input'],
    ['waiting_input', 'approval_voided', 'running'],
    ['idle', 'user_message', 'running'],
    ['waiting_input', 'user_message', 'waiting_input'],
    ['running', 'input_request', 'waiting_input'],
    ['waiting_input', 'input_response', 'running'],
    ['idle', 'session_completed', 'completed'],
    ['failed', 'session_completed', 'failed'],
    ['interrupted', 'session_completed', 'interrupted'],
    ['interrupted', 'session_failed', 'failed'],
    ['interrupted', 'session_cancelled', 'cancelled'],
    ['completed', 'session_interrupted', 'completed'],
    ['running', 'daemon_exited', 'interrupted'],
    ['completed', 'daemon_exited', 'completed'],
    ['cancelled', 'session_failed', 'cancelled'],
    ['completed', 'approval_request', 'completed'],
  ]
  for (const [from, type, to] of table) t.equal(nextStatus(from, type), to, `${from} -> ${type} -> ${to}`)
})
