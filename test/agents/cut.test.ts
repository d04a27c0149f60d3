import * as fc from 'fast-check'
import t from 'tap'
import { cut, cutJson, short, TEXT_BUDGET } from '../../src/agents/cut.js'

const escaped = (text: string) => Buffer.byteLength(JSON.stringify(text)) - 2
const marker = (bytes: number) => `[… ${bytes} bytes are missing here]`
/** All of UTF-16: control characters, quotes, surrogates paired and alone. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 300 }).map((units) => String.fromCharCode(...units)),
)

t.test('short text passes untouched', async (t) => {
  t.same(cut('a sentence'), { content: 'a sentence' })
  t.equal(short('a name'), 'a name')
})

t.test('whatever the text and the budget: it fits, counts exactly, and never parts a character', async () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 64, max: 500 }), fc.nat(5000), (text, budget, missing) => {
      const { content, missingBytes } = cut(text, budget, missing)
      if (missingBytes === undefined) return content === text && escaped(text) <= budget && missing === 0
      const tail = marker(missingBytes)
      if (!content.endsWith(tail)) return false
      const kept = content.slice(0, content.length - tail.length)
      const rest = text.slice(kept.length)
      const parted = /[\ud800-\udbff]$/.test(kept) && /^[\udc00-\udfff]/.test(rest)
      const exact = Buffer.byteLength(rest) + missing === missingBytes
      return escaped(content) <= budget && text.startsWith(kept) && exact && !parted
    }),
    { numRuns: 2000 },
  )
})

t.test('text that just fits is whole; one byte more is cut', async (t) => {
  t.equal(cut('x'.repeat(100), 100).missingBytes, undefined)
  t.ok((cut('x'.repeat(101), 100).missingBytes ?? 0) > 0)
})

t.test('control characters count six bytes each', async (t) => {
  const { content } = cut('\u0001'.repeat(2 * 1024 * 1024))
  t.ok(Buffer.byteLength(JSON.stringify({ type: 'text', content })) < 1024 * 1024)
})

t.test('JSON that is too long becomes the cut text of its JSON', async (t) => {
  t.same(cutJson({ command: 'ls' }), { value: { command: 'ls' } })
  t.same(cutJson(undefined), { value: undefined })
  const input = { file_path: '/x', content: '"é'.repeat(TEXT_BUDGET) }
  const { value, missingBytes = 0 } = cutJson(input)
  if (typeof value !== 'string') return t.fail('the input was not cut')
  t.ok(escaped(value) <= TEXT_BUDGET)
  const kept = value.slice(0, -marker(missingBytes).length)
  t.ok(JSON.stringify(input).startsWith(kept))
  t.equal(Buffer.byteLength(kept) + missingBytes, Buffer.byteLength(JSON.stringify(input)))
})
