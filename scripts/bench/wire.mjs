// What the benchmark of streams says to a server, by bare node:http so that the client is a small part of what is measured.
import http from 'node:http'

/** A client with connections of its own. */
export class Wire {
  constructor(server, connections = 1) {
    this.server = server
    this.agent = new http.Agent({ keepAlive: true, maxSockets: connections })
  }

  close() {
    this.agent.destroy()
  }

  /** Resolves to status, headers, and the body as `read` makes it of the response. */
  async send(method, name, { body, headers, query = '', read = whole } = {}) {
    const response = await this.open(method, name, { body, headers, query })
    const result = await read(response)
    if (response.statusCode >= 400)
      throw new Error(`${this.server.label}: ${method} ${name}${query}: ${response.statusCode} ${result}`)
    return { status: response.statusCode, headers: response.headers, body: result }
  }

  open(method, name, { body, headers, query = '' } = {}) {
    return new Promise((resolve, reject) => {
      const url = `${this.server.url}${this.server.path(name)}${query}`
      const type =
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const request = http.request(
        url,
        { method, agent: this.agent, headers: { ...type, ...this.server.headers, ...headers } },
        resolve,
      )
      request.once('error', reject).end(body)
    })
  }

  create = (name) => this.send('PUT', name, { headers: { 'content-type': 'application/json' } })
  append = (name, body) => this.send('POST', name, { body })
  drop = (name) => this.send('DELETE', name).catch(() => undefined)
}

function whole(response) {
  return new Promise((resolve, reject) => {
    let length = 0
    response.on('data', (chunk) => {
      length += chunk.length
    })
    response.once('end', () => resolve(length)).once('error', reject)
  })
}

/** Events of a stream as they come, on a connection of their own. Numbers them by the field `n` of what was sent. */
export class Events {
  seen = 0
  #carry = ''

  constructor(server, name, query, onNumber) {
    this.wire = new Wire(server)
    this.name = name
    this.query = query
    this.onNumber = onNumber
  }

  /** Resolves when the server has answered. */
  async open() {
    this.response = await this.wire.open('GET', this.name, {
      query: this.query,
      headers: { accept: 'text/event-stream' },
    })
    if (this.response.statusCode !== 200)
      throw new Error(`${this.wire.server.label}: events of ${this.name}: ${this.response.statusCode}`)
    this.response.on('error', () => undefined)
    this.response.setEncoding('latin1').on('data', (text) => this.#take(text))
    return this
  }

  close() {
    this.response?.destroy()
    this.wire.close()
  }

  #take(text) {
    const now = performance.now()
    const lines = (this.#carry + text).split('\n')
    this.#carry = lines.pop()
    for (const line of lines) {
      if (!line.startsWith('data:')) continue
      for (const [, n] of line.matchAll(/"n":(\d+)/g)) {
        this.seen++
        this.onNumber?.(Number(n), now)
      }
    }
  }
}
