/** What ends a stream from outside: another token. Everything else of it is in events.test.ts and listen.test.ts. */
import { EventEmitter } from 'node:events'
import { chmodSync } from 'node:fs'
import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import t from 'tap'
import { ownName } from '../../src/base/cookie.js'
import { issueCode } from '../../src/base/login.js'
import { ensureToken, rotateToken } from '../../src/base/token.js'
import { Streams } from '../../src/delivery/streams.js'
import { cookieOf, login } from '../helpers/call.js'
import { until } from '../helpers/home.js'
import { newServer, newSession, SseClient } from '../server/helpers.js'

t.test('a stream ends with the token by which it was let in', async (t) => {
  const server = await newServer(t)
  const { home } = server
  const { sessionId } = await newSession(home)
  const { port } = new URL(server.url)
  const path = `/v1/sessions/${sessionId}/events`
  const open = (headers: Record<string, string>): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, headers }, (response) => resolve(response.resume()))
        .once('error', reject)
        .end()
    })
  const bearer = () => open({ authorization: `Bearer ${ensureToken(home)}` })
  const site = new URL(`http://${ownName(ensureToken(home))}:${port}`)
  const cookie = cookieOf(await login(site.origin, issueCode(home)))
  const before = await Promise.all([bearer(), open({ cookie, host: site.host })])
  t.same(
    before.map(({ statusCode }) => statusCode),
    [200, 200],
  )
  const socket = new SseClient(server.socketPath, path)
  await socket.count(1)
  t.equal(server.streams.size, 3)
  rotateToken(home)
  await until(() => before.every(({ complete }) => complete), 'both streams of the token before end, and properly')
  t.equal(server.streams.size, 1)
  const after = await bearer()
  t.equal(after.statusCode, 200)
  chmodSync(home.token, 0o644)
  await until(() => after.complete, 'with a token that others may read nobody stays')
  t.equal(socket.ended, false, 'the socket asks for none')
  socket.close()
  await until(() => server.streams.size === 0, 'the last one has gone')
})

t.test('as long as the token stays, so do its streams', async (t) => {
  let looks = 0
  const streams = new Streams(3, () => {
    looks++
    return 'now'
  })
  const responses = [1, 2, 3].map(() => new EventEmitter() as unknown as ServerResponse)
  const [socket, old, good] = responses.map((response, at) => streams.open(response, [undefined, 'before', 'now'][at]))
  await until(() => looks >= 3, 'it has looked')
  t.same([socket?.aborted, old?.aborted, good?.aborted], [false, true, false])
  for (const response of responses) response.emit('close')
  t.equal(streams.size, 0)
})
