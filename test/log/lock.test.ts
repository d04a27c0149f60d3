import { existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { withLock } from '../../src/log/lock.js'
import { tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'

/** Takes the lock, says so, and ends its work when told so on standard input. */
const holder = `import { withLock } from './src/log/lock.js'
  const told = new Promise((resolve) => process.stdin.once('data', resolve))
  const wait = setInterval(() => {}, 1000)
  await withLock(process.argv[2], async () => {
    console.log('held')
    await told
  })
  console.log('released')
  await withLock(process.argv[2], () => console.log('held again'))
  clearInterval(wait)
  process.stdin.destroy()`

t.test('one at a time, across processes', async (t) => {
  const directory = tempDir(t)
  const path = join(directory, 'counter')
  writeFileSync(path, '0')
  const counter = await program(
    directory,
    `import { readFileSync, writeFileSync } from 'node:fs'
    import { withLock } from './src/log/lock.js'
    const path = process.argv[2]
    for (let n = 0; n < 50; n++) {
      await withLock(path, async () => {
        const before = Number(readFileSync(path, 'utf8'))
        await new Promise(setImmediate)
        writeFileSync(path, String(before + 1))
      })
    }`,
  )
  const counters = [1, 2, 3, 4].map(() => start(t, [process.execPath, counter, path]))
  for (const { ended } of counters) t.match(await ended, { code: 0, stderr: '' })
  t.equal(readFileSync(path, 'utf8'), '200')
  t.notOk(existsSync(`${path}.lock`), 'nothing is left behind')
})

t.test('one at a time and in order, within a process', async (t) => {
  const path = join(tempDir(t), 'not there yet')
  const order: number[] = []
  let inside = 0
  const turns = Array.from({ length: 30 }, (_, n) =>
    withLock(path, async () => {
      if (++inside > 1) t.fail('two are inside')
      await new Promise(setImmediate)
      order.push(n)
      inside--
      if (n % 3 === 0) throw new Error(`work ${n} fails`)
      return n
    }),
  )
  const results = await Promise.allSettled(turns)
  t.same(
    order,
    Array.from({ length: 30 }, (_, n) => n),
  )
  t.equal(results.filter(({ status }) => status === 'rejected').length, 10, 'a failure is its own caller’s alone')
  t.same(results[1], { status: 'fulfilled', value: 1 })
  t.notOk(existsSync(path), 'the file itself is not made')
})

t.test('a directory that is not there', async (t) => {
  await t.rejects(
    withLock(join(tempDir(t), 'no', 'log'), () => 1),
    { code: 'LOG_WRITE', message: /cannot make the lock/ },
  )
})

// proper-lockfile gives the first lock of each process a time of up to a second to come: a command that was killed cost up to 3 s.
t.test('a holder that was killed in its first lock delays others by about 2 s, no more', async (t) => {
  const directory = tempDir(t)
  const path = join(directory, 'log')
  const child = start(t, [process.execPath, await program(directory, holder), path])
  await child.said('held')
  child.process.kill('SIGKILL')
  await child.ended
  t.ok(existsSync(`${path}.lock`), 'its lock stands')
  t.ok(statSync(`${path}.lock`).mtimeMs <= Date.now(), 'and is of no time to come')
  const before = performance.now()
  t.equal(await withLock(path, () => 'mine'), 'mine')
  const took = performance.now() - before
  t.ok(took < 4000, `it took ${Math.round(took)} ms`)
})

// proper-lockfile throws from a timer when it finds its lock taken over, and its release takes away whatever lock stands
// there: after a laptop's sleep the first would end the daemon, and the second let two others in at once.
t.test('a holder that was suspended does no harm when it comes back', async (t) => {
  const directory = tempDir(t)
  const path = join(directory, 'log')
  const child = start(t, [process.execPath, await program(directory, holder), path])
  await child.said('held')
  child.process.kill('SIGSTOP')
  await withLock(path, async () => {
    t.pass('its lock is taken over')
    child.tell('go\n')
    child.process.kill('SIGCONT')
    await child.said('released')
    t.ok(existsSync(`${path}.lock`), 'and is not taken away from the new holder')
  })
  t.match(await child.ended, { code: 0, signal: null, stdout: 'held\nreleased\nheld again\n', stderr: '' })
})

// Its holder is gone, and by the lock's own time it would be fresh until that time has come.
t.test('a lock of a time to come is no lock', async (t) => {
  const path = join(tempDir(t), 'file')
  mkdirSync(`${path}.lock`)
  const later = new Date(Date.now() + 3_600_000)
  utimesSync(`${path}.lock`, later, later)
  const begin = Date.now()
  t.equal(await withLock(path, () => 'had'), 'had')
  t.ok(Date.now() - begin < 5000)
})
