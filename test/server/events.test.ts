import {
  appendFileSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { SEAL } from '../../src/log/line.js'
import { appendLine, get, line, newHome, newServer, newSession, SseClient, sleep } from './helpers.js'

async function withLog(t: Parameters<typeof newServer>[0], options: Parameters<typeof newServer>[1] = {}) {
  const server = await newServer(t, options)
  const { sessionId } = await newSession(server.home)
  const path = sessionLog(server.home, sessionId)
  const url = `/v1/sessions/${sessionId}/events`
  const follow = (query = '', headers: Record<string, string> = {}) => {
    const client = new SseClient(server.socketPath, url + query, headers)
    t.teardown(() => client.close())
    return client
  }
  const once = (query = '', headers: Record<string, string> = {}) =>
    get(server.socketPath, `${url}?follow=0${query}`, headers)
  return { ...server, path, url, follow, once }
}

/** Records by address, as the file has them. */
function recordsIn(path: string): { id: string; data: string }[] {
  const records: { id: string; data: string }[] = []
  let offset = 0
  for (const text of readFileSync(path, 'utf8').split('\n')) {
    offset += Buffer.byteLength(text) + 1
    if (text.startsWith('{') && text.endsWith('}')) records.push({ id: String(offset), data: text })
  }
  return records
}

/** What this process watches and holds open; the kernel says so. */
const ofProcess = (directory: string, read: (name: string) => string) =>
  readdirSync(`/proc/self/${directory}`).map((name) => {
    try {
      return read(`/proc/self/${directory}/${name}`)
    } catch {
      // Closed since the directory was read.
      return ''
    }
  })
const watches = () =>
  ofProcess('fdinfo', (name) => readFileSync(name, 'utf8'))
    .join('')
    .split('inotify wd:').length - 1
const opened = (path: string) => ofProcess('fd', readlinkSync).filter((target) => target === path).length

const plain = ({ id, data }: { id: string; data: string }) => ({ id, data })

t.test('the whole log, then what comes, exactly once, from every position', async (t) => {
  const { path, follow } = await withLog(t)
  for (let n = 0; n < 20; n++) appendLine(path, n, 'ä€😀'.repeat(n))
  const client = follow()
  await client.count(21)
  t.equal(client.status, 200)
  t.match(client.response?.headers, { 'content-type': /text\/event-stream/, 'x-content-type-options': 'nosniff' })
  t.equal(client.retry, 1000)
  for (let n = 20; n < 40; n++) appendLine(path, n)
  await client.count(41)
  const records = recordsIn(path)
  t.same(client.events.map(plain), records)
  t.ok(client.events.every(({ event }) => event === 'message'))
  for (const [index, { id }] of records.entries()) {
    const later = follow('?offset=0', { 'last-event-id': id })
    await later.until(() => later.events.length >= records.length - index - 1)
    later.close()
    t.same(later.events.map(plain), records.slice(index + 1), `after ${id}; the header wins`)
  }
  const fresh = follow('?offset=tail')
  await fresh.until(() => fresh.retry > 0)
  await sleep(20)
  appendLine(path, 40)
  await fresh.count(1)
  t.same(fresh.events.map(plain), recordsIn(path).slice(-1), 'tail: only what comes')
})

t.test('reconnecting while it grows misses nothing and repeats nothing', async (t) => {
  const { path, follow, feeds } = await withLog(t)
  const got: { id: string; data: string }[] = []
  let n = 0
  const writer = setInterval(() => {
    for (let i = 0; i < 5; i++) appendLine(path, n++, 'x'.repeat(n % 300))
  }, 2)
  for (let round = 0; round < 25; round++) {
    const client = follow('', got.length > 0 ? { 'last-event-id': got.at(-1)!.id } : {})
    await client.count(1 + (round % 7))
    client.close()
    got.push(...client.events.map(plain))
  }
  clearInterval(writer)
  const records = recordsIn(path)
  const last = follow('', { 'last-event-id': got.at(-1)!.id })
  await last.count(records.length - got.length)
  await sleep(30)
  got.push(...last.events.map(plain))
  t.same(got, records)
  last.close()
  for (let i = 0; i < 100 && feeds.size > 0; i++) await sleep(10)
  t.equal(feeds.size, 0)
})

t.test('many subscribers, one tail; it goes with the last', async (t) => {
  const { path, follow, feeds, streams } = await withLog(t)
  const clients = Array.from({ length: 20 }, () => follow())
  await Promise.all(clients.map((client) => client.count(1)))
  t.equal(feeds.size, 1)
  t.equal(streams.size, 20)
  t.equal(watches(), 1, 'one watch')
  t.equal(opened(path), 2, 'one descriptor for the tail, one for all who are behind')
  for (let n = 0; n < 50; n++) appendLine(path, n)
  await Promise.all(clients.map((client) => client.count(51)))
  const records = recordsIn(path)
  for (const client of clients) t.same(client.events.map(plain), records)
  for (const client of clients) client.close()
  for (let i = 0; i < 100 && (feeds.size > 0 || streams.size > 0); i++) await sleep(10)
  t.equal(feeds.size, 0)
  t.equal(streams.size, 0)
  t.equal(watches(), 0, 'no watch is left')
  t.equal(opened(path), 0, 'no descriptor is left')
})

t.test('damaged, sealed, empty and foreign lines', async (t) => {
  const { path, follow, once } = await withLog(t)
  appendLine(path, 1)
  const at = readFileSync(path).length
  appendFileSync(path, `{"torn":${SEAL}\n\n`)
  appendLine(path, 2)
  appendFileSync(path, '{"a":1,\r"b":\r\n')
  appendFileSync(path, '{"a":1,\r"b":2}\n')
  appendFileSync(path, Buffer.from('7b2278223a22ff227d0a', 'hex'))
  appendLine(path, 3)
  appendFileSync(path, '{"not":"yet')
  const client = follow()
  await client.count(8)
  t.same(
    client.events.map(({ event }) => event),
    ['message', 'message', 'damaged', 'message', 'damaged', 'message', 'message', 'message'],
  )
  t.same(JSON.parse(client.events[2]?.data ?? ''), { at, length: 9 })
  t.equal(client.events[2]?.id, client.events[1]?.id, 'a damaged line has no id of its own')
  t.same(JSON.parse(client.events[5]?.data ?? ''), { a: 1, b: 2 }, 'a CR between tokens is a newline in SSE')
  t.equal(client.events[6]?.data, '{"x":"\ufffd"}', 'no UTF-8: a replacement character')
  appendFileSync(path, '"}\n')
  await client.count(9)
  t.equal(client.events[8]?.data, '{"not":"yet"}')
  const { body, status, headers } = await once()
  t.equal(status, 200)
  t.equal(headers['content-type'], 'application/x-ndjson')
  const file = readFileSync(path)
  const lines = file
    .toString('latin1')
    .split('\n')
    .filter((text) => /^\{.*\}$/s.test(text))
  t.ok(body.equals(Buffer.from(`${lines.join('\n')}\n`, 'latin1')), 'NDJSON: the bytes of the records')
  t.equal(lines.length, 7)
})

t.test('NDJSON is the file', async (t) => {
  const { path, once } = await withLog(t)
  const batch: string[] = []
  for (let n = 0; n < 3000; n++) batch.push(line(n, 'y'.repeat((n * 37) % 900)))
  batch.push(line(3000, 'z'.repeat(900_000)))
  appendFileSync(path, `${batch.join('\n')}\n`)
  const file = readFileSync(path)
  t.ok((await once()).body.equals(file), 'all of it')
  const records = recordsIn(path)
  for (const index of [0, 1, 1500, 2999, 3000, 3001]) {
    const id = records[index]!.id
    t.ok((await once(`&offset=${id}`)).body.equals(file.subarray(Number(id))), `from ${id}`)
  }
  t.equal((await once('&offset=tail')).body.length, 0)
  t.equal((await once('&offset=5', { 'last-event-id': String(file.length) })).body.length, 0, 'the header wins')
})

t.test('offsets that are none', async (t) => {
  const { path, url, socketPath, feeds, streams } = await withLog(t)
  appendLine(path, 1)
  const size = readFileSync(path).length
  for (const offset of [
    '1',
    String(size - 1),
    String(size + 1),
    '-1',
    '1.5',
    '1e3',
    '0x10',
    '',
    '99999999999999999',
    'x',
  ]) {
    for (const follow of ['0', '1']) {
      const answer = await get(socketPath, `${url}?offset=${offset}&follow=${follow}`)
      t.equal(answer.status, 400, `offset ${offset}`)
      t.match(JSON.parse(answer.body.toString()), { error: { code: 'BAD_INPUT', message: /^offset: / } })
    }
  }
  const header = await get(socketPath, url, { 'last-event-id': '7' })
  t.match(JSON.parse(header.body.toString()), { error: { code: 'BAD_INPUT', message: /^last-event-id: / } })
  t.equal((await get(socketPath, `${url}?offset=0&offset=0`)).status, 400)
  t.equal((await get(socketPath, `${url}?follow=2`)).status, 400)
  t.equal((await get(socketPath, `/v1/events?follow=0&offset=${2 ** 40}`)).status, 400)
  t.equal(feeds.size, 0)
  t.equal(streams.size, 0)
})

t.test('a file that begins again', async (t) => {
  const { path, follow } = await withLog(t)
  for (let n = 0; n < 10; n++) appendLine(path, n)
  const client = follow()
  await client.count(11)
  truncateSync(path, 0)
  await client.count(12)
  t.match(client.events[11], { event: 'reset', id: '0', data: '{"why":"truncated"}' })
  appendFileSync(path, `${line(100)}\n`)
  await client.count(13)
  t.match(client.events[12], { event: 'message', data: line(100) })
  writeFileSync(`${path}.new`, `${line(200)}\n${line(201)}\n`)
  renameSync(`${path}.new`, path)
  await client.count(16)
  t.match(client.events[13], { event: 'reset', id: '0', data: '{"why":"replaced"}' })
  t.same(
    client.events.slice(14).map(({ data }) => data),
    [line(200), line(201)],
  )
  appendLine(path, 202)
  await client.count(17)
  t.equal(client.events[16]?.data, line(202))
})

t.test('the registry before the first session', async (t) => {
  const home = newHome(t)
  const { socketPath } = await newServer(t, { home })
  t.same((await get(socketPath, '/v1/events?follow=0')).body.length, 0)
  const client = new SseClient(socketPath, '/v1/events')
  t.teardown(() => client.close())
  await client.opened
  const { sessionId } = await newSession(home)
  await client.count(1)
  t.match(JSON.parse(client.events[0]?.data ?? ''), { type: 'session_created', sessionId })
  t.ok((await get(socketPath, '/v1/events?follow=0')).body.equals(readFileSync(home.registry)))
})

t.test('what a client has is not sent again, with follow=0', async (t) => {
  const { path, once } = await withLog(t)
  const first = await once()
  const tag = first.headers.etag ?? ''
  t.match(tag, /^W\/"\d+-0-\d+"$/)
  const same = await once('', { 'if-none-match': `"other", ${tag}` })
  t.match(same, { status: 304, headers: { etag: tag } })
  t.equal(same.body.length, 0)
  const end = recordsIn(path).at(-1)?.id ?? ''
  t.equal((await once(`&offset=${end}`, { 'if-none-match': tag })).status, 200, 'another piece of it')
  t.equal(
    (await once('', { 'if-none-match': tag, 'last-event-id': end })).status,
    200,
    'a piece that a header asks for',
  )
  appendLine(path, 1)
  const more = await once('', { 'if-none-match': tag })
  t.equal(more.status, 200, 'when something has come')
  t.match(more.body.toString(), line(1))
  t.not(more.headers.etag, tag)
  const wrong = await once('&offset=1', { 'if-none-match': tag })
  t.match(wrong, { status: 400, headers: { etag: undefined, 'cache-control': 'no-store' } })
  for (let i = 0; i < 100 && opened(path) > 0; i++) await sleep(10)
  t.equal(opened(path), 0, 'no descriptor is left')
})

t.test('so many streams and no more', async (t) => {
  const { follow, streams } = await withLog(t, { most: 2 })
  const [one, two] = [follow(), follow()]
  await Promise.all([one.count(1), two.count(1)])
  const three = follow()
  await three.opened
  t.equal(three.status, 503)
  one.close()
  for (let i = 0; i < 100 && streams.size > 1; i++) await sleep(10)
  const four = follow()
  await four.count(1)
  t.equal(four.status, 200, 'a place that got free')
})
