import fs, {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { type TailOptions, tail } from '../../src/log/tail.js'
import { tempDir, until } from '../helpers/home.js'

type Tail = typeof tail
const line = (n: number) => `{"n":${n}}\n`
const lines = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => line(from + i)).join('')

/** Follows a file; what it gave so far, resets between the bytes as their reason in brackets. */
function follow(t: Test, path: string, options: Partial<TailOptions> = {}, follower: Tail = tail) {
  const abort = new AbortController()
  const seen = { text: '', bases: [] as number[] }
  const ended = (async () => {
    for await (const item of follower(path, { from: 0, signal: abort.signal, ...options })) {
      if (item.kind === 'reset') seen.text += `[${item.why}]`
      else {
        seen.bases.push(item.base)
        seen.text += item.bytes.toString()
        if (item.bytes.at(-1) !== 0x0a) throw new Error('a part of a line was handed out')
      }
    }
  })()
  t.teardown(async () => {
    abort.abort()
    await ended
  })
  const gives = (text: string) =>
    until(() => seen.text === text, `the tail gives ${JSON.stringify(text.slice(0, 200))}`)
  return { seen, ended, stop: () => abort.abort(), gives: gives }
}

/** The same follower, on a machine where no watch can be had. */
async function blind(t: Test, error = 'EMFILE'): Promise<Tail> {
  const watch = () => {
    throw Object.assign(new Error(`${error}: watch`), { code: error })
  }
  const mocked = await t.mockImport<typeof import('../../src/log/tail.js')>('../../src/log/tail.js', {
    'node:fs': { ...fs, watch },
  })
  return mocked.tail
}

for (const kind of ['watching', 'polling alone'] as const) {
  t.test(kind, async (t) => {
    const follower = kind === 'watching' ? tail : await blind(t)

    t.test('what is there, and what comes', async (t) => {
      const path = join(tempDir(t), 'log')
      writeFileSync(path, lines(1, 3))
      const { seen, gives } = follow(t, path, {}, follower)
      await gives(lines(1, 3))
      for (let n = 4; n <= 20; n++) {
        appendFileSync(path, line(n))
        await gives(lines(1, n))
      }
      const sizes = seen.bases.map((base) => base === 0 || readFileSync(path)[base - 1] === 0x0a)
      t.notOk(sizes.includes(false), 'each batch begins at an address')
    })

    t.test('from an address on', async (t) => {
      const path = join(tempDir(t), 'log')
      writeFileSync(path, lines(1, 3))
      const { seen, gives } = follow(t, path, { from: 16 }, follower)
      await gives(line(3))
      t.same(seen.bases, [16])
    })

    // A line that is written in two pieces comes when it is whole, or its first half would be parsed as a line.
    t.test('a part of a line is not data yet', async (t) => {
      const path = join(tempDir(t), 'log')
      writeFileSync(path, '{"n":1}\n{"n"')
      const { gives } = follow(t, path, {}, follower)
      await gives(line(1))
      appendFileSync(path, ':2')
      appendFileSync(path, '}\n{')
      await gives(lines(1, 2))
      appendFileSync(path, '"n":3}\n')
      await gives(lines(1, 3))
    })

    t.test('a file that does not exist yet, goes, and comes again', async (t) => {
      const path = join(tempDir(t), 'log')
      const { gives } = follow(t, path, {}, follower)
      writeFileSync(path, line(1))
      await gives(line(1))
      rmSync(path)
      await gives(`${line(1)}[deleted]`)
      writeFileSync(path, line(2))
      await gives(`${line(1)}[deleted]${line(2)}`)
      appendFileSync(path, line(3))
      await gives(`${line(1)}[deleted]${lines(2, 3)}`)
    })

    t.test('truncation', async (t) => {
      const path = join(tempDir(t), 'log')
      writeFileSync(path, lines(1, 5))
      const { gives } = follow(t, path, {}, follower)
      await gives(lines(1, 5))
      truncateSync(path, 0)
      appendFileSync(path, line(6))
      await gives(`${lines(1, 5)}[truncated]${line(6)}`)
    })

    // The writer may append to the old file just before it is replaced: that line has no other reader.
    t.test('replacement by rename: the old file is read to its end first', async (t) => {
      const path = join(tempDir(t), 'log')
      writeFileSync(path, lines(1, 2))
      const old = openSync(path, 'a')
      t.teardown(() => closeSync(old))
      const { gives } = follow(t, path, {}, follower)
      await gives(lines(1, 2))
      writeFileSync(`${path}.new`, line(4))
      writeSync(old, line(3))
      renameSync(`${path}.new`, path)
      await gives(`${lines(1, 3)}[replaced]${line(4)}`)
      appendFileSync(path, line(5))
      await gives(`${lines(1, 3)}[replaced]${lines(4, 5)}`)
      renameSync(path, `${path}.1`)
      writeFileSync(path, line(6))
      await gives(`${lines(1, 3)}[replaced]${lines(4, 5)}[replaced]${line(6)}`)
    })
  })
}

