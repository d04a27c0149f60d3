/** Requests sent ahead on one connection: each has its turn, and what a connection that goes has asked for is let go. */
import { readdirSync, readlinkSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { Idle } from '../../src/sockets/idle.js'
import { until } from '../helpers/home.js'
import { newServer, newSession, send } from '../server/helpers.js'

const ask = (path: string, head = 'GET') => `${head} ${path} HTTP/1.1\r\nhost: localhost\r\n`
const get = (path: string) => `${ask(path)}\r\n`
const post = (path: string, body: string) =>
  `${ask(path, 'POST')}content-type: text/plain\r\ncontent-length: ${body.length}\r\n\r\n${body}`

function open(path: string): { socket: Socket; got: () => string } {
  let got = ''
  const socket = connect(path).on('error', () => undefined)
  socket.setEncoding('latin1').on('data', (text: string) => {
    got += text
  })
  return { socket, got: () => got }
}

/** Files below a directory that this process has open. */
const opened = (directory: string) =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(directory)
    } catch {
      return false
    }
  })

t.test('answers come in order, and each sees what was asked before it', async (t) => {
  const { socketPath } = await newServer(t)
  await send(socketPath, '/v1/stream/a', '', { 'content-type': 'text/plain' }, 'PUT')
  const { socket, got } = open(socketPath)
  const stream = '/v1/stream/a'
  socket.write(post(stream, 'one') + post(stream, 'two') + get(stream) + post(stream, 'three') + get(stream))
  const bodies = () => [...got().matchAll(/\r\n\r\n([a-z]+)/g)].map(([, body]) => body)
  await until(() => bodies().length === 2, 'both are read')
  t.same(bodies(), ['onetwo', 'onetwothree'])
  socket.destroy()
})

t.test(
  'followers that were asked for ahead hold nothing when their connection goes',
  { skip: process.platform !== 'linux' && 'needs /proc' },
  async (t) => {
    let isIdle = false
    const idle = new Idle(300, () => {
      isIdle = true
    })
    const server = await newServer(t, { idle })
    const { socketPath, streams, home } = server
    const { sessionId } = await newSession(home)
    await send(socketPath, '/v1/stream/a', '[1]', { 'content-type': 'application/json' }, 'PUT')
    const paths = ['/v1/stream/a?offset=now&live=sse', `/v1/sessions/${sessionId}/events`, '/v1/events']
    for (const path of [...paths, `/v1/stream/sessions/${sessionId}?offset=now&live=sse`]) {
      const { socket, got } = open(socketPath)
      socket.write(get(path).repeat(20))
      await until(() => got().includes('HTTP/1.1 200'), 'the first is answered')
      t.ok(streams.size <= 1, `${streams.size} of 20 have begun`)
      t.notOk(isIdle)
      socket.destroy()
      await until(() => streams.size === 0, `nobody follows ${path}`)
      await until(() => opened(home.sessions).length === 0, 'and no file is held for it')
    }
    await until(() => isIdle, 'the server has nothing to do')
    await server.close()
  },
)

t.test('a server ends although a connection holds requests that were never in turn', async (t) => {
  const server = await newServer(t)
  const { socket, got } = open(server.socketPath)
  socket.write(get('/v1/events').repeat(20))
  await until(() => got().includes('HTTP/1.1 200'), 'the first is answered')
  await server.close()
  t.equal(server.streams.size, 0)
})
