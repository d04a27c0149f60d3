/** The sidecar of a stream: small, torn, old, and changed by others. */
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import t from 'tap'
import { streamData, streamMeta } from '../../src/base/paths.js'
import { readSidecar, Sidecar } from '../../src/streams/sidecar.js'
import { json, Server, text } from './server.js'

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

t.test('it is not written anew while somebody waits for a line of it', async (t) => {
  const a = new Server(t)
  await a.create('x', text)
  await Promise.all(
    Array.from({ length: 150 }, (_, n) => a.append('x', 'y', { producer: [`${n}`.padEnd(1000), 0, 0] })),
  )
  const path = streamMeta(a.home, 'x')
  const sidecar = new Sidecar(path)
  t.teardown(() => sidecar.close())
  const meta = readSidecar(path)?.meta
  if (meta === undefined) throw new Error('there is no sidecar')
  const noted = sidecar.append([{ type: 'forked', id: 'one', name: 'fork' }])
  sidecar.compact(meta)
  await noted
  t.same([...(readSidecar(path)?.meta?.forks ?? [])], [['one', 'fork']])
  const before = statSync(path).size
  sidecar.compact({ ...meta, producers: new Map(), forks: new Map([['one', 'fork']]) })
  t.ok(statSync(path).size < before, 'and is, when nobody does')
  t.same([...(readSidecar(path)?.meta?.forks ?? [])], [['one', 'fork']])
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
  for (const name of ['orphan', 'unborn']) writeFileSync(streamData(a.home, name, true), '1\n')
  const before = Date.now() / 1000 - 120
  utimesSync(streamData(a.home, 'orphan', true), before, before)
  await t.rejects(a.read('x'), { code: 'NOT_FOUND' })
  await a.create('x', text, 'new')
  t.equal(await a.read('x'), 'new')
  a.again()
  t.notOk(existsSync(streamData(a.home, 'orphan', true)), 'bytes without a sidecar are removed')
  t.ok(existsSync(streamData(a.home, 'unborn', true)), 'but for those that another server may be making a stream of')
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
