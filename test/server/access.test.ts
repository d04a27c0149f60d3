/** The log of access: which lines there are, and what is never in them. */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { pino } from 'pino'
import t from 'tap'
import { issueCode } from '../../src/base/login.js'
import { until } from '../helpers/home.js'
import { AUTH, get, HOST, newApp, newServer, newSession, PAGE, TOKEN } from './helpers.js'

function newLog() {
  const lines: string[] = []
  const logger = pino({ level: 'info' }, { write: (text: string) => void lines.push(text) })
  const requests = () => lines.map((text) => JSON.parse(text)).filter(({ msg }) => msg === 'request')
  return { logger, requests, text: () => lines.join('') }
}

const json = { ...AUTH, 'content-type': 'application/json' }
const WARN = 40

t.test('one line a request, without secrets', async (t) => {
  const { logger, requests, text } = newLog()
  const { app, home } = await newApp(t, { logger })
  const { sessionId } = await newSession(home)
  const payload = { agentType: 'command', command: ['true'], prompt: 'canary-prompt', workingDir: home.root }
  await app.inject({ method: 'POST', url: '/v1/sessions', headers: json, payload })
  await app.inject({ url: '/v1/sessions?status=canary-query', headers: AUTH })
  await app.inject({ url: `/v1/sessions/${sessionId}`, headers: AUTH })
  await app.inject({ url: '/v1/sessions/canary-id', headers: AUTH })
  await app.inject({ url: `/canary-path/${TOKEN}`, headers: AUTH })
  await app.inject({ url: '/v1/sessions/%zz', headers: { ...AUTH, cookie: 'agentz=canary' } })
  const code = issueCode(home)
  const login = { ...PAGE, 'content-type': 'application/json', origin: `http://${PAGE.host}` }
  const { headers } = await app.inject({ method: 'POST', url: '/v1/login', headers: login, payload: { code } })
  const cookie = String(headers['set-cookie']).split(';', 1)[0] ?? ''
  await app.inject({ url: '/v1/sessions', headers: { ...PAGE, cookie } })
  t.same(
    requests().map(({ method, route, status, session, by, door }) => [method, route, status, session, by, door]),
    [
      ['POST', '/v1/sessions', 201, undefined, 'token', 'tcp'],
      ['GET', '/v1/sessions', 400, undefined, 'token', 'tcp'],
      ['GET', '/v1/sessions/:id', 200, sessionId, 'token', 'tcp'],
      ['GET', '/v1/sessions/:id', 400, undefined, 'token', 'tcp'],
      ['GET', null, 404, undefined, 'token', 'tcp'],
      ['GET', null, 400, undefined, undefined, 'tcp'],
      ['POST', '/v1/login', 200, undefined, 'open', 'tcp'],
      ['GET', '/v1/sessions', 200, undefined, 'cookie', 'tcp'],
    ],
  )
  t.ok(requests().every(({ ms }) => Number.isInteger(ms)))
  for (const secret of [/canary/, TOKEN, code, cookie.split('=')[1] ?? '?']) t.notMatch(text(), secret)
})

t.test('every refusal leaves one line that says why, and of whom', async (t) => {
  const { logger, requests } = newLog()
  const { app } = await newApp(t, { logger })
  const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
  const rows: [object, Record<string, string>][] = [
    [{ refused: 'UNAUTHORIZED', status: 401, host: HOST.host }, HOST],
    [
      { refused: 'UNAUTHORIZED', status: 401 },
      { ...HOST, authorization: 'Bearer canary' },
    ],
    [
      { refused: 'WRONG_HOST', status: 421, host: 'evil.example' },
      { ...AUTH, host: 'evil.example' },
    ],
    [
      { refused: 'FORBIDDEN_ORIGIN', status: 403, origin: evil.origin, site: 'cross-site' },
      { ...AUTH, ...evil },
    ],
    [
      { refused: 'FORBIDDEN_ORIGIN', origin: 'http://?31m?' },
      { ...AUTH, origin: 'http://\x9b31m\xff' },
    ],
    [
      { refused: 'FORBIDDEN_ORIGIN', origin: 'x'.repeat(100) },
      { ...AUTH, origin: 'x'.repeat(5000) },
    ],
  ]
  for (const [, headers] of rows) await app.inject({ url: '/v1/sessions', headers })
  t.match(
    requests(),
    rows.map(([line]) => ({ ...line, level: WARN, route: '/v1/sessions', door: 'tcp' })),
  )
  t.notMatch(JSON.stringify(requests()), /canary/)
  const preflight = { ...HOST, ...evil, 'access-control-request-method': 'POST' }
  await app.inject({ method: 'OPTIONS', url: '/v1/sessions', headers: preflight })
  t.match(requests().at(-1), { level: WARN, method: 'OPTIONS', status: 403, refused: 'FORBIDDEN_ORIGIN' })
  const text = { method: 'POST', url: '/v1/sessions', payload: '{}' } as const
  await app.inject({ ...text, headers: { ...AUTH, 'content-type': 'text/plain' } })
  t.match(requests().at(-1), { status: 415, refused: 'NOT_JSON', by: 'token' })
  t.equal(requests().length, rows.length + 2, 'one each')
})

t.test('both doors, also where it came to no request', async (t) => {
  const { logger, requests } = newLog()
  const server = await newServer(t, { logger })
  await get(server.socketPath, '/v1/sessions')
  t.match(requests(), [{ door: 'unix', by: 'socket', status: 200 }])
  const authorization = `Bearer ${readFileSync(server.home.token, 'utf8').trim()}`
  await fetch(`${server.url}/v1/sessions`, { headers: { authorization } })
  await until(() => requests().length === 2, 'there is a second line')
  t.match(requests()[1], { door: 'tcp', by: 'token', status: 200 })
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () =>
    socket.write('\x16\x03\x01 canary\r\n\r\n'),
  )
  socket.resume()
  await new Promise((resolve) => socket.once('close', resolve))
  t.match(requests()[2], { door: 'tcp', status: 400, refused: 'BAD_INPUT', route: null })
  t.notMatch(JSON.stringify(requests()), /canary/)
})
