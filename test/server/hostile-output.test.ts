/** What an agent writes may look like anything: no line of it becomes another event, another address or another field on the way. */
import { appendFileSync, readFileSync, renameSync, symlinkSync } from 'node:fs'
import t from 'tap'
import { ownName } from '../../src/base/cookie.js'
import { issueCode } from '../../src/base/login.js'
import { sessionLog } from '../../src/base/paths.js'
import { ensureToken } from '../../src/base/token.js'
import { newBrowser } from '../helpers/browser.js'
import { call } from '../helpers/call.js'
import { get, newServer, newSession, SseClient } from './helpers.js'

const evil = '\ndata: evil\n\nid: 7\nevent: reset\nretry: 1\n\n: x\r\rdata: evil\r\n\r\n'
/** Lines of a log, the newline left out; each with what a reader of SSE gets of it, undefined where it is damaged. */
const hostile: [string, Buffer, string?][] = [
  [
    'said in JSON',
    Buffer.from(JSON.stringify({ type: 'text', content: evil })),
    JSON.stringify({ type: 'text', content: evil }),
  ],
  ['fields of SSE', Buffer.from('data: {"evil":1}')],
  ['a name of an event', Buffer.from('event: reset')],
  ['an address', Buffer.from('id: 7')],
  ['a time to wait', Buffer.from('retry: 1')],
  ['a comment', Buffer.from(': {}')],
  ['CR between tokens', Buffer.from('{"a":1,\rid: 7\r\rdata: evil\r}'), '{"a":1,\nid: 7\n\ndata: evil\n}'],
  ['CR alone', Buffer.from('{\r\r\r\r}'), '{\n\n\n\n}'],
  [
    'line ends of Unicode',
    Buffer.from('{"a":"\u2028id: 7\u2029data: evil\u0085\u000b\u000c"}'),
    '{"a":"\u2028id: 7\u2029data: evil\u0085\u000b\u000c"}',
  ],
  ['a mark of byte order', Buffer.from('\ufeff{"a":1}')],
  ['one within', Buffer.from('{\ufeff"a":1}'), '{\ufeff"a":1}'],
  ['no UTF-8', Buffer.from('7b2261223a22ffc3227d', 'hex'), '{"a":"\ufffd\ufffd"}'],
  ['NUL and escape sequences', Buffer.from('{"a":"\0\x1b]0;x\x07\x9b31m"}'), '{"a":"\0\x1b]0;x\x07\x9b31m"}'],
  ['much of it', Buffer.from(`{${'\r'.repeat(100_000)}}`), `{${'\n'.repeat(100_000)}}`],
]

t.test('lines of any kind stay what they are', async (t) => {
  const server = await newServer(t)
  const { home } = server
  const { sessionId } = await newSession(home)
  const path = sessionLog(home, sessionId)
  const expected = [
    { id: String(readFileSync(path).length), event: 'message', data: readFileSync(path, 'utf8').trim() },
  ]
  for (const [, bytes, data] of hostile) {
    const at = readFileSync(path).length
    appendFileSync(path, Buffer.concat([bytes, Buffer.from('\n')]))
    const last = expected.at(-1)?.id ?? ''
    const damage = { id: last, event: 'damaged', data: JSON.stringify({ at, length: bytes.length }) }
    expected.push(data === undefined ? damage : { id: String(at + bytes.length + 1), event: 'message', data })
  }
  const nameOf = (at: number) => ['the first line', ...hostile.map(([name]) => name)][at] ?? ''
  const url = `/v1/sessions/${sessionId}/events`

  const client = new SseClient(server.socketPath, url)
  await client.count(expected.length)
  client.close()
  for (const [at, event] of expected.entries()) t.same(client.events[at], event, nameOf(at))
  t.equal(client.events.length, expected.length)
  t.equal(client.retry, 1000)

  const records = hostile.filter(([, , data]) => data !== undefined).map(([, bytes]) => bytes)
  const first = Buffer.from(expected[0]?.data ?? '')
  const file = Buffer.concat([first, ...records].flatMap((bytes) => [bytes, Buffer.from('\n')]))
  t.ok((await get(server.socketPath, `${url}?follow=0`)).body.equals(file), 'NDJSON: byte for byte')

  const browser = await newBrowser(t)
  const page = await browser.newPage()
  await page.goto(`http://${ownName(ensureToken(home))}:${new URL(server.url).port}/login#${issueCode(home)}`)
  await page.getByRole('button', { name: 'New session' }).waitFor()
  const script = `new Promise((resolve) => {
    const got = []
    const source = new EventSource('${url}')
    const take = ({ lastEventId: id, type: event, data }) => {
      if (got.push({ id, event, data }) < ${expected.length}) return
      source.close()
      resolve(got)
    }
    for (const type of ['message', 'damaged', 'reset', 'evil']) source.addEventListener(type, take)
  })`
  const seen = (await page.evaluate(script)) as typeof expected
  for (const [at, event] of expected.entries()) t.same(seen[at], event, `a browser, ${nameOf(at)}`)
})

t.test('what a client keeps in a stream is no page of ours, whatever type it has', async (t) => {
  const server = await newServer(t)
  const site = `http://${ownName(ensureToken(server.home))}:${new URL(server.url).port}`
  const headers = { authorization: `Bearer ${ensureToken(server.home)}`, 'content-type': 'text/html' }
  const body =
    '<title>kept</title><p>text</p><script>document.title = "run"</script><img src=x onerror=document.title="run">'
  t.equal((await call(`${site}/v1/stream/evil`, { method: 'PUT', headers, body })).status, 201)
  const page = await (await newBrowser(t)).newPage()
  await page.goto(`${site}/login#${issueCode(server.home)}`)
  await page.getByRole('button', { name: 'New session' }).waitFor()
  await page.goto(`${site}/v1/stream/evil?offset=-1`)
  await page.getByText('text').waitFor()
  t.equal(await page.title(), 'kept', 'its script does not run')
  t.match((await call(`${site}/v1/stream/evil?offset=-1`, { headers })).headers, {
    'content-security-policy': /^sandbox; default-src 'none'/,
    'x-content-type-options': 'nosniff',
  })
})

t.test('a link in the place of a log leads nowhere', async (t) => {
  const server = await newServer(t)
  const { home } = server
  const { sessionId } = await newSession(home)
  const path = sessionLog(home, sessionId)
  renameSync(path, `${path}.old`)
  symlinkSync(home.token, path)
  const token = ensureToken(home)
  for (const rest of ['', '/events', '/events?follow=0']) {
    const { status, body } = await get(server.socketPath, `/v1/sessions/${sessionId}${rest}`)
    t.not(status, 200, rest)
    t.notMatch(body.toString(), token)
  }
})
