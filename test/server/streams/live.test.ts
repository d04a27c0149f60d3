/** Live streams: those who do not read cost nothing, and get everything later; one tail for all kinds of followers; shared frames. */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import type { Socket } from 'node:net'
import t, { type Test } from 'tap'
import { sessionLog } from '../../../src/base/paths.js'
import { Frame } from '../../../src/server/streams/frames.js'
import { until } from '../../helpers/home.js'
import { appendLine, newApp, newSession, sleep } from '../helpers.js'

const MB = 1024 * 1024

async function newListening(t: Test) {
  const all = await newApp(t, { guard: { kind: 'unix' } })
  const sockets = new Set<Socket>()
  all.app.server.on('connection', (socket) => sockets.add(socket))
  await all.app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = all.app.server.address() as { port: number }
  const open = (path: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request({ port, host: '127.0.0.1', path, agent: false }, (response) => resolve(response.pause()))
      asked.once('error', reject).end()
      t.teardown(() => asked.destroy())
    })
  const buffered = () => [...sockets].reduce((sum, { writableLength }) => sum + writableLength, 0)
  return { ...all, open, buffered }
}

/** Reads on until it holds a text. */
async function readUntil(response: IncomingMessage, text: string): Promise<string> {
  let got = ''
  for await (const chunk of response.setEncoding('utf8')) {
    got += chunk
    if (got.slice(-chunk.length - text.length).includes(text)) break
  }
  return got
}

t.test('a stream that is followed does not expire, and does when nobody is left', async (t) => {
  const { app, open } = await newListening(t)
  const create = (name: string) =>
    app.inject({
      ...{ method: 'PUT', url: `/v1/stream/${name}` },
      headers: { 'content-type': 'application/json', 'stream-ttl': '1' },
    })
  // A HEAD is no use of it.
  const isThere = async (name: string) =>
    (await app.inject({ method: 'HEAD', url: `/v1/stream/${name}` })).statusCode === 200
  await create('x')
  const reader = await open('/v1/stream/x?offset=-1&live=sse')
  await create('y')
  await until(async () => !(await isThere('y')), 'one that nobody follows has expired')
  t.equal(await isThere('x'), true)
  const headers = { 'content-type': 'application/json' }
  await app.inject({ method: 'POST', url: '/v1/stream/x', headers, payload: '{"still":"here"}' })
  t.match(await readUntil(reader, 'still'), /"still":"here"/)
  reader.destroy()
  await until(async () => !(await isThere('x')), 'it has expired after its reader has left')
})

t.test('who does not read is not buffered for, and gets all of it in the end', async (t) => {
  const { app, home, feeds, open, buffered } = await newListening(t)
  const { sessionId } = await newSession(home)
  await app.inject({ method: 'PUT', url: '/v1/stream/x', headers: { 'content-type': 'application/json' } })
  const paths = [
    `/v1/sessions/${sessionId}/events`,
    `/v1/stream/sessions/${sessionId}?offset=-1&live=sse`,
    '/v1/stream/x?offset=-1&live=sse',
  ]
  const readers = await Promise.all(paths.flatMap((path) => [open(path), open(path)]))
  t.equal(feeds.size, 1, 'one tail for a session, followed as events and as a stream')
  const COUNT = 24
  const headers = { 'content-type': 'application/json' }
  const post = (numbers: number[]) =>
    app.inject({
      ...{ method: 'POST', url: '/v1/stream/x', headers },
      payload: JSON.stringify(numbers.map((n) => ({ content: 'y'.repeat(MB / 2), n }))),
    })
  const numbers = Array.from({ length: COUNT }, (_, n) => n)
  for (const n of numbers) appendLine(sessionLog(home, sessionId), n, 'y'.repeat(MB / 2))
  for (const some of [numbers.slice(0, 8), numbers.slice(8, 16), numbers.slice(16)]) {
    t.equal((await post(some)).statusCode, 204)
  }
  // Of the 12 MB each has got what its socket takes, and waits with one frame more.
  t.ok(buffered() < readers.length * 2 * MB, `${buffered()} bytes`)
  for (const reader of readers) {
    const got = await readUntil(reader, `"n":${COUNT - 1}}`)
    const seen = [...got.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n))
    t.same(seen, numbers)
  }
})

// One reader that stood still once kept everybody else on the file that was replaced.
t.test('a log that was put back from a copy is read anew, whoever still reads the old one', async (t) => {
  const { app, home, open } = await newListening(t)
  const { sessionId } = await newSession(home)
  const log = sessionLog(home, sessionId)
  const copy = readFileSync(log)
  for (let n = 0; n < 16; n++) appendLine(log, n, 'y'.repeat(MB / 2))
  const url = `/v1/stream/sessions/${sessionId}`
  await open(`${url}?offset=-1&live=sse`)
  writeFileSync(`${log}.copy`, copy)
  renameSync(`${log}.copy`, log)
  const next = async () => Number((await app.inject({ method: 'HEAD', url })).headers['stream-next-offset'])
  await until(async () => (await next()) === copy.length, 'it is as long as the copy')
})

t.test('events of a session hold whatever its lines hold', async (t) => {
  const { home, feeds, open } = await newListening(t)
  const { sessionId } = await newSession(home)
  const response = await open(`/v1/stream/sessions/${sessionId}?offset=now&live=sse`)
  await readUntilOnce(response, 'upToDate')
  appendFileSync(
    sessionLog(home, sessionId),
    Buffer.concat([Buffer.from('\n{"a":1,\r"b":"'), Buffer.from([0xff]), Buffer.from('"}\nbroken\n{"last":"é"}\n')]),
  )
  const got = await readUntilOnce(response, '"last"')
  t.match(got, 'event: data\ndata:[{"a":1, "b":"\ufffd"},{"last":"é"}]\n\nevent: control\ndata:{"streamNextOffset"')
  response.destroy()
  while (feeds.size > 0) await sleep(5)
  t.pass('nothing is followed any more')
})

t.test('a frame with two ends', async (t) => {
  const frame = new Frame(Buffer.concat([Buffer.from('data'), Buffer.alloc(8)]), 4, 4)
  const first = frame.before('first')
  t.equal(frame.before('first'), first, 'shared')
  t.equal(frame.before('second').toString(), 'datasecond')
  t.equal(first.toString(), 'datafirst', 'what was sent stays')
  t.equal(new Frame(Buffer.alloc(0), 0, 4).before('alone').toString(), 'alone')
})

/** The same, and the response can be read on. */
function readUntilOnce(response: IncomingMessage, text: string): Promise<string> {
  return new Promise((resolve) => {
    let got = ''
    const take = (chunk: string) => {
      got += chunk
      if (!got.includes(text)) return
      response.removeListener('data', take).pause()
      resolve(got)
    }
    response.setEncoding('utf8').on('data', take).resume()
  })
}