t.test('a line longer than any buffer', async (t) => {
  const path = join(tempDir(t), 'log')
  const long = `{"a":"${'x'.repeat(1_500_000)}"}\n`
  writeFileSync(path, long.slice(0, 1_000_000))
  const { seen } = follow(t, path)
  appendFileSync(path, `${long.slice(1_000_000)}${line(1)}`)
  await until(() => seen.text.length === long.length + 8, 'the whole line comes')
  t.ok(seen.text === long + line(1))
})

// The kernel keeps 16,384 events and drops the rest: who counts on an event for each change loses lines.
t.test('30,000 appends while nobody listens', async (t) => {
  const path = join(tempDir(t), 'log')
  writeFileSync(path, line(0))
  const { seen, gives } = follow(t, path)
  await gives(line(0))
  const fd = openSync(path, 'a')
  for (let n = 1; n <= 30_000; n++) writeSync(fd, line(n))
  closeSync(fd)
  const size = statSync(path).size
  await until(() => seen.text.length === size, 'every byte comes')
  t.ok(seen.text === readFileSync(path, 'utf8'))
})

/** Open descriptors of this process on a file, and watches on its inode. */
function resources(path: string): { open: number; watched: number } {
  const inode = statSync(path).ino.toString(16)
  let open = 0
  let watched = 0
  for (const fd of readdirSync('/proc/self/fd')) {
    try {
      if (readlinkSync(`/proc/self/fd/${fd}`) === path) open++
      watched += readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8').split(` ino:${inode} `).length - 1
    } catch {
      // The descriptor by which the directory was listed.
    }
  }
  return { open, watched }
}

const proc = { skip: process.platform === 'linux' ? false : 'descriptors are counted in /proc' }

t.test('an abort frees everything', proc, async (t) => {
  const path = join(tempDir(t), 'log')
  writeFileSync(path, lines(1, 2))

  t.test('while it waits', async (t) => {
    const { gives, stop, ended } = follow(t, path)
    await gives(lines(1, 2))
    t.same(resources(path), { open: 1, watched: 1 }, 'it holds one of each')
    stop()
    await ended
    t.same(resources(path), { open: 0, watched: 0 })
  })

  // A consumer that was cut off, such as a slow client, never asks again: its generator stays where it is.
  t.test('while the consumer holds an item and never asks again', async (t) => {
    const abort = new AbortController()
    const generator = tail(path, { from: 0, signal: abort.signal })
    t.match(await generator.next(), { done: false, value: { kind: 'bytes' } })
    t.same(resources(path), { open: 1, watched: 1 })
    abort.abort()
    t.same(resources(path), { open: 0, watched: 0 })
    t.match(await generator.next(), { done: true }, 'and if it does ask, that is the end')
  })

  t.test('before it began', async (t) => {
    t.match(await tail(path, { from: 0, signal: AbortSignal.abort() }).next(), { done: true })
    t.same(resources(path), { open: 0, watched: 0 })
  })

  t.test('when the consumer leaves the loop', async (t) => {
    for await (const item of tail(path, { from: 0, signal: new AbortController().signal })) {
      t.equal(item.kind, 'bytes')
      break
    }
    t.same(resources(path), { open: 0, watched: 0 })
  })
})
