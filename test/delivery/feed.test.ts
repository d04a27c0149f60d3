import { appendFileSync, closeSync, mkdirSync, openSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Memory } from '../../src/base/memory.js'
import { Feeds } from '../../src/delivery/feed.js'
import { framesIn, framesOf, GAP, resetFrame } from '../../src/delivery/frames.js'
import { PAGE, readPage, recordsOf } from '../../src/delivery/page.js'
import type { Frame } from '../../src/delivery/pump.js'
import { linesEnd } from '../../src/log/read.js'
import { until } from '../helpers/home.js'
import { appendLine, line, newHome } from '../server/helpers.js'

t.test('pages: any file, cut anywhere, gives its records byte for byte', async (t) => {
  const path = join(newHome(t).root, 'log')
  const piece = fc.oneof(
    fc.constant('\n'),
    fc.constant('\x18\n'),
    fc.string().map((text) => `${JSON.stringify({ text })}\n`),
    fc.string().map((text) => `${text.replaceAll('\n', '')}\n`),
    fc.integer({ min: 1, max: 3 * PAGE }).map((length) => `{"x":"${'y'.repeat(length)}"}\n`),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), fc.string(), (pieces, torn) => {
      const text = pieces.join('') + torn.replaceAll('\n', '')
      writeFileSync(path, text)
      const fd = openSync(path, 'r')
      try {
        const bytes = Buffer.from(text)
        const end = linesEnd(fd)
        const got: Buffer[] = []
        let at = 0
        for (let page = readPage(fd, at, bytes.length); page; page = readPage(fd, at, bytes.length)) {
          got.push(Buffer.from(recordsOf(page)))
          at = page.to
        }
        const whole = pieces
          .join('')
          .split('\n')
          .filter((each) => /^\{.*\}$/s.test(each))
        return (
          end === Buffer.byteLength(pieces.join('')) &&
          at === end &&
          Buffer.concat(got).toString() === whole.map((each) => `${each}\n`).join('')
        )
      } finally {
        closeSync(fd)
      }
    }),
    { numRuns: 150 },
  )
})

t.test('frames', async (t) => {
  const text = (lines: string | Buffer, base: number) => {
    const bytes = Buffer.from(lines)
    let frames = ''
    for (let at = base; at < base + bytes.length; ) {
      const framed = framesOf(bytes.subarray(at - base), at)
      frames += framed.bytes
      at = framed.to
    }
    return frames
  }
  t.equal(text('{"a":1}\n\n{"b":"é"}\n', 100), 'id: 108\ndata: {"a":1}\n\nid: 120\ndata: {"b":"é"}\n\n')
  t.equal(text('oh\n{"a":1}\n', 5), 'event: damaged\ndata: {"at":5,"length":2}\n\nid: 16\ndata: {"a":1}\n\n')
  t.equal(text('\n\n', 5), '')
  const injected = text('{"a":1,\rid: 7\rdata: evil}\n', 0)
  t.equal(injected, 'id: 26\ndata: {"a":1,\ndata: id: 7\ndata: data: evil}\n\n')
  const broken = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n')])
  t.equal(text(broken, 0), 'id: 10\ndata: {"a":"\ufffd"}\n\n')
  for (const far of [992, 10 ** 9 - 9, 10 ** 10 + 1, 2 ** 53 - 100]) {
    t.equal(text('{"a":1}\n{"b":2}\n', far), `id: ${far + 8}\ndata: {"a":1}\n\nid: ${far + 16}\ndata: {"b":2}\n\n`)
  }
  t.equal(resetFrame('truncated').toString(), 'id: 0\nevent: reset\ndata: {"why":"truncated"}\n\n')
})

t.test('frames in the memory of their lines are those of each line alone', async (t) => {
  const path = join(newHome(t).root, 'log')
  const memory = new Memory()
  const line = fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 0, max: 60 }).map((length) => `{${'x'.repeat(length)}}`) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: PAGE }).map((length) => `{"é":"${'y'.repeat(length)}"}`) },
    fc.constantFrom('', '\x18', 'torn', '{"a":\r1}'),
  )
  const many = fc
    .tuple(line, fc.integer({ min: 1, max: 3000 }))
    .map(([text, count]) => `${text}\n`.repeat(count % (1 + PAGE / text.length)))
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          line.map((text) => `${text}\n`),
          many,
        ),
        { maxLength: 12 },
      ),
      (pieces) => {
        const text = pieces.join('')
        writeFileSync(path, text)
        const fd = openSync(path, 'r')
        let [at, got, alone, base] = [0, '', '', 0]
        const size = Buffer.byteLength(text)
        for (let page = readPage(fd, at, size, memory, GAP); page; page = readPage(fd, at, size, memory, GAP)) {
          const framed = framesIn(page)
          got += framed.bytes
          at = framed.to
        }
        closeSync(fd)
        for (const each of text.split('\n').slice(0, -1)) {
          alone += framesOf(Buffer.from(`${each}\n`), base).bytes
          base += Buffer.byteLength(each) + 1
        }
        return got === alone && at === size
      },
    ),
    { numRuns: 60 },
  )
})

t.test('a feed: late, on time, and no one left', async (t) => {
  const path = join(newHome(t).root, 'log')
  for (let n = 0; n < 3; n++) appendLine(path, n)
  const feeds = new Feeds()
  const [one, two] = [new AbortController(), new AbortController()]
  const early = feeds.follow(path, 0, one.signal)
  const late = feeds.follow(path, 'tail', two.signal)
  t.equal(feeds.size, 1)
  const first = early.next() as Frame
  t.equal(first.bytes.toString().split('\n\n').length, 4)
  t.equal(first.isLent, true, 'read for this one alone')
  t.equal(early.next(), 'wait')
  t.equal(late.next(), 'wait')
  const woken = Promise.all([early, late].map((frames) => new Promise<void>((resolve) => frames.onMore(resolve))))
  appendFileSync(path, `${line(3)}\n`)
  await woken
  const next = late.next() as Frame
  t.match(next.bytes.toString(), /"n":3/)
  t.equal((early.next() as Frame).bytes, next.bytes, 'the very same bytes')
  t.equal(early.next(), 'wait')
  let isWoken = false
  early.onMore(() => {
    isWoken = true
  })
  one.abort()
  t.ok(isWoken, 'one who waits is told')
  t.equal(early.next(), 'end')
  t.equal(feeds.size, 1)
  two.abort()
  t.equal(feeds.size, 0, 'also if the last never asks again')
  feeds.follow(path, 0, two.signal)
  t.equal(feeds.size, 0, 'nothing is held for one who has gone already')
})

t.test('a log that cannot be read fails for those who have it, and is tried anew for the next one', async (t) => {
  const path = join(newHome(t).root, 'log')
  appendLine(path, 0)
  const feeds = new Feeds()
  const [one, two] = [new AbortController(), new AbortController()]
  t.teardown(() => {
    one.abort()
    two.abort()
  })
  const early = feeds.follow(path, 'tail', one.signal)
  const woken = new Promise<void>((resolve) => early.onMore(resolve))
  renameSync(path, `${path}.away`)
  mkdirSync(path)
  await woken
  await until(() => {
    try {
      early.next()
      return false
    } catch (error) {
      return (error as { code?: string }).code === 'HOME_UNUSABLE'
    }
  }, 'it has failed')
  rmdirSync(path)
  renameSync(`${path}.away`, path)
  t.match((feeds.follow(path, 0, two.signal).next() as Frame).bytes.toString(), /"n":0/)
  one.abort()
  t.equal(feeds.size, 1, 'who has the old one does not take the new one along')
})
