/** Streams over restarts, and with files that are not as they were left. */
import { appendFileSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import t from 'tap'
import { streamData, streamMeta, streamsDirectory } from '../../src/base/paths.js'
import { json, Server, text } from './server.js'

t.test('all is there after a restart', async (t) => {
  const a = new Server(t)
  await a.create('a/B.c', text, 'one')
  await a.append('a/B.c', 'two', { seq: '2', producer: ['p', 3, 0] })
  await a.append('a/B.c', '', { close: true, producer: ['p', 3, 1] })
  await a.create('j', json, '[1.0,{"a":1,"a":2}]')
  await a.append('j', '"x"\n')
  const before = await a.meta('a/B.c')
  a.again()
  t.strictSame(await a.meta('a/B.c'), before)
  t.match(before, { closed: true, closedBy: ['p', 3, 1], seq: '2', end: 6, producers: new Map([['p', [3, 1]]]) })
  t.equal(await a.read('a/B.c'), 'onetwo')
  t.equal(await a.read('j'), '1.0\n{"a":1,"a":2}\n"x"\n')
  t.strictSame(a.files(), ['a%2f%42%2ec.bin', 'a%2f%42%2ec.meta.ndjson', 'j.meta.ndjson', 'j.ndjson'])
  for (const name of a.files()) t.equal(statSync(`${streamsDirectory(a.home)}/${name}`).mode & 0o777, 0o600)
})

t.test('appends at once share writes, and keep their order', async (t) => {
  const a = new Server(t)
  await a.create('j', json)
  await a.create('x', text)
  const numbers = Array.from({ length: 1000 }, (_, n) => n)
  const taken = await Promise.all(numbers.map((n) => a.append('j', `${n}\n`, { producer: ['p', 0, n] })))
  t.equal(new Set(taken.map(({ end }) => end)).size, 1000, 'each has its own offset')
  t.equal(await a.read('j'), numbers.map((n) => `${n}\n`).join(''))
  const lines = readFileSync(streamMeta(a.home, 'j'), 'utf8').trim().split('\n')
  t.ok(lines.length < 100, `${lines.length} lines for 1,000 appends`)
  await t.rejects(a.append('j', '1\n', { producer: ['p', 0, 1005] }), { code: 'CONFLICT', facts: { expected: 1000 } })
  t.match(await a.append('j', '1\n', { producer: ['p', 0, 7] }), { isNew: false, producer: { seq: 999 } })
})

t.test('a torn append is cut off, and may be sent again', async (t) => {
  const a = new Server(t)
  await a.create('x', text, 'abc')
  await a.append('x', 'def', { producer: ['p', 0, 0] })
  await a.create('j', json, '[1]')
  await a.append('j', '2\n3\n', { producer: ['p', 0, 0] })
  a.again()
  // As if the server had been killed in the middle of both: the records are there, their bytes in part, or not.
  appendFileSync(streamMeta(a.home, 'x'), '{"type":"append","from":6,"to":10,"producers":[["p",0,1]]}\n')
  appendFileSync(streamData(a.home, 'x', false), 'gh')
  appendFileSync(streamMeta(a.home, 'j'), '{"type":"append","from":6,"to":10,"producers":[["p",0,1]],"closed":true}\n')
  appendFileSync(streamData(a.home, 'j', true), '4\n')
  t.equal(await a.read('x'), 'abcdef')
  t.equal(await a.read('j'), '1\n2\n3\n')
  t.match(
    await a.append('j', '77777\n'),
    { isNew: true, closed: false },
    'what goes beyond what is void does not make it true',
  )
  t.match(await a.append('x', 'ghij', { producer: ['p', 0, 1] }), { isNew: true, end: 10 })
  a.again()
  t.equal(await a.read('j'), '1\n2\n3\n77777\n')
  t.match(await a.meta('j'), { closed: false, producers: new Map([['p', [0, 0]]]) })
  t.match(await a.append('x', 'ghij', { producer: ['p', 0, 1] }), { isNew: false, end: 10 })
})

t.test('torn lines of either file', async (t) => {
  const a = new Server(t)
  await a.create('x', text, 'abc')
  await a.create('j', json, '[1]')
  a.again()
  appendFileSync(streamMeta(a.home, 'x'), '{"type":"append","fr')
  appendFileSync(streamData(a.home, 'j', true), '{"half":')
  t.equal(await a.read('x'), 'abc')
  t.equal(await a.read('j'), '1\n')
  await a.append('x', 'def')
  await a.append('j', '2\n')
  a.again()
  t.equal(await a.read('x'), 'abcdef')
  t.equal(await a.read('j'), '1\n2\n')
})

t.test('lost bytes are told, not guessed', async (t) => {
  const a = new Server(t)
  for (const name of ['short', 'gone']) await a.create(name, text, 'abcdef')
  a.again()
  truncateSync(streamData(a.home, 'short', false), 2)
  rmSync(streamData(a.home, 'gone', false))
  await t.rejects(a.read('short'), { code: 'STREAM_GONE', message: /4 bytes/ })
  for (const name of ['short', 'gone']) {
    await t.rejects(a.append(name, 'x'), { code: 'STREAM_GONE' })
    await t.rejects(a.create(name, text), { code: 'STREAM_GONE' })
    await a.delete(name)
    await a.create(name, text, 'new')
    t.equal(await a.read(name), 'new')
  }
})

t.test('forks live on, and what is deleted does not come back', async (t) => {
  const a = new Server(t)
  await a.create('x', text, 'abc')
  await a.create('y', { closed: false, fork: { from: 'x', offset: 1, sub: 1 } }, '!')
  await a.create('z', { closed: false, fork: { from: 'y' } })
  await a.delete('x')
  await a.delete('y')
  a.again()
  for (const name of ['x', 'y']) {
    await t.rejects(a.read(name), { code: 'STREAM_GONE' })
    await t.rejects(a.create(name, text), { code: 'CONFLICT' })
  }
  t.equal(await a.read('z'), 'ab!')
  await a.delete('z')
  a.again()
  for (const name of ['x', 'y', 'z']) await t.rejects(a.read(name), { code: 'NOT_FOUND' })
  t.strictSame(a.files(), [])
})

t.test('a deletion that could not be synced does not count once more is appended', async (t) => {
  const a = new Server(t)
  await a.create('x', text, 'abc')
  await a.create('y', { closed: false, fork: { from: 'x' } })
  a.again()
  appendFileSync(streamMeta(a.home, 'x'), '{"type":"deleted"}\n{"type":"void","from":3}\n')
  t.equal(await a.read('x'), 'abc')
  a.again()
  appendFileSync(streamMeta(a.home, 'x'), '{"type":"deleted"}\n')
  await t.rejects(a.read('x'), { code: 'STREAM_GONE' })
})

t.test('an idle stream expires, also over a restart', async (t) => {
  const a = new Server(t)
  await a.create('x', { ...text, ttl: 3600 }, 'abc')
  await a.create('y', { ...text, expiresAt: '2001-01-01T00:00:00Z' }, 'abc')
  await t.rejects(a.read('y'), { code: 'NOT_FOUND' })
  a.again()
  t.equal(await a.read('x'), 'abc')
  const { utimesSync } = await import('node:fs')
  utimesSync(streamMeta(a.home, 'x'), Date.now() / 1000 - 3601, Date.now() / 1000 - 3601)
  a.again()
  await t.rejects(a.read('x'), { code: 'NOT_FOUND' })
  t.strictSame(a.files(), [])
})

t.test('while somebody follows, its time to live does not run; a time of day does', async (t) => {
  const a = new Server(t)
  await a.create('x', { ...text, ttl: 10 })
  await a.create('y', { ...text, expiresAt: new Date(Date.now() + 10_000).toISOString() })
  const later = () => Date.now() + 11_000
  await a.use('x', async (stream) => {
    t.equal(stream.expired(later()), true)
    const leave = [stream.onGrowth(() => undefined), stream.onGrowth(() => undefined)]
    stream.touch(Date.now() - 60_000)
    t.equal(stream.expired(), false)
    leave[0]?.()
    t.equal(stream.expired(later()), false, 'one is left')
    leave[1]?.()
    t.equal(stream.expired(), false, 'it begins anew when the last one leaves')
    t.equal(stream.expired(later()), true)
  })
  await a.use('y', async (stream) => {
    t.teardown(stream.onGrowth(() => undefined))
    t.equal(stream.expired(), false)
    t.equal(stream.expired(later()), true)
  })
})

t.test('names', async (t) => {
  const a = new Server(t)
  for (const name of ['../x', '..', 'x.meta', 'X', 'x', 'é/\0', ' ']) await a.create(name, text, name)
  for (const name of ['../x', '..', 'x.meta', 'X', 'x', 'é/\0', ' ']) t.equal(await a.read(name), name)
  for (const name of ['', 'x'.repeat(201)]) await t.rejects(async () => a.create(name, text), { code: 'BAD_INPUT' })
})
