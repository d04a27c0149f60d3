/** The server of the soak, and clients of it that live with its death: a request is made again until it is answered. */
import { type ChildProcess, spawn } from 'node:child_process'
import { type IncomingMessage, request } from 'node:http'
import { serverSocket } from '../../../src/base/paths.js'
import type { Agentz } from '../../helpers/agentz.js'
import { cliPath } from '../../helpers/agentz.js'
import type { Shown } from './history.js'

export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown> & { error?: { code: string; message: string } }
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export class Server {
  readonly #agentz: Agentz
  readonly #socket: string
  #child: ChildProcess | undefined
  #isEnding = false

  constructor(agentz: Agentz, socket = serverSocket(agentz.home)) {
    this.#agentz = agentz
    this.#socket = socket
    this.#start()
  }

  #start(): void {
    const child = spawn(process.execPath, [cliPath, 'serve', '--port', '0'], { env: this.#agentz.env, stdio: 'ignore' })
    this.#child = child
    child.once('exit', () => {
      if (!this.#isEnding) this.#start()
    })
  }

  /** Whether there was one to kill. */
  kill(): boolean {
    return this.#child?.kill('SIGKILL') ?? false
  }

  async end(): Promise<void> {
    this.#isEnding = true
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    await gone
  }

  /** One attempt. @throws if there is no answer */
  ask(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body)
      const headers =
        text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
      const asked = request({ socketPath: this.#socket, method, path, headers, timeout: 90_000 }, (response) => {
        let all = ''
        response.setEncoding('utf8')
        response.on('data', (data) => {
          all += data
        })
        response.on('error', reject)
        response.on('end', () => {
          if (response.complete) resolve({ status: response.statusCode ?? 0, body: JSON.parse(all || '{}') })
          else reject(new Error('the answer was cut off'))
        })
      })
      asked.on('timeout', () => asked.destroy(new Error('no answer in 90 s')))
      asked.on('error', reject)
      asked.end(text)
    })
  }

  /** Until it is answered by something else than a full disk or a lock. */
  async insist(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
    while (!this.#isEnding) {
      try {
        const answer = await this.ask(method, path, body)
        if (answer.status < 500) return answer
      } catch {
        // Killed before or while it answered: what became of the request is not known, and it is made again.
      }
      await pause(50)
    }
    throw new Error('the soak is over')
  }

  /** Follows a session's events as an EventSource does, over every death of the server, until `isOver` and all of `size()` is shown. */
  async follow(shown: Shown, until: () => number | undefined): Promise<void> {
    while (!this.#isEnding) {
      const last = shown.lines.at(-1)?.offset ?? 0
      const end = until()
      if (end !== undefined && last >= end) return
      try {
        await this.#stream(shown, last, until)
      } catch {
        // It is connected again with what it has seen.
      }
      await pause(20)
    }
  }

  #stream(shown: Shown, last: number, until: () => number | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const path = `/v1/sessions/${shown.sessionId}/events`
      const headers = last > 0 ? { 'last-event-id': String(last) } : {}
      const asked = request({ socketPath: this.#socket, path, headers }, (response) => {
        const look = setInterval(() => {
          const end = until()
          if (end !== undefined && (shown.lines.at(-1)?.offset ?? 0) >= end) asked.destroy()
        }, 50)
        readFrames(response, shown)
        response.on('close', () => {
          clearInterval(look)
          resolve()
        })
        response.on('error', reject)
      })
      asked.on('error', reject)
      asked.end()
    })
  }
}

function readFrames(response: IncomingMessage, shown: Shown): void {
  let rest = ''
  response.setEncoding('utf8')
  response.on('data', (text: string) => {
    const frames = `${rest}${text}`.split('\n\n')
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const fields = new Map(
        frame.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      )
      const data = fields.get('data')
      if (data === undefined) continue
      if (fields.get('event') === 'damaged') {
        const { at } = JSON.parse(data) as { at: number }
        if (!shown.damaged.includes(at)) shown.damaged.push(at)
      } else shown.lines.push({ offset: Number(fields.get('id')), line: data })
    }
  })
}
