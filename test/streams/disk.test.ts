/** Streams on a disk that is full, or loses its power: what was acknowledged is there, what was refused is not, and all goes on. */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Memory } from '../../src/base/memory.js'
import { ensureHome, homePaths, streamData } from '../../src/base/paths.js'
import type { Tuple } from '../../src/streams/meta.js'
import { Store } from '../../src/streams/store.js'
import { isRoot } from '../helpers/home.js'
import { Ext4 } from '../survival/ext4.js'
import { missing } from '../survival/needs.js'
import { SmallDisk } from '../survival/soak/disk.js'

t.test('the disk is full in mid-append', { skip: !isRoot && 'needs root, for a file system of its own' }, async (t) => {
  const disk = new SmallDisk(t)
  const root = join(disk.path, 'home')
  mkdirSync(root, { mode: 0o700 })
  const home = ensureHome(homePaths(root))
  let store = new Store(home)
  const create = (name: string, contentType: string) =>
    store.create(name, { contentType, closed: false }, () => Buffer.alloc(0))
  const append = (name: string, bytes: string, producer?: Tuple, close = false) =>
    store.use(name, (stream) => stream.append({ bytes: Buffer.from(bytes), close, producer }))
  const read = (name: string) => store.use(name, async (stream) => stream.read(0, stream.end, new Memory()).toString())
  const meta = (name: string) => store.use(name, async ({ meta }) => meta)
  // Longer than a page: what is left of the last one holds the record, and not the bytes.
  const long = `"${'x'.repeat(10_000)}"\n`
  for (const [name, type] of [
    ['j', 'application/json'],
    ['b', 'application/octet-stream'],
  ] as const) {
    await create(name, type)
    await append(name, '1\n', ['p', 0, 0])
    disk.fill()
    for (let turn = 0; turn < 3; turn++) {
      await t.rejects(append(name, long, ['p', 0, 1]), { code: 'LOG_WRITE' }, `${name}: refused`)
      await t.rejects(append(name, long, undefined, true), { code: 'LOG_WRITE' })
    }
    await t.rejects(create(`${name}2`, type), { code: 'LOG_WRITE' })
    await t.rejects(read(`${name}2`), { code: 'NOT_FOUND' })
    t.equal(await read(name), '1\n', 'nothing of it is there')
    store.close()
    store = new Store(home)
    t.equal(await read(name), '1\n', 'nor for the next server')
    await t.rejects(append(name, long, ['p', 0, 1]), { code: 'LOG_WRITE' }, 'which is refused too')
    disk.free()
    t.match(await append(name, '2\n'), { isNew: true, closed: false }, 'there is room again')
    t.match(await append(name, long, ['p', 0, 1]), { isNew: true }, 'what was refused is taken')
    t.match(await append(name, long, ['p', 0, 1]), { isNew: false }, 'once')
    await create(`${name}2`, type)
    store.close()
    store = new Store(home)
    t.equal(await read(name), `1\n2\n${long}`)
    t.match(await meta(name), { closed: false, producers: new Map([['p', [0, 1]]]) })
    t.equal(statSync(streamData(home, name, name === 'j')).size, 4 + long.length)
  }
  store.close()
})

const noPower = missing('loop') && 'needs root, for a file system of its own'
t.test('the power goes off', { skip: noPower }, async (t) => {
  const disk = new Ext4(t)
  const root = join(disk.path, 'home')
  mkdirSync(root, { mode: 0o700 })
  const home = ensureHome(homePaths(root))
  let store = new Store(home)
  const append = (name: string, bytes: string, producer?: Tuple, close = false) =>
    store.use(name, (stream) => stream.append({ bytes: Buffer.from(bytes), close, producer }))
  const create = (name: string, asked: object) =>
    store.create(name, { closed: false, ...asked }, (json) => Buffer.from(json ? '1\n' : 'a'))
  const told = (name: string) =>
    store
      .use(name, async (stream) => {
        const text = stream.read(0, stream.end, new Memory()).toString()
        return [name, text, stream.closed, [...stream.meta.producers.values()]]
      })
      .catch(({ code }) => [name, code])
  const names = ['j', 'b', 'gone', 'source', 'fork', 'closed', 'again', 'large']
  for (const name of names.filter((name) => name !== 'fork')) {
    await create(name, { contentType: name === 'j' ? 'application/json' : 'text/plain' })
  }
  await create('fork', { fork: { from: 'source' } })
  for (let n = 0; n < 20; n++) {
    await append('j', `${n}\n`, n % 2 ? ['p', 0, (n - 1) / 2] : undefined)
    await append('b', 'b', ['p', 0, n])
  }
  // So many producers that the sidecar is written anew.
  for (let n = 0; n < 3; n++) await append('large', String(n), ['p'.repeat(70_000), 0, n])
  for (const name of ['gone', 'source', 'again']) await store.delete(name)
  await create('again', { contentType: 'text/plain' })
  await append('closed', 'b', undefined, true)
  const before = await Promise.all(names.map(told))
  disk.cutPower()
  store.close()
  disk.startAgain()
  store = new Store(home)
  t.strictSame(await Promise.all(names.map(told)), before, 'all that was acknowledged, and nothing that was deleted')
  t.match(before, [
    ['j', /19\n$/, false, [[0, 9]]],
    ['b', /^ab{20}$/],
    ['gone', 'NOT_FOUND'],
    ['source', 'STREAM_GONE'],
  ])
  t.match(await append('b', 'b', ['p', 0, 19]), { isNew: false }, 'what is sent again is not taken twice')
  t.match(await append('large', '2', ['p'.repeat(70_000), 0, 2]), { isNew: false })
  store.close()
})
