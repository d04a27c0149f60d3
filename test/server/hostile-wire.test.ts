/** What only a program of its own sends, and no browser: requests that two readers could read in two ways, slow ones, and too many. */
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { until } from '../helpers/home.js'
import { get, newApp, newServer, newSession } from './helpers.js'

function newLog() {
  const lines: string[] = []
  const logger = pino({ level: 'info' }, { write: (text: string) => void lines.push(text) })
  return { logger, lines, requests: () => lines.map((text) => JSON.parse(text)).filter(({ msg }) => msg === 'request') }
}

const CRLF = '\r\n'
const message = (...lines: string[]) => `${lines.join(CRLF)}${CRLF}${CRLF}`

/** Sends bytes, and gives all that comes back until the other side hangs up. */
const send = (port: number, bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let got = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')))
    socket.setEncoding('latin1').on('data', (data: string) => {
      got += data
    })
    socket.on('error', reject).on('close', () => resolve(got))
  })
const statuses = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status))

t.test('what could be read in two ways is read in none', async (t) => {
  const { logger, requests } = newLog()
  const server = await newServer(t, { logger })
  const port = Number(new URL(server.url).port)
  const host = `Host: 127.0.0.1:${port}`
  const auth = `Authorization: Bearer ${readFileSync(server.home.token, 'utf8').trim()}`
  const { sessionId } = await newSession(server.home)
  const close = 'Connection: close'
  const list = (...more: string[]) => message('GET /v1/sessions HTTP/1.1', host, auth, close, ...more)
  const post = (body: string, ...more: string[]) =>
    message('POST /v1/sessions HTTP/1.1', host, auth, close, 'Content-Type: application/json', ...more) + body
  const path = (line: string) => message(`${line} HTTP/1.1`, host, close)
  const chunked = 'Transfer-Encoding: chunked'
  const inner = list()
  const rows: [string, string, number[]][] = [
    ['two lengths', post('{}x', 'Content-Length: 2', 'Content-Length: 3'), [400]],
    ['the same length twice', post('{}', 'Content-Length: 2', 'Content-Length: 2'), [400]],
    ['a signed length', post('{}', 'Content-Length: +2'), [400]],
    ['length and chunks', post(`0\r\n\r\n${inner}`, 'Content-Length: 5', chunked), [400]],
    ['unknown coding', post('2\r\n{}\r\n0\r\n\r\n', 'Transfer-Encoding: xchunked'), [400]],
    ['chunked, and more', post('2\r\n{}\r\n0\r\n\r\n', 'Transfer-Encoding: chunked, identity'), [400]],
    ['size of a chunk that is none', post('zz\r\n{}\r\n0\r\n\r\n', chunked), [400]],
    ['a chunk with a long tail', post(`2;${'x'.repeat(40_000)}\r\n{}\r\n0\r\n\r\n`, chunked), [400]],
    [
      'chunks, more than 1 MiB',
      post(`${'10000\r\n'.concat('x'.repeat(65536), '\r\n').repeat(17)}0\r\n\r\n`, chunked),
      [413],
    ],
    ['a folded header', list('X-A: b', ' c'), [400]],
    ['a space before the colon', list('Content-Length : 3'), [400]],
    ['bare LF', inner.replaceAll(CRLF, '\n'), [400]],
    ['bare CR', list('X-A: a\rHost: evil.example'), [400]],
    ['NUL', list('X-A: a\0b'), [400]],
    ['headers, more than 16 KiB', list(`X-A: ${'x'.repeat(20_000)}`), [400]],
    ['an address, more than 16 KiB', path(`GET /healthz?${'x'.repeat(20_000)}`), [400]],
    ['two origins', list(`Origin: http://127.0.0.1:${port}`, 'Origin: http://evil.example'), [403]],
    ['two sites', list('Sec-Fetch-Site: same-origin', 'Sec-Fetch-Site: cross-site'), [403]],
    ['two tokens', message('GET /v1/sessions HTTP/1.1', host, 'Authorization: Bearer x', auth, close), [401]],
    ['user before the host', list().replace('Host: ', 'Host: x@'), [421]],
    ['a dot after the host', list().replace('127.0.0.1:', 'localhost.:'), [421]],
    ['a list of hosts', list().replace(host, `${host},evil.example`), [421]],
    ['forwarded', list(`X-Forwarded-Host: 127.0.0.1:${port}`).replace(host, 'Host: evil.example'), [421]],
    ['Expect', list('Expect: a-bribe'), [200]],
    ['CONNECT', message('CONNECT 127.0.0.1:80 HTTP/1.1', host, auth), [400]],
    ['HTTP/2', message('PRI * HTTP/2.0', '', 'SM'), [400]],
    ['no such method', list().replace('GET', 'get'), [400]],
    ['TRACE', list().replace('GET', 'TRACE'), [404]],
    [
      'another method by a header',
      path(`POST /v1/sessions/${sessionId}/x`).replace(
        close,
        `X-HTTP-Method-Override: GET${CRLF}${auth}${CRLF}${close}`,
      ),
      [404],
    ],
    ['HTTP/1.0', message('GET /v1/sessions HTTP/1.0', host, auth), [200]],
    ['HTTP/1.0 without a token', message('GET /v1/sessions HTTP/1.0', host), [401]],
    ['up from what is open', path('GET /healthz/../v1/sessions'), [401]],
    ['up, encoded', path('GET /healthz/%2e%2e/v1/sessions'), [401]],
    ['parameters of a segment', path('GET /healthz;/v1/sessions'), [401]],
    ['a backslash', path('GET /\\healthz'), [401]],
    ['bytes that are no ASCII', path('GET /v1/\x9b31m'), [400]],
    ['encoded twice', list().replace('sessions', 'sessions/%252e%252e%252ftoken'), [400]],
    ['UTF-8 that is too long', list().replace('sessions', 'sessions/%c0%ae%c0%ae'), [400]],
    [
      'one after the other',
      message('GET /v1/sessions HTTP/1.1', host) + list().replace(close, 'A: b') + path('GET /x'),
      [401, 200, 401],
    ],
    [
      'a request in a body',
      message('POST /v1/login HTTP/1.1', host, 'Content-Type: application/json', `Content-Length: ${inner.length}`) +
        inner,
      [400],
    ],
    [
      'a type within a type',
      post('{}', 'Content-Length: 2').replace('application/json', 'text/plain; application/json'),
      [415],
    ],
    [
      'two types',
      post('{}', 'Content-Length: 2', 'Content-Type: text/plain').replace('application/json', 'text/plain'),
      [415],
    ],
    [
      'a type that begins like ours',
      post('{}', 'Content-Length: 2').replace('application/json', 'application/jsonx'),
      [415],
    ],
  ]
  for (const [name, bytes, expected] of rows) {
    const from = requests().length
    t.same(statuses(await send(port, bytes)), expected, name)
    await until(() => requests().length >= from + expected.length, `${name} leaves its lines`)
    if (expected.some((status) => status >= 400))
      t.ok(
        requests()
          .slice(from)
          .some(({ refused }) => refused),
        name,
      )
  }
  t.match(await send(port, message('GET /v1/events HTTP/1.1', host, close, 'Upgrade: websocket')), /^HTTP\/1.1 401/)
})

