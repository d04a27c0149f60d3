/** Both loopback addresses are the server's, or none: who has the other one is asked first by browsers, and by curl. */
import { EventEmitter } from 'node:events'
import { createServer, type Server } from 'node:net'
import t from 'tap'
import { listenLoopback } from '../../src/sockets/loopback.js'
import { newHome, newServer } from '../server/helpers.js'

const hear = (host: string, port = 0): Promise<Server | undefined> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined)).listen(port, host, () => resolve(server))
  })
const portAt = (server: Server | undefined) => {
  const address = server?.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

t.test('with IPv6', async (t) => {
  const probe = await hear('::1')
  if (probe === undefined) return t.pass('this machine has no ::1: nobody else has it either')
  probe.close()

  for (const host of ['127.0.0.1', '::1', 'localhost']) {
    const server = await newServer(t, { host })
    const port = Number(new URL(server.url).port)
    for (const address of ['127.0.0.1', '::1', '0.0.0.0', '::']) {
      t.equal(await hear(address, port), undefined, `${host}: nobody else gets ${address}`)
    }
    for (const name of ['127.0.0.1', '[::1]']) {
      t.equal((await fetch(`http://${name}:${port}/healthz`)).status, 200, `${host}: it answers at ${name}`)
      t.equal((await fetch(`http://${name}:${port}/v1/sessions`)).status, 401)
    }
    await server.close()
    const after = await hear('::1', port)
    t.ok(after, 'both are free again')
    after?.close()
  }

  for (const [host, other] of [
    ['127.0.0.1', '::1'],
    ['::1', '127.0.0.1'],
  ] as const) {
    const impostor = await hear(other)
    t.teardown(() => impostor?.close())
    const home = newHome(t)
    const start = newServer(t, { home, host, port: portAt(impostor) })
    await t.rejects(start, { code: 'SERVER_LISTEN', message: new RegExp(`EADDRINUSE.*${other}`) }, other)
    t.ok(await newServer(t, { home, host }), 'a start that was refused leaves nothing in the way of the next')
  }
})

t.test('where any port does, one is taken that is free at both', async (t) => {
  // Servers that have no socket: what counts is which ports they are asked to take.
  const asked: [string, number][] = []
  const two = (fail: (host: string) => string | undefined) => {
    const fake = () => {
      const server = Object.assign(new EventEmitter(), {
        port: 0,
        address: () => ({ port: server.port }),
        close: (done: () => void) => done(),
        listen: (at: { host: string; port: number }) => {
          asked.push([at.host, at.port])
          const code = fail(at.host)
          server.port = at.port || 4000 + asked.length
          process.nextTick(() => {
            if (code) server.emit('error', Object.assign(new Error(code), { code }))
            else server.emit('listening')
          })
        },
      })
      return server as unknown as Server
    }
    return [fake(), fake()] as const
  }
  let taken = 2
  const twice = two((host) => (host === '::1' && taken-- > 0 ? 'EADDRINUSE' : undefined))
  await listenLoopback(twice, '127.0.0.1', 0)
  const rounds = [4001, 4003, 4005].flatMap((port) => [
    ['127.0.0.1', 0],
    ['::1', port],
  ])
  t.same(asked.splice(0), rounds)
  const always = two((host) => (host === '::1' ? 'EADDRINUSE' : undefined))
  await t.rejects(listenLoopback(always, '127.0.0.1', 0), { code: 'EADDRINUSE' }, 'but not for ever')
  asked.splice(0)
  await t.rejects(listenLoopback(always, '127.0.0.1', 4201), { code: 'EADDRINUSE' })
  t.equal(asked.splice(0).length, 2, 'a port that was asked for is that one, or none')
  const without = two((host) => (host === '::1' ? 'EADDRNOTAVAIL' : undefined))
  await listenLoopback(without, '127.0.0.1', 0)
  t.same(
    asked.splice(0),
    [
      ['127.0.0.1', 0],
      ['::1', 4001],
    ],
    'a machine without IPv6',
  )
  await t.rejects(listenLoopback(without, '::1', 0), { code: 'EADDRNOTAVAIL' }, 'unless it was asked for')
})
