/** Streams of more than 4 GiB, which take no room: nearly all of them is a hole. */
import { appendFileSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { stream } from '@durable-streams/client'
import t, { type Test } from 'tap'
import { type Home, sessionLog, streamData, streamMeta } from '../../../src/base/paths.js'
import { ensureToken } from '../../../src/base/token.js'
import { until } from '../../helpers/home.js'
import { appendLine, newServer, newSession, SseClient } from '../helpers.js'

const GIB = 2 ** 30
const spelled = (offset: number) => String(offset).padStart(16, '0')
/** So far, by this process; where that is told. */
const readBytes = () =>
  process.platform === 'linux' ? Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]) : 0

async function newClient(t: Test, home?: Home) {
  const server = await newServer(t, home && { home })
  const headers = { authorization: `Bearer ${ensureToken(server.home)}` }
  const ask = (path: string, method = 'GET', body?: string, more: Record<string, string> = {}) =>
    fetch(`${server.url}/v1/stream/${path}`, { method, headers: { ...headers, ...more }, ...(body && { body }) })
  return { ...server, headers, ask }
}

/** Makes the file of a stream, or a log, so long; of lines, it ends in one. */
function stretch(path: string, size: number, lines: boolean): void {
  truncateSync(path, lines ? size - 1 : size)
  if (lines) appendFileSync(path, '\n')
}

for (const [type, json] of [
  ['application/json', true],
  ['text/plain', false],
] as const) {
  t.test(`${type} of 5 GiB`, { timeout: 60_000 }, async (t) => {
    const first = await newClient(t)
    const { home } = first
    const message = json ? '{"n":1}' : 'one'
    const length = message.length + (json ? 1 : 0)
    const content = { 'content-type': type }
    await first.ask('x', 'PUT', message, content)
    await first.close()
    const data = streamData(home, 'x', json)
    stretch(data, 5 * GIB, json)
    appendFileSync(streamMeta(home, 'x'), `${JSON.stringify({ type: 'append', from: length, to: 5 * GIB })}\n`)
    const holes = statSync(data).blocks < 1000
    if (!holes) return void t.pass('big', { skip: 'this file system has no holes' })

    const before = readBytes()
    const { ask, url, headers, socketPath, close } = await newClient(t, home)
    const head = await ask('x', 'HEAD')
    t.equal(head.headers.get('stream-next-offset'), spelled(5 * GIB))
    const sse = new SseClient(socketPath, `/v1/stream/x?offset=${spelled(5 * GIB)}&live=sse`)
    const after = 5 * GIB + length
    const producer = { 'producer-id': 'p', 'producer-epoch': '0', 'producer-seq': '0' }
    for (const status of [200, 204]) {
      const appended = await ask('x', 'POST', message, { ...content, ...producer })
      t.equal(appended.status, status, 'once')
      t.equal(appended.headers.get('stream-next-offset'), spelled(after))
    }
    await sse.until(
      () => sse.events.some(({ data }) => data.includes(spelled(after))),
      'it is told, also at another door than it came in by',
    )
    t.match(sse.events.find(({ event }) => event === 'data')?.data, json ? `[${message}]` : message)
    sse.close()
    const tail = await stream({ url: `${url}/v1/stream/x`, headers, offset: spelled(5 * GIB), live: false })
    t.strictSame(json ? await tail.json() : await tail.text(), json ? [{ n: 1 }] : message)
    t.equal(tail.offset, spelled(after))
    t.equal((await ask(`x?offset=${spelled(after + 1)}`)).status, 400, 'beyond the end')
    const fork = { 'stream-forked-from': '/v1/stream/x', 'stream-fork-offset': spelled(length) }
    t.equal((await ask('fork', 'PUT', undefined, fork)).status, 201, 'a fork of its beginning')
    t.equal(statSync(streamData(home, 'fork', json)).size, length)
    await close()
    const again = await newClient(t, home)
    t.equal((await again.ask('x', 'HEAD')).headers.get('stream-next-offset'), spelled(after), 'also after a restart')
    t.ok(readBytes() - before < 32 * 1024 ** 2, 'and nobody has read it whole')
    t.equal((await again.ask('x', 'DELETE')).status, 204)
  })
}

t.test('a session of 5 GiB', { timeout: 60_000 }, async (t) => {
  const { home, ask, socketPath } = await newClient(t)
  const { sessionId } = await newSession(home)
  const path = sessionLog(home, sessionId)
  stretch(path, 5 * GIB, true)
  const follower = new SseClient(socketPath, `/v1/sessions/${sessionId}/events?offset=${5 * GIB}`)
  await follower.opened
  const end = appendLine(path, 7)
  await follower.count(1)
  t.match(follower.events, [{ id: String(end), data: /"n":7/ }])
  follower.close()
  await until(
    async () => (await ask(`sessions/${sessionId}`, 'HEAD')).headers.get('stream-next-offset') === spelled(end),
    'HEAD',
  )
  t.match(await (await ask(`sessions/${sessionId}?offset=${spelled(5 * GIB)}`)).json(), [{ n: 7 }])
})
