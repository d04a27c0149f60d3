/**
 * A model on loopback whose answers stand in the prompt (script.mjs). Each wire format is a file with the same exports.
 *
 *   node test/mock-model/server.mjs     prints {"url": "..."} and serves until it is ended
 *   GET /requests                       the requests so far: method, path, model, the tools on offer, the scripts of
 *                                       the conversation, what the last tool said, whether the client hung up
 */
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import * as anthropic from './anthropic.mjs'
import * as chat from './chat.mjs'
import * as gemini from './gemini.mjs'
import * as responses from './responses.mjs'
import { lastResult, replyTo, scripts } from './script.mjs'

const formats = [anthropic, responses, chat, gemini]
/** How long a client has to read what came before a break. */
const UNREAD_MS = 200
const models = { object: 'list', data: [{ id: 'mock-model', object: 'model', created: 1, owned_by: 'mock' }] }

/**
 * @param {number} [port] 0 takes a free one
 * @returns {Promise<{ url: string, close(): Promise<void> }>}
 */
export function startServer(port = 0) {
  /** @type {object[]} */
  const requests = []
  const server = createServer((request, response) => {
    serve(request, response, requests).catch((error) => {
      console.error(error)
      response.destroy()
    })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const close = () =>
        new Promise((done) => {
          server.close(() => done(undefined))
          server.closeAllConnections()
        })
      resolve({ url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`, close })
    })
  })
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {object[]} requests
 */
async function serve(request, response, requests) {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const { pathname } = new URL(request.url ?? '/', 'http://mock')
  /** @param {number} status @param {unknown} body */
  const json = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(JSON.stringify(body))
  }
  if (pathname === '/requests') return json(200, requests)
  const body = chunks.length === 0 ? {} : JSON.parse(Buffer.concat(chunks).toString())
  if (pathname.endsWith('/models')) return json(200, models)
  const record = { method: request.method, path: pathname, model: body.model, hungUp: false }
  requests.push(record)
  if (pathname.endsWith('/count_tokens')) return json(200, { input_tokens: 100 })
  if (pathname.endsWith(':countTokens')) return json(200, { totalTokens: 100 })
  const format = formats.find(({ path }) => path.test(pathname))
  if (format === undefined)
    return json(request.method === 'HEAD' ? 200 : 404, { error: { message: `no ${pathname} here` } })

  const [turns, tools] = [format.turns(body), format.tools(body)]
  const reply = replyTo(turns, tools)
  Object.assign(record, {
    tools: tools.map(({ name }) => name),
    scripts: scripts(turns),
    lastResult: lastResult(turns),
    call: reply.call,
  })
  if (reply.kind === 'fail') return json(reply.status ?? 500, format.failure(reply.status ?? 500))
  if (!format.streams(body, pathname)) return json(200, format.whole(reply, body))
  response.on('close', () => {
    record.hungUp = !response.writableEnded
  })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const finished = await format.stream(reply, body, (text) => response.destroyed || response.write(text))
  if (finished) response.end()
  else if (reply.kind === 'cut') {
    // Clients forget what they have not read when the connection breaks.
    await delay(UNREAD_MS)
    request.socket.destroy()
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { url } = await startServer(Number(process.env.PORT ?? 0))
  console.log(JSON.stringify({ url }))
}
