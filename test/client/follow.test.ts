/** Following over connections that end in every way, from a server that does as it is told; and messages, however they are cut. */
import fc from 'fast-check'
import t from 'tap'
import { AgentzError } from '../../src/base/errors.js'
import { follow } from '../../src/client/follow.js'
import { messagesIn } from '../../src/client/sse.js'
import type { Request, Transport } from '../../src/client/transport.js'
import type { Item } from '../../src/client/types.js'

type Turn = { status?: number; text?: string; end?: 'breaks' | 'ends' | 'is silent'; refuses?: true }

/** Answers each request by the next turn, and keeps where it was asked from. */
class Scripted implements Transport {
  readonly where = 'here'
  readonly asked: string[] = []
  readonly #turns: Turn[]
  constructor(...turns: Turn[]) {
    this.#turns = turns
  }
  async send({ path, signal }: Request) {
    this.asked.push(path)
    const { status = 200, text = '', end = 'ends', refuses } = this.#turns.shift() ?? { refuses: true }
    if (refuses) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    async function* body() {
      yield new TextEncoder().encode(text)
      if (end === 'breaks') throw new Error('socket hang up')
      if (end === 'is silent') {
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
      }
    }
    return { status, body: body() }
  }
}

const told = (offset: number) => `id: ${offset}\ndata: {"type":"text","n":${offset}}\n\n`
const refusal = (status: number, code: string) => ({
  status,
  text: JSON.stringify({ error: { code, message: `it is ${code}`, hint: 'Do it.' } }),
})

/** What comes until it ends, which it does by an error alone. */
async function collect(server: Transport, from = 0, options: Parameters<typeof follow>[3] = {}) {
  const items: Item<{ n: number }>[] = []
  try {
    for await (const item of follow<{ n: number }>(server, '/log', from, options)) items.push(item)
  } catch (error) {
    return { items, error }
  }
}
const offsets = (items: readonly Item<unknown>[] = []) => items.map(({ offset }) => offset)

t.test('goes on where it was, however a connection ends', async (t) => {
  const server = new Scripted(
    { text: told(10) + told(20), end: 'breaks' },
    { refuses: true },
    refusal(503, 'TOO_MANY_STREAMS'),
    { status: 503, text: '{"statusCode":503}' },
    { text: `${told(30)}id: 40\ndata: {"type":"te`, end: 'breaks' },
    { text: `${told(40)}event: damaged\ndata: {"at":40,"length":9}\n\n`, end: 'ends' },
    refusal(401, 'UNAUTHORIZED'),
  )
  const retries: [string, boolean][] = []
  const onRetry = (error: unknown, ms: number) => void retries.push([(error as AgentzError).code, ms > 0 && ms <= 5000])
  const { items, error } = (await collect(server, 0, { onRetry }))!
  t.strictSame(offsets(items), [10, 20, 30, 40, 50], 'each once')
  t.match(items.at(-1), { damaged: { at: 40, length: 9 }, event: undefined })
  t.match(items[0], { event: { type: 'text', n: 10 }, line: '{"type":"text","n":10}' })
  t.strictSame(
    server.asked.map((path) => path.replace('/log?offset=', '')),
    ['0', '20', '20', '20', '20', '30', '50'],
  )
  t.match(error, { code: 'UNAUTHORIZED', message: 'it is UNAUTHORIZED', hint: 'Do it.', http: 401 })
  const codes = ['NO_SERVER', 'NO_SERVER', 'TOO_MANY_STREAMS', 'NO_SERVER', 'NO_SERVER', 'NO_SERVER']
  t.strictSame(
    retries,
    codes.map((code) => [code, true]),
  )
})

t.test('a server that was never there is told at once', async (t) => {
  const { items, error } = (await collect(new Scripted()))!
  t.same(items, [])
  t.ok(error instanceof AgentzError)
  t.match(error, { code: 'NO_SERVER', message: /no answer from here to GET \/log\?offset=0: connect ECONNREFUSED/ })
  t.match(await collect(new Scripted(refusal(400, 'BAD_INPUT')), 7), { error: { code: 'BAD_INPUT' }, items: [] })
  const foreign = { status: 404, text: '<html>' }
  t.match(await collect(new Scripted(foreign)), { error: { code: 'NO_SERVER', message: /no agentz \(404\)/ } })
  const later = new Scripted({ refuses: true }, { text: told(10) }, refusal(404, 'NOT_FOUND'))
  t.match(await collect(later, 0, { isKnown: true } as object), {
    items: [{ offset: 10 }],
    error: { code: 'NOT_FOUND' },
  })
})

t.test('a file that begins anew', async (t) => {
  const server = new Scripted(
    { text: `${told(10)}id: 0\nevent: reset\ndata: {"why":"it was truncated"}\n\n${told(5)}`, end: 'breaks' },
    // Replaced by a shorter one while nobody looked.
    refusal(400, 'BAD_INPUT'),
    { text: told(3) },
    refusal(404, 'NOT_FOUND'),
  )
  const { items } = (await collect(server))!
  t.strictSame(offsets(items), [10, 0, 5, 0, 3])
  t.match(items[1], { reset: { why: 'it was truncated' } })
  t.match(items[3], { reset: { why: 'it is BAD_INPUT' } })
})

t.test('what is damaged inside, and what the server tells of itself', async (t) => {
  const damaged = 'id: 30\ndata: {"type":"te\u0000xt"}\n\n'
  const failing = `event: error\ndata: ${refusal(500, 'HOME_UNUSABLE').text}\n\n`
  const { items, error } = (await collect(new Scripted({ text: told(10) + damaged + failing })))!
  t.match(items[1], { offset: 30, damaged: { at: 10, length: 19 } })
  t.match(error, { code: 'HOME_UNUSABLE' })
  const unknown = (await collect(new Scripted(refusal(418, 'TEAPOT'))))!
  t.match(unknown.error, { code: 'INTERNAL', message: 'TEAPOT: it is TEAPOT' }, 'a later version has more errors')
})

t.test('silence is a broken connection; an abort ends all of it', async (t) => {
  const silent = new Scripted({ text: told(10), end: 'is silent' }, { text: told(20) }, refusal(404, 'NOT_FOUND'))
  t.strictSame(offsets((await collect(silent, 0, { silentMs: 50 } as object))?.items), [10, 20])
  const ended = new AbortController()
  const open = new Scripted({ text: told(10), end: 'is silent' })
  const following = follow(open, '/log', 0, { signal: ended.signal })
  t.match(await following.next(), { value: { offset: 10 } })
  const next = following.next()
  ended.abort(new Error('enough'))
  await t.rejects(next, { message: 'enough' })
  const between = new AbortController()
  const waiting = follow(new Scripted({ text: told(10) }), '/log', 0, {
    signal: between.signal,
    onRetry: () => setImmediate(() => between.abort(new Error('enough'))),
  })
  await waiting.next()
  await t.rejects(waiting.next(), { message: 'enough' }, 'also between two attempts')
})

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
