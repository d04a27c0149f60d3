import { appendFileSync, closeSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Feeds } from '../../src/server/feed.js'
import { framesOf, resetFrame } from '../../src/server/frames.js'
import { cutPage, linesEnd, PAGE, readPage, recordsOf } from '../../src/server/page.js'
import { appendLine, line, newHome } from './helpers.js'

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
  t.equal(framesOf(Buffer.from('{"a":1}\n\n{"b":2}\n'), 100), 'id: 108\ndata: {"a":1}\n\nid: 117\ndata: {"b":2}')
  t.equal(framesOf(Buffer.from('oh\n'), 5), 'event: damaged\ndata: {"at":5,"length":2}')
  t.equal(framesOf(Buffer.from('\n\n'), 5), '')
  const injected = framesOf(Buffer.from('{"a":1,\rid: 7\rdata: evil}\n'), 0)
  t.equal(injected, 'id: 26\ndata: {"a":1,\ndata: id: 7\ndata: data: evil}')
  t.equal(resetFrame('truncated'), 'id: 0\nevent: reset\ndata: {"why":"truncated"}')
})

t.test('a feed: late, on time, a heartbeat, and no one left', async (t) => {
  const path = join(newHome(t).root, 'log')
  for (let n = 0; n < 3; n++) appendLine(path, n)
  const feeds = new Feeds({ heartbeat: 50 })
  const [one, two] = [new AbortController(), new AbortController()]
  const early = feeds.follow(path, 0, one.signal)
  const late = feeds.follow(path, 'tail', two.signal)
  t.equal(feeds.size, 1)
  t.equal((await early.next()).value?.split('\n\n').length, 3)
  t.equal((await late.next()).value, '', 'nothing new: a heartbeat')
  appendFileSync(path, `${line(3)}\n`)
  let text = ''
  while (text === '') text = (await late.next()).value ?? 'end'
  let same = ''
  while (same === '') same = (await early.next()).value ?? 'end'
  t.equal(text, same)
  const pending = early.next()
  one.abort()
  t.same(await pending, { done: true, value: undefined }, 'a waiting subscriber ends at once')
  t.equal(feeds.size, 1)
  two.abort()
  t.equal(feeds.size, 0, 'also if the last never asks again')
  feeds.follow(path, 0, two.signal)
  t.equal(feeds.size, 0, 'nothing is held for one who has gone already')
})
