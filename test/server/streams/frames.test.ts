/** Events that many readers share: kept while somebody follows, and no more of them than it takes. */
import t from 'tap'
import { Memory } from '../../../src/base/memory.js'
import { follow, frameAt } from '../../../src/server/streams/frames.js'
import { ROOM, type Source } from '../../../src/streams/source.js'

const line = `${JSON.stringify('x'.repeat(1021))}\n`

/** A stream of so many lines of 1 KiB. */
const sourceOf = (lines: number): Source => ({
  ...{ id: 'x', contentType: 'application/json', json: true, closed: false, gone: false },
  end: lines * line.length,
  read: (from, most, memory) => {
    const bytes = memory.take(most + 2 * ROOM).subarray(ROOM, ROOM + most)
    for (let at = 0; at < most; at += line.length) bytes.write(line.slice((from + at) % line.length), at)
    return bytes
  },
  linesOf: (bytes) => bytes,
  onGrowth: () => () => undefined,
})

t.test('an event is made once for all who follow, and kept for nobody', async (t) => {
  const source = sourceOf(100)
  const at = (offset: number) => frameAt(source, offset, new Memory())
  t.not(at(0), at(0), 'nobody follows')
  const leave = [follow(source), follow(source)]
  t.equal(at(0), at(0))
  leave[0]?.()
  t.equal(at(0), at(0), 'one still follows')
  const before = at(0)
  leave[1]?.()
  t.not(at(0), before)
})

t.test('the last events are kept, up to a limit of bytes', async (t) => {
  const source = sourceOf(200)
  follow(source)
  const offsets = Array.from({ length: 20 }, (_, n) => n * line.length)
  const frames = offsets.map((at) => frameAt(source, at, new Memory()))
  for (const frame of frames) frame.before('event: control\n\n')
  let [kept, bytes] = [0, 0]
  for (const [n, frame] of [...frames.entries()].reverse()) {
    if (frameAt(source, offsets[n] ?? 0, new Memory()) !== frame) break
    kept++
    bytes += frame.size
  }
  t.ok(kept > 1 && kept < 20, `${kept} of 20`)
  t.ok(bytes <= 1024 * 1024, `${bytes} bytes`)
})
