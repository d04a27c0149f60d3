/** Requests that meet in the middle, of one server and of two: nothing acknowledged is lost, nothing deleted comes back, nobody else's bytes are touched. */
import { readFileSync, rmSync, statSync } from 'node:fs'
import t from 'tap'
import { streamData, streamMeta } from '../../src/base/paths.js'
import { readSidecar } from '../../src/streams/sidecar.js'
import { Store } from '../../src/streams/store.js'
import { tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'
import { json, Server, text } from './server.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))
const word = (error: unknown) => (error as { code?: string }).code ?? String(error)
const fork = (from: string) => ({ closed: false, fork: { from } })

t.test(
  'a stream that is deleted while many are open is closed when that is over, and no other one is cut',
  async (t) => {
    const a = new Server(t)
    await a.create('source', text, 'source')
    await a.create('child', fork('source'))
    await a.create('one', text, 'one')
    await a.create('precious', text, 'precious, acknowledged')
    for (let n = 0; n < 200; n++) await a.create(`live${n}`, text)
    a.again()
    // As many as are kept open, all of them in use.
    for (let n = 0; n < 200; n++) await a.use(`live${n}`, async (stream) => void stream.onGrowth(() => undefined))
    const deleted = a.delete('source')
    await Promise.resolve()
    await Promise.resolve()
    await Promise.all([a.meta('one'), a.use('precious', () => deleted)])
    t.equal(statSync(streamData(a.home, 'precious', false)).size, 22)
    t.equal(await a.read('precious'), 'precious, acknowledged')
    await t.rejects(a.read('source'), { code: 'STREAM_GONE' })
  },
)

for (const body of ['', 'abc']) {
  t.test(`what is deleted takes nothing more, although it is asked in between: ${body.length} bytes`, async (t) => {
    const a = new Server(t)
    await a.create('x', text, body)
    await a.create('fork', fork('x'))
    const appended = turn().then(() => a.append('x', 'hello', { producer: ['p', 0, 0] }))
    const [deletion, append] = await Promise.allSettled([a.delete('x'), appended])
    t.equal(deletion.status, 'fulfilled')
    t.equal(append.status, 'rejected')
    for (let n = 0; n < 2; n++, a.again()) await t.rejects(a.read('x'), { code: 'STREAM_GONE' })
    await a.delete('fork')
    await t.rejects(a.read('x'), { code: 'NOT_FOUND' }, 'and with its last fork it is gone')
  })
}

t.test('forks that are made while the sidecar is written anew are all noted in it', async (t) => {
  const a = new Server(t)
  for (let round = 0; round < 6; round++) {
    const name = `source${round}`
    await a.create(name, text, 'abc')
    let over = false
    const producers = Array.from({ length: 140 }, (_, n) => `${n}`.padEnd(1000, 'p'))
    const appended = Promise.all(producers.map((id) => a.append(name, 'x', { producer: [id, 0, 0] }))).finally(() => {
      over = true
    })
    const made: string[] = []
    for (let n = 0; !over; n++) {
      await a.create(`${name}-${n}`, fork(name))
      made.push(`${name}-${n}`)
    }
    await appended
    const noted = new Set(readSidecar(streamMeta(a.home, name))?.meta?.forks.values())
    t.same(
      made.filter((each) => !noted.has(each)),
      [],
      `${made.length} forks`,
    )
  }
})

t.test('a server that starts leaves alone what another one is making', async (t) => {
  const a = new Server(t)
  await a.create('large', text, 'x'.repeat(3 << 20))
  const made = a.create('fork', fork('large'))
  await turn()
  const other = new Store(a.home)
  t.equal((await made).isNew, true)
  t.equal((await a.read('fork')).length, 3 << 20)
  other.close()
})

t.test('of two servers that append at once none tells a wrong offset, and no message is taken twice', async (t) => {
  const a = new Server(t)
  const other = new Store(a.home)
  t.teardown(() => other.close())
  await a.create('x', text)
  const append = (bytes: string, producer: string) =>
    other.use('x', (stream) => stream.append({ close: false, bytes: Buffer.from(bytes), producer: [producer, 0, 0] }))
  await other.use('x', async () => undefined)
  const both = [a.append('x', 'AAAA', { producer: ['p', 0, 0] }), turn().then(() => append('BB', 'q'))]
  const ends = (await Promise.allSettled(both)).map((each) =>
    each.status === 'fulfilled' ? each.value.end : word(each.reason),
  )
  const file = () => readFileSync(streamData(a.home, 'x', false), 'utf8')
  for (const [at, mine] of ['AAAA', 'BB'].entries()) {
    const end = ends[at]
    if (typeof end === 'number') t.equal(file().slice(end - mine.length, end), mine, `${mine} ends at ${end}`)
    else t.equal(end, 'LOCK_BUSY')
  }
  a.again()
  const first = await a.append('x', 'AAAA', { producer: ['p', 0, 0] })
  if (typeof ends[0] === 'number') t.notOk(first.isNew, 'what was acknowledged is known')
  t.equal(file().split('AAAA').length, 2, 'once')
})

t.test('what is written to a file that somebody has removed is not acknowledged', async (t) => {
  const a = new Server(t)
  await a.create('x', json)
  await a.append('x', '1\n')
  rmSync(streamData(a.home, 'x', true))
  await t.rejects(a.append('x', '2\n'), { code: 'STREAM_GONE' })
})

t.test('bytes that another server has cut off while they were written are not acknowledged', async (t) => {
  const a = new Server(t)
  await a.create('x', text)
  const opener = `
    import { homePaths } from './src/base/paths.js'
    import { Store } from './src/streams/store.js'
    const home = homePaths(process.argv[2])
    console.log('begun')
    for (;;) {
      const store = new Store(home)
      await store.use('x', async () => undefined).catch(() => undefined)
      store.close()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }`
  const other = start(t, [process.execPath, await program(tempDir(t), opener), a.home.root])
  await other.said('begun')
  const bytes = 'a'.repeat(16 << 20)
  let refused = 0
  for (let n = 0; n < 8; n++) {
    const end = await a.append('x', bytes).then(
      (taken) => taken.end,
      (error) => word(error),
    )
    if (typeof end === 'number') t.ok(statSync(streamData(a.home, 'x', false)).size >= end, `${end} bytes are there`)
    else t.equal(end, 'LOCK_BUSY', `refused ${++refused} times`)
  }
  other.process.kill('SIGKILL')
  await other.ended
  const { end } = await a.append('x', 'z')
  t.equal((await a.read('x')).at(-1), 'z', `after ${end} bytes`)
})
