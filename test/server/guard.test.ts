import { chmodSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import t from 'tap'
import { ensureToken } from '../../src/base/token.js'
import { AUTH, HOST, newApp, newHome, newServer, newSession, PORT, TOKEN } from './helpers.js'

const sent = { method: 'POST', url: '/v1/sessions' } as const
const json = { ...AUTH, 'content-type': 'application/json' }

t.test('who may call over TCP', async (t) => {
  const { app } = await newApp(t)
  const rows: [string, Record<string, string>, number, string?][] = [
    ['token', AUTH, 200],
    ['token, localhost', { ...AUTH, host: `localhost:${PORT}` }, 200],
    ['token, IPv6', { ...AUTH, host: `[::1]:${PORT}` }, 200],
    ['our page', { ...AUTH, origin: `http://127.0.0.1:${PORT}`, 'sec-fetch-site': 'same-origin' }, 200],
    ['typed into the browser', { ...AUTH, 'sec-fetch-site': 'none' }, 200],
    ['scheme in another case', { ...AUTH, authorization: `bearer ${TOKEN}` }, 200],
    ['no token', HOST, 401, 'UNAUTHORIZED'],
    ['wrong token', { ...AUTH, authorization: `Bearer ${'b'.repeat(43)}` }, 401, 'UNAUTHORIZED'],
    ['half a token', { ...AUTH, authorization: `Bearer ${TOKEN.slice(0, 20)}` }, 401, 'UNAUTHORIZED'],
    ['basic', { ...AUTH, authorization: `Basic ${TOKEN}` }, 401, 'UNAUTHORIZED'],
    ['more than a token', { ...AUTH, authorization: `Bearer ${TOKEN} x` }, 401, 'UNAUTHORIZED'],
    ['rebinding', { ...AUTH, host: 'evil.example' }, 421, 'WRONG_HOST'],
    ['rebinding, port', { ...AUTH, host: `evil.example:${PORT}` }, 421, 'WRONG_HOST'],
    ['no port', { ...AUTH, host: 'localhost' }, 421, 'WRONG_HOST'],
    ['other port', { ...AUTH, host: 'localhost:80' }, 421, 'WRONG_HOST'],
    ['longer name', { ...AUTH, host: `localhost.evil.com:${PORT}` }, 421, 'WRONG_HOST'],
    ['wildcard', { ...AUTH, host: `0.0.0.0:${PORT}` }, 421, 'WRONG_HOST'],
    ['null origin', { ...AUTH, origin: 'null' }, 403, 'FORBIDDEN_ORIGIN'],
    ['foreign origin', { ...AUTH, origin: 'https://evil.example' }, 403, 'FORBIDDEN_ORIGIN'],
    ['origin, other port', { ...AUTH, origin: 'http://127.0.0.1:80' }, 403, 'FORBIDDEN_ORIGIN'],
    ['https origin', { ...AUTH, origin: `https://127.0.0.1:${PORT}` }, 403, 'FORBIDDEN_ORIGIN'],
    ['cross-site', { ...AUTH, 'sec-fetch-site': 'cross-site' }, 403, 'FORBIDDEN_ORIGIN'],
    ['same-site', { ...AUTH, 'sec-fetch-site': 'same-site' }, 403, 'FORBIDDEN_ORIGIN'],
  ]
  for (const [name, headers, status, code] of rows) {
    const answer = await app.inject({ url: '/v1/sessions', headers })
    t.equal(answer.statusCode, status, name)
    t.equal(answer.json().error?.code, code, name)
    t.notOk(
      Object.keys(answer.headers).some((header) => header.startsWith('access-control')),
      name,
    )
  }
  const unknown = await app.inject({ url: '/v1/nothing', headers: HOST })
  t.equal(unknown.statusCode, 401, 'a stranger does not learn which routes there are')
  const preflight = await app.inject({
    method: 'OPTIONS',
    url: '/v1/sessions',
    headers: { ...HOST, origin: 'https://evil.example', 'access-control-request-method': 'POST' },
  })
  t.equal(preflight.statusCode, 403, 'preflight')
  const health = await app.inject({ url: '/healthz', headers: HOST })
  t.same(Object.keys(health.json()), ['status', 'version'], 'health needs no token, and tells nothing')
  t.equal((await app.inject({ url: '/healthz', headers: { host: 'evil.example' } })).statusCode, 421)
})

t.test('JSON only, and not too much of it', async (t) => {
  const { app } = await newApp(t)
  const rows: [string, { headers: Record<string, string>; payload?: string }, number, string][] = [
    ['text', { headers: { ...AUTH, 'content-type': 'text/plain' }, payload: '{}' }, 415, 'NOT_JSON'],
    [
      'form',
      { headers: { ...AUTH, 'content-type': 'application/x-www-form-urlencoded' }, payload: 'a=b' },
      415,
      'NOT_JSON',
    ],
    [
      'multipart',
      { headers: { ...AUTH, 'content-type': 'multipart/form-data; boundary=x' }, payload: '--x--' },
      415,
      'NOT_JSON',
    ],
    ['no type', { headers: AUTH, payload: '{}' }, 415, 'NOT_JSON'],
    ['odd type', { headers: { ...AUTH, 'content-type': ';;' }, payload: '{}' }, 415, 'NOT_JSON'],
    ['not JSON', { headers: json, payload: '{' }, 400, 'BAD_INPUT'],
    ['no body', { headers: json }, 400, 'BAD_INPUT'],
    ['no body, no type', { headers: AUTH }, 400, 'BAD_INPUT'],
    ['an array', { headers: json, payload: '[]' }, 400, 'BAD_INPUT'],
    ['prototype', { headers: json, payload: '{"__proto__":{"a":1}}' }, 400, 'BAD_INPUT'],
    ['constructor', { headers: json, payload: '{"constructor":{"prototype":{}}}' }, 400, 'BAD_INPUT'],
    ['too large', { headers: json, payload: `{"prompt":"${'x'.repeat(1024 * 1024)}"}` }, 413, 'BODY_TOO_LARGE'],
    ['a field too many', { headers: json, payload: '{"cmd":"id"}' }, 400, 'BAD_INPUT'],
  ]
  for (const [name, request, status, code] of rows) {
    const answer = await app.inject({ ...sent, ...request })
    t.equal(answer.statusCode, status, name)
    t.equal(answer.json().error.code, code, name)
    t.same(Object.keys(answer.json().error), ['code', 'message', 'hint'], name)
  }
  const { app: unix } = await newApp(t, { guard: { kind: 'unix' } })
  t.equal((await unix.inject({ url: '/v1/sessions' })).statusCode, 200, 'the socket asks for no token')
  const form = await unix.inject({ ...sent, headers: { 'content-type': 'text/plain' }, payload: '{}' })
  t.equal(form.statusCode, 415, 'but for JSON')
})

t.test('hostile ids and paths', async (t) => {
  const { app, home } = await newApp(t)
  const { sessionId } = await newSession(home)
  const bad = [
    ...[
      '..%2f..%2fetc%2fpasswd',
      '%00',
      `${sessionId}%00`,
      `${sessionId}%0a`,
      sessionId.toUpperCase().replace(/^./, 'A'),
    ],
    ...['..%5c..', 'x', '0123456789', '0123456789abc', '__proto__', 'constructor', '%F0%9F%98%80', 'a'.repeat(200)],
    ...['0123456789a.', '0123456789a%2f', '-', '*'],
  ]
  for (const id of bad) {
    for (const [method, rest] of [
      ['GET', ''],
      ['GET', '/events'],
      ['GET', '/page'],
      ['POST', '/cancel'],
    ] as const) {
      const answer = await app.inject({ method, url: `/v1/sessions/${id}${rest}`, headers: AUTH })
      t.equal(answer.statusCode, 400, `${method} ${id}${rest}`)
      t.equal(answer.json().error.code, 'BAD_ID', `${method} ${id}${rest}`)
    }
  }
  for (const url of [
    '/v1/sessions/%zz',
    '/v1/sessions/../../etc/passwd',
    '/v1/sessions/',
    '/v1//sessions',
    '/viewer/..%2fcli.cjs',
    '/etc/passwd',
  ]) {
    const answer = await app.inject({ url, headers: AUTH })
    t.ok([400, 404].includes(answer.statusCode), url)
    const foreign = await app.inject({ url, headers: { ...AUTH, host: 'evil.example' } })
    t.equal(foreign.statusCode, 421, `nobody else is told anything of ${url}`)
    t.equal(foreign.headers['cache-control'], 'no-store')
    t.type(answer.json().error.hint, 'string', url)
  }
  t.equal((await app.inject({ url: '/v1/sessions/000000000000', headers: AUTH })).statusCode, 404)
  t.equal((await app.inject({ url: '/v1/sessions/000000000000/events', headers: AUTH })).statusCode, 404)
  t.equal(
    (await app.inject({ method: 'POST', url: '/v1/sessions/000000000000/cancel', headers: AUTH })).statusCode,
    404,
  )
  for (const query of ['limit=0', 'limit=-1', 'limit=1e3', 'status=dead', 'x=1', 'limit=1&limit=2', 'token=x']) {
    const answer = await app.inject({ url: `/v1/sessions?${query}`, headers: AUTH })
    t.equal(answer.statusCode, 400, query)
    t.equal(answer.json().error.code, 'BAD_INPUT', query)
  }
})

t.test('what only a raw client sends', async (t) => {
  const server = await newServer(t)
  const port = Number(new URL(server.url).port)
  const token = readFileSync(server.home.token, 'utf8').trim()
  const raw = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let got = ''
      const socket = connect(port, '127.0.0.1', () => socket.write(text))
      socket.setEncoding('utf8').on('data', (data: string) => {
        got += data
        if (got.includes('\r\n\r\n')) socket.end()
      })
      socket.on('close', () => resolve(got)).on('error', reject)
    })
  const head = (line: string, ...more: string[]) =>
    raw(`${[line, ...more, `Authorization: Bearer ${token}`, 'Connection: close'].join('\r\n')}\r\n\r\n`)
  const host = `Host: 127.0.0.1:${port}`
  t.match(await head('GET /v1/sessions HTTP/1.1', host), /^HTTP\/1.1 200/, 'the plain case')
  t.match(await head('GET /v1/sessions HTTP/1.1', host, 'Host: evil.example'), /^HTTP\/1.1 421/, 'two hosts')
  t.match(await head('GET /v1/sessions HTTP/1.1', 'Host: evil.example', host), /^HTTP\/1.1 421/, 'two hosts, turned')
  t.match(await head(`GET http://127.0.0.1:${port}/v1/sessions HTTP/1.1`, host), /^HTTP\/1.1 421/, 'absolute form')
  t.match(await head('GET http://evil.example/v1/sessions HTTP/1.1', host), /^HTTP\/1.1 421/, 'foreign absolute form')
  t.match(await head('OPTIONS * HTTP/1.1', host), /^HTTP\/1.1 4/, 'asterisk form')
  t.match(await head('GET /v1/sessions HTTP/1.0'), /^HTTP\/1.1 4/, 'no host at all')
  const garbage = await raw('\x16\x03\x01 hello\r\n\r\n')
  t.match(garbage, /^HTTP\/1.1 400/, 'no HTTP')
  t.match(garbage, /"code":"BAD_INPUT"/)
})

t.test('the token file', async (t) => {
  const home = newHome(t)
  const token = ensureToken(home)
  t.match(token, /^[A-Za-z0-9_-]{43}$/)
  t.equal(statSync(home.token).mode & 0o777, 0o600)
  t.equal(ensureToken(home), token, 'made once')
  chmodSync(home.token, 0o644)
  t.throws(() => ensureToken(home), { code: 'HOME_UNUSABLE', message: /others may read/ })
  rmSync(home.token)
  writeFileSync(home.token, 'short', { mode: 0o600 })
  t.throws(() => ensureToken(home), { code: 'HOME_UNUSABLE', message: /holds no token/ })
  rmSync(home.token)
  writeFileSync(`${home.root}/elsewhere`, token, { mode: 0o600 })
  symlinkSync(`${home.root}/elsewhere`, home.token)
  t.throws(() => ensureToken(home), { code: 'HOME_UNUSABLE' }, 'a link is not followed')
})
