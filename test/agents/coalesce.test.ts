import { mock } from 'node:test'
import * as fc from 'fast-check'
import t from 'tap'
import { Coalescer } from '../../src/agents/coalesce.js'
import type { AgentEvent } from '../../src/session/events.js'

type Kind = 'text' | 'thinking'
const partial = (type: Kind, piece: string): AgentEvent => ({ type, partial: true, delta: [piece] })
const isPartial = (event: AgentEvent): event is Extract<AgentEvent, { type: Kind }> & { delta: string[] } =>
  'partial' in event && event.partial === true

function collect() {
  const batches: AgentEvent[][] = []
  return { coalescer: new Coalescer((events) => batches.push([...events])), batches, events: () => batches.flat() }
}

t.before(() => mock.timers.enable({ apis: ['setTimeout'] }))
t.teardown(() => mock.timers.reset())

t.test('a fast answer leaves the whole event only', async (t) => {
  const { coalescer, events } = collect()
  coalescer.emit([partial('text', 'Hello '), partial('text', 'there')])
  coalescer.emit([{ type: 'text', content: 'Hello there' }])
  mock.timers.tick(100)
  coalescer.flush()
  t.same(events(), [{ type: 'text', content: 'Hello there' }])
})

t.test('at most one event in 50 ms, a whole word a piece', async (t) => {
  const { coalescer, events } = collect()
  coalescer.emit([partial('text', 'A sentence of')])
  mock.timers.tick(49)
  coalescer.emit([partial('text', ' the ans'), partial('text', 'wer.')])
  t.same(events(), [])
  mock.timers.tick(1)
  t.same(events(), [{ type: 'text', partial: true, delta: ['A ', 'sentence ', 'of ', 'the '] }])
  coalescer.emit([partial('text', '\nMore')])
  mock.timers.tick(49)
  t.equal(events().length, 1)
  mock.timers.tick(1)
  t.same(events().slice(1), [partial('text', 'answer.\n')])
})

t.test('a word that is streamed by letters is one piece, however long that takes', async (t) => {
  const { coalescer, events } = collect()
  for (const letter of 'sk-secret-0123456789') {
    coalescer.emit([partial('text', letter)])
    mock.timers.tick(100)
  }
  t.same(events(), [])
  coalescer.emit([partial('text', ' ')])
  mock.timers.tick(50)
  t.same(events(), [partial('text', 'sk-secret-0123456789 ')])
})

t.test('a word without an end is let go in parts', async (t) => {
  const { coalescer, events } = collect()
  for (let n = 0; n < 1000; n++) coalescer.emit([partial('text', '0123456789')])
  mock.timers.tick(50)
  t.same(sizes(events()), [4096, 4096])
  coalescer.flush()
  t.same(sizes(events()), [4096, 4096, 10_000 - 2 * 4096])
})

t.test('the words of two streams are kept apart', async (t) => {
  const { coalescer, events } = collect()
  coalescer.emit([
    partial('thinking', 'thin'),
    partial('text', 'te'),
    partial('thinking', 'king'),
    partial('text', 'xt'),
  ])
  coalescer.flush()
  t.same(events(), [partial('thinking', 'thinking'), partial('text', 'text')])
})

t.test('the end of a turn lets go what no whole block followed, before itself', async (t) => {
  const { coalescer, events } = collect()
  const end: AgentEvent = { type: 'turn_ended', turn: 1, reason: 'interrupted' }
  coalescer.emit([partial('text', 'half a wo'), { type: 'system', content: 'note' }, end])
  t.same(events(), [
    { type: 'system', content: 'note' },
    { type: 'text', partial: true, delta: ['half ', 'a ', 'wo'] },
    end,
  ])
  coalescer.emit([partial('text', 'Next ')])
  mock.timers.tick(50)
  t.same(events().at(-1), partial('text', 'Next '))
})

t.test('thinking that became whole does not take the text with it', async (t) => {
  const { coalescer, events } = collect()
  coalescer.emit([partial('thinking', 'Hm '), partial('text', 'Well ')])
  coalescer.emit([{ type: 'thinking', content: 'Hm ' }])
  mock.timers.tick(50)
  t.same(events(), [{ type: 'thinking', content: 'Hm ' }, partial('text', 'Well ')])
})

t.test('other events pass at once, and what waits is let go at the end', async (t) => {
  const { coalescer, events } = collect()
  coalescer.emit([partial('text', 'unfinished'), { type: 'system', content: 'note' }])
  t.same(events(), [{ type: 'system', content: 'note' }])
  coalescer.flush()
  coalescer.flush()
  t.same(events().slice(1), [partial('text', 'unfinished')])
})

t.test('a flood in one moment is parted into lines that fit', async (t) => {
  const { coalescer, events } = collect()
  const flood = '\u0001'.repeat(700_000)
  coalescer.emit([partial('text', flood)])
  coalescer.flush()
  t.ok(events().length > 1)
  t.ok(events().every((event) => Buffer.byteLength(JSON.stringify(event)) < 1024 * 1024))
  t.equal(joined(events()), flood)
})

t.test('each piece is one word, and all of them together are the text', async () => {
  const word = fc.constantFrom('a', 'word ', ' ', '\n', 'two words', ' é😀 ', '\t\tx', 'end.')
  fc.assert(
    fc.property(fc.array(word, { maxLength: 60 }), (pieces) => {
      const { coalescer, events } = collect()
      coalescer.emit(pieces.map((piece) => partial('text', piece)))
      coalescer.flush()
      const deltas = events().flatMap((event) => (isPartial(event) ? event.delta : []))
      const whole = deltas.every((piece, n) => n === 0 || /\s/.test(`${deltas[n - 1]?.at(-1)}${piece[0]}`))
      const single = deltas.every((piece) => piece.trim().split(/\s+/).length === 1)
      return deltas.join('') === pieces.join('') && whole && single
    }),
  )
})

const joined = (events: AgentEvent[]) => events.flatMap((event) => (isPartial(event) ? event.delta : [])).join('')
const sizes = (events: AgentEvent[]) =>
  events.flatMap((event) => (isPartial(event) ? event.delta.map(({ length }) => length) : []))
