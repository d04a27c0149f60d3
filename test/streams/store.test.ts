/** Streams over restarts, and with files that are not as they were left. */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import t, { type Test } from 'tap'
import { Memory } from '../../src/base/memory.js'
import { type Home, streamData, streamMeta, streamsDirectory } from '../../src/base/paths.js'
import type { Asked } from '../../src/streams/create.js'
import { linesOf } from '../../src/streams/messages.js'
import type { Tuple } from '../../src/streams/meta.js'
import { Store } from '../../src/streams/store.js'
import type { Stream } from '../../src/streams/stream.js'
import { newHome } from '../helpers/home.js'

const open = { closed: false }
const text: Asked = { contentType: 'text/plain', ...open }
const json: Asked = { contentType: 'application/json', ...open }

/** A store, as a server that was started again has it. */
class Server {
  readonly home: Home
  #store: Store
  constructor(t: Test) {
    this.home = newHome(t)
    this.#store = new Store(this.home)
    t.teardown(() => this.#store.close())
  }
  again(): void {
    this.#store.close()
    this.#store = new Store(this.home)
  }
  create = (name: string, asked: Asked, body = '') =>
    this.#store.create(name, asked, (json) => (json && body !== '' ? linesOf(Buffer.from(body)) : Buffer.from(body)))
  delete = (name: string) => this.#store.delete(name)
  append = (name: string, bytes: string, more: { close?: boolean; producer?: Tuple; seq?: string } = {}) =>
    this.#store.use(name, (stream) => stream.append({ close: false, ...more, bytes: Buffer.from(bytes) }))
  read = (name: string) => this.#store.use(name, async (stream) => stream.read(0, stream.end, new Memory()).toString())
  meta = (name: string) => this.#store.use(name, async ({ meta, end }) => ({ ...meta, end }))
  use = <T>(name: string, work: (stream: Stream) => Promise<T>) => this.#store.use(name, work)
  files = () => readdirSync(streamsDirectory(this.home)).sort()
}

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

t.test('the sidecar stays small', async (t) => {
  const a = new Server(t)
  await a.create('x', text)
  for (let n = 0; n < 60; n++) {
    await Promise.all(
      Array.from({ length: 100 }, (_, k) => a.append('x', 'y', { producer: [`${'p'.repeat(80)}${k}`, 0, n] })),
    )
  }
  t.ok(statSync(streamMeta(a.home, 'x')).size < 300_000, 'although much was told')
  a.again()
  t.equal((await a.meta('x')).producers.size, 100)
  t.equal((await a.read('x')).length, 6000)
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

t.test('a sidecar that is torn at any byte of its last line', async (t) => {
  const a = new Server(t)
  for (const [name, asked, first, second] of [
    ['x', text, 'abc', 'def'],
    ['j', json, '1\n', '2\n'],
  ] as const) {
    await a.create(name, asked, first.trim())
    const before = readFileSync(streamMeta(a.home, name))
    await a.append(name, second, { producer: ['p', 0, 0] })
    const after = readFileSync(streamMeta(a.home, name))
    for (let size = before.length; size < after.length; size++) {
      // It is on the disk before the bytes that it tells of are written.
      writeFileSync(streamMeta(a.home, name), after.subarray(0, size))
      truncateSync(streamData(a.home, name, asked === json), first.length)
      a.again()
      const told: unknown[] = [await a.read(name), (await a.meta(name)).producers.size]
      if (size % 10 === 0) {
        const taken = await a.append(name, second, { producer: ['p', 0, 0] })
        a.again()
        told.push(taken.isNew, await a.read(name))
      }
      const wanted = [first, 0, ...(size % 10 === 0 ? [true, first + second] : [])]
      if (JSON.stringify(told) !== JSON.stringify(wanted)) t.strictSame(told, wanted, `${name}, cut at ${size}`)
    }
  }
  t.pass('it is as if nothing had been sent')
})

t.test('a sidecar from yesterday', async (t) => {
  const a = new Server(t)
  await a.create('x', text, 'abc')
  await a.create('j', json, '[1]')
  const old = ['x', 'j'].map((name) => [streamMeta(a.home, name), readFileSync(streamMeta(a.home, name))] as const)
  await a.append('x', 'def', { producer: ['p', 0, 0] })
  await a.append('j', '2\n', { producer: ['p', 0, 0] })
  a.again()
  for (const [path, bytes] of old) writeFileSync(path, bytes)
  t.equal(await a.read('x'), 'abcdef', 'what was acknowledged stays')
  t.equal(await a.read('j'), '1\n2\n')
  t.match(await a.append('x', 'ghi', { producer: ['p', 0, 0] }), { isNew: true, end: 9 })
  t.match(await a.append('j', '3\n', { close: true }), { isNew: true, end: 6 })
  a.again()
  t.equal(await a.read('x'), 'abcdefghi')
  t.match(await a.meta('j'), { closed: true, end: 6 })
})

t.test('a sidecar that never became whole is no stream', async (t) => {
  const a = new Server(t)
  writeFileSync(streamMeta(a.home, 'x'), '{"type":"stream","id"')
  writeFileSync(streamData(a.home, 'x', false), 'left')
  writeFileSync(streamData(a.home, 'orphan', true), '1\n')
  await t.rejects(a.read('x'), { code: 'NOT_FOUND' })
  await a.create('x', text, 'new')
  t.equal(await a.read('x'), 'new')
  a.again()
  t.notOk(existsSync(streamData(a.home, 'orphan', true)), 'bytes without a sidecar are removed')
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
  await a.create('y', { ...open, fork: { from: 'x', offset: 1, sub: 1 } }, '!')
  await a.create('z', { ...open, fork: { from: 'y' } })
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
  await a.create('y', { ...open, fork: { from: 'x' } })
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

// Two servers on one home: what the other one has deleted ended this one, since nobody hears an error of a reader who leaves.
t.test('a reader who leaves a stream that another server has deleted is no error', async (t) => {
  const server = new Server(t)
  await server.create('x', { ...text, ttl: 10 })
  await server.use('x', async (stream) => {
    const leave = stream.onGrowth(() => undefined)
    rmSync(streamMeta(server.home, 'x'))
    stream.touch(Date.now() + 60_000)
    leave()
    t.equal(stream.gone, true)
  })
})

t.test('what has become of a sidecar is seen by the open file alone', async (t) => {
  const a = new Server(t)
  const closed = '{"type":"append","from":2,"to":2,"closed":true}\n'
  const places: Record<string, [(path: string) => void, unknown]> = {
    removed: [(path) => rmSync(path), 'NOT_FOUND'],
    renamed: [(path) => renameSync(path, `${path}.away`), 'NOT_FOUND'],
    'removed, and backed up by a link': [
      (path) => {
        linkSync(path, `${path}.link`)
        rmSync(path)
      },
      'NOT_FOUND',
    ],
    'replaced by one of another server': [
      (path) => {
        writeFileSync(`${path}.new`, `${readFileSync(path)}${closed}`, { mode: 0o600 })
        renameSync(`${path}.new`, path)
      },
      'CONFLICT',
    ],
    'written to by another server': [(path) => appendFileSync(path, closed), 'CONFLICT'],
    'read, and read-only for a moment': [
      (path) => {
        chmodSync(path, 0o400)
        chmodSync(path, 0o600)
      },
      undefined,
    ],
  }
  for (const [what, [happens, code]] of Object.entries(places)) {
    const name = what.replaceAll(/[^a-z]/g, '').slice(0, 20)
    await a.create(name, json, '1')
    await a.append(name, '2\n')
    happens(streamMeta(a.home, name))
    const got = await a.append(name, '3\n').then(
      () => undefined,
      (error) => error.code,
    )
    t.equal(got, code, what)
  }
})