t.test('whoever sends slowly is cut off, and holds up nobody', async (t) => {
  const { logger, requests } = newLog()
  const { app } = await newApp(t, { logger, requestTimeout: 500 })
  const url = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
  const begins = [
    'GET /v1/sessions HTTP/1.1\r\nHost: ',
    'POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{',
    'POST /v1/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n',
    '',
  ]
  const sockets: Socket[] = []
  for (let n = 0; n < 40; n++) sockets.push(open(t, Number(url.port), begins[n % begins.length] ?? ''))
  // One byte now and then does not help.
  const drip = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('x')
  }, 100)
  t.teardown(() => clearInterval(drip))
  t.equal((await fetch(`${url}healthz`, { headers: { host: '127.0.0.1:4201' } })).status, 421, 'others are answered')
  await until(() => sockets.every(({ destroyed }) => destroyed), 'all of them are cut off')
  await until(() => requests().length > 30, 'with a line each')
})

t.test('one connection too many: the socket still answers', async (t) => {
  const { logger, requests } = newLog()
  const server = await newServer(t, { logger, most: 4 })
  const port = Number(new URL(server.url).port)
  const sockets = Array.from({ length: 300 }, () => open(t, port, ''))
  await until(
    () => sockets.filter(({ destroyed }) => destroyed).length >= 40,
    'those beyond 4 streams and 256 are let go',
  )
  t.ok(sockets.filter(({ destroyed }) => !destroyed).length >= 250)
  t.equal((await get(server.socketPath, '/v1/sessions')).status, 200)
  t.match(requests()[0], { refused: 'TOO_MANY_STREAMS', door: 'tcp', status: null })
  for (const socket of sockets) socket.destroy()
  await until(
    async () => (await fetch(`${server.url}/healthz`).catch(() => undefined))?.status === 200,
    'and it recovers',
  )
})

function open(t: Test, port: number, begin: string): Socket {
  const socket = connect(port, '127.0.0.1', () => void (begin !== '' && socket.write(begin)))
  socket.on('error', () => undefined).resume()
  t.teardown(() => socket.destroy())
  return socket
}
