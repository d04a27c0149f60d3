/** The server as a process beside real sessions: killed, it is missed by nobody. */
import { spawn } from 'node:child_process'
import { request } from 'node:http'
import t from 'tap'
import { serverSocket } from '../../src/base/paths.js'
import { Agentz, cliPath, requireManager } from '../helpers/agentz.js'
import { tempDir, until } from '../helpers/home.js'

requireManager()

interface Frame {
  readonly id: number
  readonly data: string
}

t.test(
  'kill -9 of the server while three sessions run: none notices, a client misses and repeats nothing',
  async (t) => {
    // A runtime directory of its own would hide the user manager; the socket is what the server makes of the real one.
    const a = new Agentz(t)
    const sessions = await Promise.all([a.ticking(), a.ticking(), a.ticking()])
    const first = await a.serve(t)
    t.equal(first.socketPath, serverSocket(a.home))
    const clients = sessions.map(({ sessionId }) => new Client(first.socketPath, `/v1/sessions/${sessionId}/events`))
    for (const client of clients) client.connect()
    await until(() => clients.every(({ frames }) => frames.length > 5), 'every client hears its session')
    const pids = sessions.map(({ sessionId }) => a.show(sessionId).pid)
    first.child.kill('SIGKILL')
    await until(() => clients.every(({ connected }) => !connected), 'the clients lost it')
    const seen = sessions.map(({ sessionId }) => a.events(sessionId).length)
    await until(
      () => sessions.every(({ sessionId }, at) => a.events(sessionId).length > seen[at]! + 5),
      'the sessions go on',
    )
    t.strictSame(
      sessions.map(({ sessionId }) => a.show(sessionId).pid),
      pids,
      'the same daemons, with no server',
    )
    await a.serve(t)
    for (const client of clients) client.connect()
    for (const { sessionId } of sessions) a.do('cancel', sessionId)
    for (const [at, { sessionId }] of sessions.entries()) {
      await a.untilType(sessionId, 'daemon_exited')
      const client = clients[at]!
      await until(() => client.frames.at(-1)?.data.includes('daemon_exited') === true, 'the client has the end')
      t.strictSame(
        client.frames.map(({ data }) => JSON.parse(data)),
        a.events(sessionId),
        'each event exactly once, in order',
      )
    }
  },
)

t.test('the README words: curl for each step, by the socket and by loopback with the token', async (t) => {
  const a = new Agentz(t)
  const dir = tempDir(t)
  const child = spawn(process.execPath, [cliPath, 'serve', '--port', '0', '--json'], {
    env: a.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const out: Buffer[] = []
  child.stdout.on('data', (data) => out.push(data))
  await until(() => out.length > 0, 'the server listens')
  const { url } = JSON.parse(Buffer.concat(out).toString()) as { url: string }
  const token = a.do('token').stdout.trim()
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ agentType: 'command', command: ['sh', '-c', 'echo over http'], workingDir: dir })
  const made = await fetch(`${url}/v1/sessions`, { method: 'POST', headers, body })
  t.equal(made.status, 201)
  const { sessionId } = (await made.json()) as { sessionId: string }
  await a.untilType(sessionId, 'daemon_exited')
  const replay = await fetch(`${url}/v1/sessions/${sessionId}/events?follow=0`, { headers })
  t.match(await replay.text(), /over http/)
  t.equal((await fetch(`${url}/v1/sessions`)).status, 401)
  child.kill('SIGTERM')
  await new Promise((resolve) => child.once('exit', resolve))
  t.equal(child.exitCode, 0, 'it ends when it is told to')
})

/** A client of Server-Sent Events that comes back with its last id. */
class Client {
  readonly #socketPath: string
  readonly #path: string
  readonly frames: Frame[] = []
  connected = false

  constructor(socketPath: string, path: string) {
    this.#socketPath = socketPath
    this.#path = path
  }

  connect(): void {
    const last = this.frames.at(-1)?.id
    const headers = last === undefined ? {} : { 'last-event-id': String(last) }
    let text = ''
    const lost = () => {
      this.connected = false
    }
    request({ socketPath: this.#socketPath, path: this.#path, headers }, (response) => {
      this.connected = true
      response.setEncoding('utf8')
      response.on('error', lost).on('close', lost)
      response.on('data', (chunk: string) => {
        text += chunk
        const blocks = text.split('\n\n')
        text = blocks.pop() ?? ''
        for (const block of blocks) this.#take(block)
      })
    })
      .on('error', lost)
      .end()
  }

  #take(block: string): void {
    const id = /^id: (\d+)$/m.exec(block)?.[1]
    const data = /^data: (.*)$/m.exec(block)?.[1]
    if (id !== undefined && data !== undefined) this.frames.push({ id: Number(id), data })
  }
}
