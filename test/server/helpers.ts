import { mkdtempSync, rmSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import type { Test } from 'tap'
import { ensureHome, type Home, homePaths } from '../../src/base/paths.js'
import { Feeds } from '../../src/delivery/feed.js'
import { Streams } from '../../src/delivery/streams.js'
import { appendOnce } from '../../src/log/append.js'
import { buildApp } from '../../src/server/app.js'
import type { Guard } from '../../src/server/guard.js'
import { type Listening, type ListenOptions, listen } from '../../src/server/listen.js'
import type { Spec } from '../../src/session/spec.js'
import { createSession, specify } from '../../src/session/store.js'
import { type Sharing, unshared } from '../../src/streams/sharing.js'
import type { Supervisor, UnitState } from '../../src/supervisor/supervisor.js'

export const PORT = 4201
export const TOKEN = 'a'.repeat(43)
export const HOST = { host: `127.0.0.1:${PORT}` }
/** Under which a browser comes. */
export const PAGE = { host: `agentz-test.localhost:${PORT}` }
export const AUTH = { ...HOST, authorization: `Bearer ${TOKEN}` }
export const silent = pino({ level: 'silent' })

export function newHome(t: Test): Home {
  const root = mkdtempSync(join(tmpdir(), 'agentz-server-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  return ensureHome(homePaths(root))
}

/** Units as a table: whoever is started lives until it is taken out. */
export class FakeSupervisor implements Supervisor {
  readonly name = 'systemd'
  readonly promises = { restarts: true, limits: [], lastWord: true }
  readonly units = new Map<string, UnitState>()
  refuse: Error | undefined
  unitName = (id: string) => `agentz-session-${id}.service`
  prepare = async () => undefined
  start = async (spec: Spec) => {
    if (this.refuse) throw this.refuse
    this.units.set(spec.sessionId, { active: 'active', sub: 'running' })
  }
  freezer = async () => undefined
  stop = async (id: string) => void this.units.delete(id)
  list = async () => this.units
  show = async (id: string) => this.units.get(id)
  lastExit = async () => undefined
  howToStart = () => ''
  howToLook = () => ''
}

const TCP: Guard = { kind: 'tcp', token: () => TOKEN, port: () => PORT, page: () => 'agentz-test.localhost' }

export async function newApp(
  t: Test,
  options: {
    home?: Home
    supervisor?: Supervisor
    guard?: Guard
    most?: number
    logger?: typeof silent
    requestTimeout?: number
    sharing?: Sharing
  } = {},
): Promise<{ app: FastifyInstance; home: Home; supervisor: FakeSupervisor; streams: Streams; feeds: Feeds }> {
  const home = options.home ?? newHome(t)
  const supervisor = new FakeSupervisor()
  const [feeds, streams] = [new Feeds(), new Streams(options.most ?? 10, () => TOKEN)]
  const addresses = () => ({ url: `http://127.0.0.1:${PORT}`, page: `http://${PAGE.host}` })
  const sharing = options.sharing ?? unshared
  const context = { home, supervisor: options.supervisor ?? supervisor, feeds, streams, sharing, addresses }
  const { requestTimeout, logger = silent, guard = TCP } = options
  const app = await buildApp({ ...context, logger, guard, ...(requestTimeout && { requestTimeout }) })
  t.teardown(() => app.close())
  return { app, home, supervisor, streams, feeds }
}

export async function newServer(
  t: Test,
  options: Partial<ListenOptions> & { most?: number } = {},
): Promise<Listening & { home: Home; supervisor: FakeSupervisor }> {
  const home = options.home ?? newHome(t)
  const supervisor = new FakeSupervisor()
  const config = {
    agent: 'claude',
    agents: {},
    acp: {},
    environment: [],
    limits: {},
    fleet: {},
    server: { host: '127.0.0.1' as const, port: 0, maxStreams: options.most ?? 1000 },
  }
  const socket = join(home.root, 'run', 's')
  const server = await listen({ home, supervisor, config, logger: silent, port: 0, socket, ...options })
  t.teardown(() => server.close())
  return { ...server, home, supervisor }
}

/** A session on disk that nothing runs. */
export async function newSession(home: Home, more: Record<string, unknown> = {}): Promise<Spec> {
  const spec = specify({ agentType: 'command', command: ['true'], workingDir: home.root, ...more })
  await createSession(home, spec, {})
  return spec
}

export const line = (n: number, text = '') =>
  JSON.stringify({ type: 'text', timestamp: '2026-01-01T00:00:00.000Z', by: 'agent', epoch: 1, content: text, n })

export const appendLine = (path: string, n: number, text = ''): number => appendOnce(path, line(n, text))

export interface SseEvent {
  id: string
  event: string
  data: string
}

/** The parser of the HTML standard, 9.2.6, so far as it matters here. */
export class SseClient {
  readonly events: SseEvent[] = []
  comments = 0
  lastId = ''
  retry = 0
  status = 0
  ended = false
  response: IncomingMessage | undefined
  readonly request: ClientRequest
  readonly opened: Promise<void>
  #text = ''
  #wake: () => void = () => undefined

  constructor(socketPath: string, path: string, headers: Record<string, string> = {}) {
    this.request = request({ socketPath, path, headers: { host: 'localhost', ...headers }, agent: false })
    this.request.on('error', () => this.#end())
    this.opened = new Promise((resolve) => {
      this.request.once('close', resolve)
      this.request.once('response', (response) => {
        this.response = response
        this.status = response.statusCode ?? 0
        response.setEncoding('utf8').on('data', (text: string) => this.#feed(text))
        response.on('error', () => this.#end()).on('close', () => this.#end())
        resolve()
      })
    })
    this.request.end()
  }

  close(): void {
    this.request.destroy()
  }

  /** Resolves when `condition` holds; throws after 20 s. */
  async until(condition: () => boolean, what = 'condition'): Promise<void> {
    const late = Date.now() + 20_000
    while (!condition()) {
      if (Date.now() > late) throw new Error(`timed out: ${what}, ${this.events.length} events`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  count(n: number): Promise<void> {
    return this.until(() => this.events.length >= n, `${n} events`)
  }

  #end(): void {
    this.ended = true
    this.#wake()
  }

  #feed(text: string): void {
    this.#text += text
    const blocks = this.#text.split('\n\n')
    this.#text = blocks.pop() ?? ''
    for (const block of blocks) this.#dispatch(block)
    this.#wake()
  }

  #dispatch(block: string): void {
    const data: string[] = []
    let event = 'message'
    for (const each of block.split(/\r\n|\n|\r/)) {
      const at = each.indexOf(':')
      const value = each.slice(at + 1).replace(/^ /, '')
      if (at === 0) this.comments++
      else if (each.startsWith('id:')) this.lastId = value
      else if (each.startsWith('event:')) event = value
      else if (each.startsWith('data:')) data.push(value)
      else if (each.startsWith('retry:')) this.retry = Number(value)
    }
    if (data.length > 0) this.events.push({ id: this.lastId, event, data: data.join('\n') })
  }
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
}

export const get = (socketPath: string, path: string, headers: Record<string, string> = {}): Promise<Answer> =>
  send(socketPath, path, undefined, headers, 'GET')

export function send(
  socketPath: string,
  path: string,
  body: string | undefined,
  headers: Record<string, string> = { 'content-type': 'application/json' },
  method = 'POST',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { socketPath, path, method, headers: { host: 'localhost', ...headers }, agent: false }
    const sent = request(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      )
      response.on('error', reject)
    })
    sent.on('error', reject).end(body)
  })
}

export const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** A port that nobody has at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
