import t from 'tap'
import { clip, Output, shorten } from '../../../../src/agents/chat/tools/output.js'

const HALF = 400 * 1024

t.test('what fits is whole, also a character on the border', async (t) => {
  const output = new Output()
  const text = `${'a'.repeat(HALF - 1)}é${'b'.repeat(100)}`
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += 1000) output.add(bytes.subarray(at, at + 1000))
  t.ok(output.text === text)
})

t.test('what does not goes missing in the middle, and is counted', async (t) => {
  for (const size of [1, 999, 70_000, 3_000_000]) {
    const output = new Output()
    const bytes = Buffer.from(`${'a'.repeat(HALF)}${'x'.repeat(1_000_000)}${'b'.repeat(HALF)}`)
    for (let at = 0; at < bytes.length; at += Math.max(size, 50))
      output.add(bytes.subarray(at, at + Math.max(size, 50)))
    const gap = '\n[… 1000000 bytes are missing here]\n'
    t.ok(output.text === `${'a'.repeat(HALF)}${gap}${'b'.repeat(HALF)}`, `in pieces of ${size}`)
  }
})

t.test('shorten and clip', async (t) => {
  t.equal(shorten('short', 10), 'short')
  t.equal(shorten('aaaaaxxbbbbb', 10), 'aaaaa\n[… 2 bytes are missing here]\nbbbbb')
  t.equal(clip('short', 5), 'short')
  t.equal(clip('abc', 2), 'ab…')
  t.equal(clip('a😀b', 2), 'a\ufffd…', 'no half characters')
})
