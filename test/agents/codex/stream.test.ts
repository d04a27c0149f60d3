import t from 'tap'
import { Stream } from '../../../src/agents/codex/stream.js'

t.test('the whole takes the place of its pieces', async (t) => {
  const stream = new Stream()
  t.same(stream.piece('text', 'a', 'one '), [{ type: 'text', partial: true, delta: ['one '] }])
  t.same(stream.whole('text', 'a', 'one two'), [{ type: 'text', content: 'one two' }])
  t.same(stream.close(), [])
})

t.test('what breaks off is told as far as it came', async (t) => {
  const stream = new Stream()
  stream.piece('text', 'a', 'one ')
  stream.piece('text', 'a', 'two')
  t.same(stream.close(), [{ type: 'text', content: 'one two' }])
  stream.piece('thinking', 'b', 'hm')
  t.match(stream.piece('text', 'c', 'so'), [{ type: 'thinking', content: 'hm' }, { delta: ['so'] }])
  t.same(stream.whole('text', 'd', 'other'), [
    { type: 'text', content: 'so' },
    { type: 'text', content: 'other' },
  ])
})

t.test('an answer that the model begins again is not told twice', async (t) => {
  const stream = new Stream()
  stream.piece('text', 'a', 'one ')
  t.same(stream.drop(), [])
  t.same(stream.close(), [])
})

t.test('what is longer than a line of the log is counted', async (t) => {
  const stream = new Stream()
  for (let n = 0; n < 30; n++) stream.piece('text', 'a', 'x'.repeat(100_000))
  const [event] = stream.close()
  t.match(event, { type: 'text', missingBytes: Number })
  const { content = '', missingBytes = 0 } = event as { content?: string; missingBytes?: number }
  t.equal(content.replace(/\[.*/, '').length + missingBytes, 3_000_000)
})
