import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { Idle } from '../../src/sockets/idle.js'

t.test('idle: no request is open on any server, and none has come for so long', async (t) => {
  let done = 0
  const idle = new Idle(150, () => done++)
  const begin = Date.now()
  const servers = await Promise.all([false, true].map((waits) => start(t, idle, waits)))
  const answers = await Promise.all(servers.map((server) => fetch(`http://127.0.0.1:${portOf(server)}/`)))
  await new Promise((resolve) => setTimeout(resolve, 300))
  t.equal(done, 0, 'both answers are on their way')
  await answers[0]?.text()
  await new Promise((resolve) => setTimeout(resolve, 300))
  // The answer that goes on is let go by the one that gives it.
  t.equal(done, 0, 'one still is')
  for (const server of servers) server.emit('finish it')
  while (done === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  t.ok(Date.now() - begin >= 750)
})

const portOf = (server: Server) => (server.address() as AddressInfo).port

/** The one answers after a while, the other when it is told. */
async function start(t: { teardown(work: () => void): void }, idle: Idle, waits: boolean): Promise<Server> {
  const server = createServer((_, response) => {
    response.write('begin')
    if (waits) server.once('finish it', () => response.end())
    else setTimeout(() => response.end(), 400)
  })
  idle.watch(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close().closeAllConnections())
  return server
}
