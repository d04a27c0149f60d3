import { appendFileSync, closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Feeds } from '../../src/delivery/feed.js'
import { framesOf, resetFrame } from '../../src/delivery/frames.js'
import { cutPage, PAGE, readPage, recordsOf } from '../../src/delivery/page.js'
import { linesEnd } from '../../src/log/read.js'
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
        const cuts: number[] = []
        for (let start = 0; start < end; start = cuts.at(-1)!) cuts.push(cutPage(bytes.subarray(0, end), start))
        return (
          end === Buffer.byteLength(pieces.join('')) &&
          at === end &&
          Buffer.concat(got).toString() === whole.map((each) => `${each}\n`).join('') &&
          cuts.every((cut) => bytes[cut - 1] === 0x0a)
        )
      } finally {
        closeSync(fd)
      }
    }),
    { numRuns: 150 },
  )
})

t.test('frames', async (t) => {
  const text = (lines: string | Buffer, base: number) => framesOf(Buffer.from(lines), base).toString()
  t.equal(text('{"a":1}\n\n{"b":"é"}\n', 100), 'id: 108\ndata: {"a":1}\n\nid: 120\ndata: {"b":"é"}\n\n')
  t.equal(text('oh\n{"a":1}\n', 5), 'event: damaged\ndata: {"at":5,"length":2}\n\nid: 16\ndata: {"a":1}\n\n')
  t.equal(text('\n\n', 5), '')
  const injected = text('{"a":1,\rid: 7\rdata: evil}\n', 0)
  t.equal(injected, 'id: 26\ndata: {"a":1,\ndata: id: 7\ndata: data: evil}\n\n')
  const broken = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n')])
  t.equal(text(broken, 0), 'id: 10\ndata: {"a":"\ufffd"}\n\n')
  const far = 2 ** 53 - 100
  t.equal(text('{"a":1}\n{"b":2}\n', far), `id: ${far + 8}\ndata: {"a":1}\n\nid: ${far + 16}\ndata: {"b":2}\n\n`)
  t.equal(resetFrame('truncated').toString(), 'id: 0\nevent: reset\ndata: {"why":"truncated"}\n\n')
})

t.test('a feed: late, on time, a heartbeat, and no one left', async (t) => {
  const path = join(newHome(t).root, 'log')
  for (let n = 0; n < 3; n++) appendLine(path, n)
  const feeds = new Feeds({ heartbeat: 50 })
  const [one, two] = [new AbortController(), new AbortController()]
  const early = feeds.follow(path, 0, one.signal)
  const late = feeds.follow(path, 'tail', two.signal)
  t.equal(feeds.size, 1)
  t.equal((await early.next()).value?.toString().split('\n\n').length, 4)
  t.equal((await late.next()).value?.length, 0, 'nothing new: a heartbeat')
  appendFileSync(path, `${line(3)}\n`)
  const next = async (frames: typeof early) => {
    for (;;) {
      const { value } = await frames.next()
      if (value === undefined || value.length > 0) return value
    }
  }
  const frame = await next(late)
  t.match(frame?.toString(), /"n":3/)
  t.equal(frame, await next(early), 'the very same bytes')
  const pending = early.next()
  one.abort()
  t.same(await pending, { done: true, value: undefined }, 'a waiting subscriber ends at once')
  t.equal(feeds.size, 1)
  two.abort()
  t.equal(feeds.size, 0, 'also if the last never asks again')
  feeds.follow(path, 0, two.signal)
  t.equal(feeds.size, 0, 'nothing is held for one who has gone already')
})
