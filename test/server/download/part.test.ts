import { appendFileSync, readFileSync, statSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { sessionLog } from '../../../src/base/paths.js'
import { pieceOf } from '../../../src/server/download/range.js'
import { AUTH, appendLine, newApp, newSession } from '../helpers.js'

t.test('the log as a file: whole, in pieces, and not at all where it is known', async (t) => {
  const { app, home } = await newApp(t)
  const { sessionId } = await newSession(home)
  const path = sessionLog(home, sessionId)
  for (let n = 0; n < 300; n++) appendLine(path, n, 'x'.repeat(1000))
  const bytes = readFileSync(path)
  // Not data yet.
  appendFileSync(path, '{"torn')
  const ask = (headers: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET', query = '') =>
    app.inject({ method, url: `/v1/sessions/${sessionId}/log${query}`, headers: { ...AUTH, ...headers } })

  const whole = await ask()
  t.equal(whole.statusCode, 200)
  t.ok(whole.rawPayload.equals(bytes))
  const etag = `"${statSync(path).ino}-${bytes.length}"`
  t.match(whole.headers, { etag, 'accept-ranges': 'bytes', 'content-length': String(bytes.length) })
  t.match(whole.headers, { 'content-type': 'application/x-ndjson', 'cache-control': 'private, no-cache' })
  const head = await ask({}, 'HEAD')
  t.equal(head.rawPayload.length, 0)
  t.match(head.headers, { etag, 'content-length': String(bytes.length) })

  for (const [range, from, to] of [
    ['bytes=0-0', 0, 1],
    ['bytes=5-9', 5, 10],
    ['bytes=250000-', 250000, bytes.length],
    ['bytes=-7', bytes.length - 7, bytes.length],
    ['bytes=10-99999999', 10, bytes.length],
  ] as const) {
    const part = await ask({ range, 'if-range': etag })
    t.equal(part.statusCode, 206, range)
    t.equal(part.headers['content-range'], `bytes ${from}-${to - 1}/${bytes.length}`)
    t.ok(part.rawPayload.equals(bytes.subarray(from, to)), range)
  }
  for (const range of ['bytes=0-1,5-6', 'bytes=9-5', 'lines=1-2', 'bytes=x-', 'bytes=-']) {
    t.equal((await ask({ range })).statusCode, 200, `${range} is all of it`)
  }
  t.equal((await ask({ range: 'bytes=0-0', 'if-range': '"other"' })).statusCode, 200, 'a copy of another log')
  for (const range of [`bytes=${bytes.length}-`, 'bytes=-0', `bytes=${'9'.repeat(30)}-`]) {
    const refused = await ask({ range })
    t.equal(refused.statusCode, 416, range)
    t.equal(refused.headers['content-range'], `bytes */${bytes.length}`)
    t.equal(refused.json().error.code, 'RANGE_ABSENT')
    t.match(refused.headers, { 'cache-control': 'no-store', etag: undefined, 'content-disposition': undefined })
  }
  for (const method of ['GET', 'HEAD'] as const) {
    const known = await ask({ 'if-none-match': `"x", W/${etag}`, range: 'bytes=0-0' }, method)
    t.equal(known.statusCode, 304)
    t.equal(known.rawPayload.length, 0)
  }
  appendLine(path, 300)
  t.equal((await ask({ 'if-none-match': etag })).statusCode, 200, 'another line, another tag')

  const at = (id: string, query = '') => app.inject({ url: `/v1/sessions/${id}/log${query}`, headers: AUTH })
  t.equal((await at('0123456789ab')).statusCode, 404)
  t.equal((await at('x')).json().error.code, 'BAD_ID')
  t.equal((await at(sessionId, '?x=1')).json().error.code, 'BAD_INPUT')
})

t.test('any piece lies within the file', async (t) => {
  fc.assert(
    fc.property(fc.nat(1000), fc.option(fc.nat(1200)), fc.option(fc.nat(1200)), (size, first, last) => {
      const piece = pieceOf(`bytes=${first ?? ''}-${last ?? ''}`, size)
      return piece === undefined || piece === 'none' || (0 <= piece.from && piece.from < piece.to && piece.to <= size)
    }),
  )
  t.equal(pieceOf(undefined, 10), undefined)
})
