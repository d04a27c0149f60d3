/** Streams on a full disk: what was acknowledged is there, what was refused is not, and all goes on when there is room. */
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ensureHome, homePaths, streamData } from '../../src/base/paths.js'
import type { Tuple } from '../../src/streams/meta.js'
import { Store } from '../../src/streams/store.js'
import { isRoot } from '../helpers/home.js'
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
  const read = (name: string) => store.use(name, async (stream) => (await stream.read(0, stream.end)).toString())
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
