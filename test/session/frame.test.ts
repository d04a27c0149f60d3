/** The line that is put together by hand is the line that JSON.stringify makes. */
import fc from 'fast-check'
import t from 'tap'
import type { AgentEvent } from '../../src/session/events.js'
import { frame, framer } from '../../src/session/frame.js'

const timestamp = '2026-01-01T00:00:00.000Z'

t.test('any text, of either kind, frames alike', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: 'grapheme' }),
    fc.constant('lone \ud800 surrogate'),
    fc.constant('"\\\u2028\x7f'),
  )
  fc.assert(
    fc.property(text, fc.constantFrom('stdout', 'stderr' as const), fc.nat(), (content, stream, epoch) => {
      const event = { type: 'text', stream, content } as const
      const line = framer('agent', epoch, timestamp)(event)
      t.equal(line, frame(event, 'agent', epoch, timestamp))
      return JSON.parse(line).content === content
    }),
    { numRuns: 300 },
  )
})

t.test('what is more than plain text goes the long way', async (t) => {
  const events: AgentEvent[] = [
    { type: 'text', content: 'whole' },
    { type: 'text', partial: true, delta: ['a ', 'b'] },
    { type: 'text', stream: 'stdout', content: 'cut', missingBytes: 7 },
    { type: 'thinking', content: 'hm' },
    { type: 'turn_started', turn: 1 },
  ]
  for (const event of events) {
    const line = framer('agent', 3, timestamp)(event)
    t.strictSame(JSON.parse(line), { timestamp, by: 'agent', epoch: 3, ...event })
    t.ok(line.startsWith(`{"type":"${event.type}","timestamp":`), 'the type is first')
  }
  t.notMatch(frame({ type: 'cancel_requested' }, 'user'), /epoch/)
})
