/** A client for the agent of our own, as a program sees it: lines of JSON to and from the bundled program. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { type Json, object, objects, string } from '../../../src/agents/json.js'
import { programs } from '../../../src/base/programs.js'
import { tempDir, until } from '../../helpers/home.js'

export interface Asked {
  readonly toolCallId: string
  readonly params: Json
  answer(optionId: string | undefined, reason?: string): void
}

/** Directories and environment that outlive a process of the agent. */
export class Chat {
  readonly cwd: string
  readonly history: string
  readonly #t: Test
  readonly #agent: string
  readonly #env: Record<string, string>

  constructor(t: Test, agent: 'cerebras' | 'demo', env: Record<string, string> = {}) {
    const root = tempDir(t)
    this.cwd = join(root, 'work')
    this.history = join(root, 'history')
    for (const name of ['work', 'home']) mkdirSync(join(root, name))
    this.#t = t
    this.#agent = agent
    const own = { PATH: process.env.PATH ?? '', HOME: join(root, 'home'), AGENTZ_HISTORY: this.history }
    this.#env = { ...own, CEREBRAS_MODEL: 'mock-model', ...env }
  }

  /** Starts a process, and a session unless one is to be gone on with. */
  async start(sessionId?: string, mode?: string): Promise<Driver> {
    const driver = this.spawn()
    await driver.call('initialize', { protocolVersion: 1, clientCapabilities: {} })
    const params = { cwd: this.cwd, mcpServers: [] }
    if (sessionId === undefined) driver.begun = await driver.call('session/new', params)
    else driver.begun = await driver.call('session/resume', { ...params, sessionId })
    driver.sessionId = sessionId ?? string(driver.begun.sessionId) ?? ''
    if (mode !== undefined) await driver.call('session/set_mode', { sessionId: driver.sessionId, modeId: mode })
    return driver
  }

  spawn(): Driver {
    const child = spawn(process.execPath, [programs.chat, this.#agent], { env: this.#env, stdio: 'pipe' })
    const driver = new Driver(child)
    this.#t.teardown(() => driver.kill())
    return driver
  }

  get records(): Json[] {
    const lines = readFileSync(this.history, 'utf8').split('\n')
    return lines.filter((line) => line.startsWith('{')).map((line) => object(JSON.parse(line)))
  }
}

export class Driver {
  sessionId = ''
  begun: Json = {}
  readonly pid: number
  readonly updates: Json[] = []
  readonly asked: Asked[] = []
  stderr = ''
  readonly exited: Promise<unknown[]>
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (message: Json) => void>()
  #last = 0

  constructor(child: ChildProcess) {
    this.#child = child
    this.pid = child.pid ?? 0
    this.exited = once(child, 'exit')
    child.stderr?.on('data', (data) => {
      this.stderr += String(data)
    })
    if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => this.#line(object(JSON.parse(line))))
  }

  /** @throws the error that it answers with */
  async call(method: string, params: object): Promise<Json> {
    const id = ++this.#last
    const message = await new Promise<Json>((resolve) => {
      this.#waiting.set(id, resolve)
      this.#write({ id, method, params })
    })
    if (message.error !== undefined) throw Object.assign(new Error(), message.error)
    return object(message.result)
  }

  prompt(text: string, meta: object = {}): Promise<Json> {
    const params = { sessionId: this.sessionId, prompt: [{ type: 'text', text }], _meta: meta }
    return this.call('session/prompt', params)
  }

  /** Waits for the `n`th question. */
  async question(n = 1): Promise<Asked> {
    await until(() => this.asked.length >= n, `question ${n} comes`)
    return this.asked[n - 1]!
  }

  cancel(): void {
    this.#write({ method: 'session/cancel', params: { sessionId: this.sessionId } })
  }

  end(): Promise<unknown[]> {
    this.#child.stdin?.end()
    return this.exited
  }

  kill(): Promise<unknown[]> {
    this.#child.kill('SIGKILL')
    return this.exited
  }

  terminate(): Promise<unknown[]> {
    this.#child.kill('SIGTERM')
    return this.exited
  }

  /** What it has said. */
  get said(): string {
    return this.#chunks('agent_message_chunk')
  }

  get thought(): string {
    return this.#chunks('agent_thought_chunk')
  }

  /** The updates about tools, in short. */
  get tools(): string[] {
    return this.updates.flatMap(({ sessionUpdate, title, status }) => {
      if (sessionUpdate === 'tool_call') return [`call ${title}`]
      return sessionUpdate === 'tool_call_update' ? [String(status)] : []
    })
  }

  /** The text of the last result. */
  get result(): string | undefined {
    const [block] = objects(this.updates.findLast(({ content }) => Array.isArray(content))?.content)
    return string(object(block?.content).text)
  }

  #chunks(kind: string): string {
    const chunks = this.updates.filter(({ sessionUpdate }) => sessionUpdate === kind)
    return chunks.map(({ content }) => string(object(content).text)).join('')
  }

  #line(message: Json): void {
    const params = object(message.params)
    if (message.method === 'session/update') this.updates.push(object(params.update))
    else if (message.method === 'session/request_permission') this.#question(message, params)
    else if (typeof message.id === 'number') this.#waiting.get(message.id)?.(message)
  }

  #question({ id }: Json, params: Json): void {
    const answer = (optionId: string | undefined, reason?: string) => {
      const outcome = optionId === undefined ? { outcome: 'cancelled' } : { outcome: 'selected', optionId }
      const meta = reason === undefined ? {} : { _meta: { 'agentz/reason': reason } }
      this.#write({ id, result: { outcome, ...meta } })
    }
    this.asked.push({ toolCallId: string(object(params.toolCall).toolCallId) ?? '', params, answer })
  }

  #write(message: object): void {
    this.#child.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }
}
