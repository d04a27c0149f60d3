import fc from 'fast-check'
import t from 'tap'
import { messagesIn } from '../../src/client/sse.js'

async function* pieces(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let at = 0
  for (const size of sizes) {
    yield bytes.subarray(at, at + size)
    at += size
  }
  yield bytes.subarray(at)
}

async function read(text: string, sizes: readonly number[] = []) {
  const messages = []
  for await (const message of messagesIn(pieces(new TextEncoder().encode(text), sizes))) messages.push(message)
  return messages
}

const message = (data: string, id?: string, event = 'message') => ({ id, event, data })

t.test('messages, as the standard has them', async (t) => {
  t.strictSame(await read('id: 5\ndata: {"a":1}\n\nid:6\ndata:x\ndata\ndata:  y\n\n'), [
    message('{"a":1}', '5'),
    message('x\n\n y', '6'),
  ])
  t.strictSame(await read(': nothing new\n\nretry: 1000\n\nevent: damaged\ndata: {}\n\n'), [
    message('{}', undefined, 'damaged'),
  ])
  t.strictSame(await read('data: a\r\n\r\ndata: b\r\rdata: c\n\n'), [message('a'), message('b'), message('c')])
  t.strictSame(await read('data: whole\n\nid: 9\ndata: torn\n'), [message('whole')], 'what was not finished is nothing')
})

t.test('wherever it is cut', async (t) => {
  const text = 'id: 1\r\ndata: é€😀\r\n\r\nevent: reset\ndata: x\n\n: beat\n\nid: 2\rdata: last\r\r\n'
  const whole = await read(text)
  t.equal(whole.length, 3)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(12), { maxLength: 40 }), async (sizes) => {
      t.strictSame(await read(text, sizes), whole)
    }),
    { numRuns: 50 },
  )
})
