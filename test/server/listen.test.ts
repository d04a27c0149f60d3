import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { type IncomingMessage, request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { serve } from '../../src/server/serve.js'
import { until } from '../helpers/home.js'
import { FakeSupervisor, get, line, newHome, newServer, newSession, SseClient, silent, sleep } from './helpers.js'

t.test('both ears', async (t) => {
  const server = await newServer(t)
  t.equal(statSync(server.socketPath).mode & 0o777, 0o600)
  t.equal(statSync(join(server.home.root, 'run')).mode & 0o777, 0o700)
  t.equal((await get(server.socketPath, '/v1/sessions')).status, 200, 'the socket needs no token')
  t.match(server.url, /^http:\/\/127\.0\.0\.1:[0-9]+$/)
  t.equal((await fetch(`${server.url}/healthz`)).status, 200)
  t.equal((await fetch(`${server.url}/v1/sessions`)).status, 401)
  const authorization = `Bearer ${readFileSync(server.home.token, 'utf8').trim()}`
  const answer = await fetch(`${server.url}/v1/sessions`, { headers: { authorization } })
  t.equal(answer.status, 200)
  t.same(await answer.json(), { sessions: [], offset: 0 })
  await server.close()
  t.notOk(existsSync(server.socketPath))
})

t.test('by name, on each address that it has', async (t) => {
  const server = await newServer(t, { host: 'localhost' })
  t.match(server.url, /^http:\/\/localhost:[0-9]+$/)
  const { port } = new URL(server.url)
  t.equal((await fetch(`${server.url}/healthz`)).status, 200)
  t.equal((await fetch(`http://127.0.0.1:${port}/healthz`)).status, 200)
  t.equal((await fetch(`http://127.0.0.1:${port}/v1/sessions`)).status, 401)
})

t.test('where it does not listen', async (t) => {
  for (const host of ['0.0.0.0', '::', '192.168.0.1', 'example.org', '127.0.0.1.example.org']) {
    await t.rejects(newServer(t, { host }), { code: 'BAD_INPUT', message: /loopback/ }, host)
  }
  const first = await newServer(t)
  const second = { home: first.home, socket: first.socketPath }
  await t.rejects(newServer(t, second), { code: 'SERVER_LISTEN', message: /another server/ })
  t.equal((await get(first.socketPath, '/healthz')).status, 200, 'the first one was left alone')
  const port = Number(new URL(first.url).port)
  const home = newHome(t)
  await t.rejects(newServer(t, { home, port }), { code: 'SERVER_LISTEN', message: /EADDRINUSE/ })
  t.notOk(existsSync(join(home.root, 'run', 's')), 'nothing is left of a half start')
  writeFileSync(join(home.root, 'run', 's'), 'no socket')
  await t.rejects(newServer(t, { home }), { code: 'SERVER_LISTEN', message: /not a socket/ })
  t.equal(readFileSync(join(home.root, 'run', 's'), 'utf8'), 'no socket')
  const open = newHome(t)
  mkdirSync(join(open.root, 'run'))
  chmodSync(join(open.root, 'run'), 0o755)
  await t.rejects(newServer(t, { home: open }), { code: 'HOME_UNUSABLE', message: /others may enter it/ })
  t.equal(statSync(join(open.root, 'run')).mode & 0o777, 0o755, 'a directory that was open is refused, not changed')
})

t.test('a socket that a killed server left', async (t) => {
  const home = newHome(t)
  const path = join(home.root, 'run', 's')
  mkdirSync(join(home.root, 'run'), { mode: 0o700 })
  const left = createServer()
  await new Promise<void>((resolve) => left.listen(`${path}.old`, resolve))
  renameSync(`${path}.old`, path)
  await new Promise((resolve) => left.close(resolve))
  t.ok(existsSync(path))
  await newServer(t, { home })
  t.equal((await get(path, '/healthz')).status, 200)
})

t.test('closing with streams open takes no time', async (t) => {
  const server = await newServer(t)
  const { sessionId } = await newSession(server.home)
  const path = sessionLog(server.home, sessionId)
  appendFileSync(path, `${line(1, 'x'.repeat(500_000))}\n`.repeat(20))
  const url = `/v1/sessions/${sessionId}/events`
  const idle = Array.from({ length: 10 }, () => new SseClient(server.socketPath, `${url}?offset=tail`))
  const stuck = [url, `${url}?follow=0`].map((each) => new SseClient(server.socketPath, each))
  for (const client of stuck) client.request.on('response', (response) => response.pause())
  await Promise.all([...idle, ...stuck].map((client) => client.opened))
  await sleep(50)
  const begin = Date.now()
  await server.close()
  const ms = Date.now() - begin
  t.ok(ms < 1000, `${ms} ms`)
  await Promise.all(idle.map((client) => client.until(() => client.ended)))
  t.ok(
    idle.every(({ response }) => response?.complete),
    'who keeps up gets a proper end, not a broken connection',
  )
  t.equal(server.feeds.size, 0)
  t.equal(server.streams.size, 0)
  for (const client of stuck) client.close()
})

/** Bytes that are kept, when what nobody needs is gone: how much of that is still there says more of the collector than of the server. */
function kept(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

t.test('a slow reader costs no memory, and gets everything', async (t) => {
  const server = await newServer(t)
  const { sessionId } = await newSession(server.home)
  const path = sessionLog(server.home, sessionId)
  const url = `/v1/sessions/${sessionId}/events`
  let bytes = 0
  let last = ''
  const slow = request({ socketPath: server.socketPath, path: url, headers: { host: 'localhost' } })
  const response = await new Promise<IncomingMessage>((resolve) => {
    slow.once('response', resolve).end()
  })
  response.pause()
  const quick = new SseClient(server.socketPath, `${url}?offset=tail`)
  await quick.opened
  const before = kept()
  const batch = `${line(1, 'x'.repeat(10_000))}\n`.repeat(100)
  const records = 100 * 80
  for (let i = 0; i < 80; i++) {
    appendFileSync(path, batch)
    await quick.count((i + 1) * 100)
    // What this test keeps of them is not the server's.
    for (const event of quick.events) event.data = ''
  }
  // The bytes of buffers go a moment after the buffers.
  await until(() => kept() - before < 30 * 2 ** 20, `less is kept than the ${batch.length * 80} bytes that came`)
  quick.close()
  await new Promise<void>((resolve) => {
    let rest = ''
    let count = 0
    response.setEncoding('latin1').on('data', (text: string) => {
      bytes += text.length
      rest += text
      for (const [, id = ''] of rest.matchAll(/^id: ([0-9]+)$/gm)) {
        count++
        last = id
      }
      rest = rest.slice(rest.lastIndexOf('\n') + 1)
      if (count === records + 1 && rest === '') resolve()
    })
    response.resume()
  })
  t.equal(last, String(statSync(path).size), 'the last record is there')
  t.ok(bytes > statSync(path).size)
  slow.destroy()
})

t.test('serve ends on SIGTERM', async (t) => {
  const home = newHome(t)
  const socket = join(home.root, 'run', 's')
  const serving = await serve({ home, supervisor: new FakeSupervisor(), logger: silent, port: 0, socket })
  t.equal((await get(socket, '/healthz')).status, 200)
  process.emit('SIGTERM')
  await serving.closed
  t.notOk(existsSync(socket))
  t.equal(
    process.listenerCount('SIGINT', () => undefined),
    0,
  )
})

t.test('a log that cannot be read says so and ends', async (t) => {
  const { home, socketPath, feeds } = await newServer(t)
  const { sessionId } = await newSession(home)
  const path = sessionLog(home, sessionId)
  const client = new SseClient(socketPath, `/v1/sessions/${sessionId}/events`)
  await client.count(1)
  renameSync(path, `${path}.gone`)
  symlinkSync(path, path)
  await client.until(() => client.ended)
  t.equal(client.events.at(-1)?.event, 'error')
  t.match(JSON.parse(client.events.at(-1)?.data ?? ''), { error: { code: 'INTERNAL', message: /ELOOP/ } })
  for (let i = 0; i < 100 && feeds.size > 0; i++) await sleep(10)
  t.equal(feeds.size, 0)
})
