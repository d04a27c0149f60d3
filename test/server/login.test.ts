import { readFileSync } from 'node:fs'
import { pino } from 'pino'
import t from 'tap'
import { ownName } from '../../src/base/cookie.js'
import { issueCode } from '../../src/base/login.js'
import { ensureToken, rotateToken } from '../../src/base/token.js'
import { call, cookieOf, login } from '../helpers/call.js'
import { HOST, newApp, newServer, newSession, PAGE, PORT } from './helpers.js'

const origin = `http://${PAGE.host}`
const page = { ...PAGE, origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' }
const sent = { method: 'POST', url: '/v1/login', headers: page } as const

t.test('a code becomes a cookie, once', async (t) => {
  const { app, home } = await newApp(t)
  const code = issueCode(home)
  const answer = await app.inject({ ...sent, payload: { code } })
  t.equal(answer.statusCode, 200)
  t.notMatch(answer.body, /[\w-]{43}/, 'a script on the page learns nothing')
  const cookie = String(answer.headers['set-cookie']).split(';', 1)[0] ?? ''
  t.match(answer.headers['set-cookie'], /HttpOnly; SameSite=Strict/)
  const again = await app.inject({ ...sent, payload: { code } })
  t.match([again.statusCode, again.json().error], [401, { code: 'UNAUTHORIZED', hint: /agentz open/ }])
  t.notOk(again.headers['set-cookie'])
  t.equal((await app.inject({ url: '/v1/sessions', headers: { ...PAGE, cookie } })).statusCode, 200)
  for (const headers of [HOST, { host: `localhost:${PORT}` }, { host: `[::1]:${PORT}` }]) {
    const status = (await app.inject({ url: '/v1/sessions', headers: { ...headers, cookie } })).statusCode
    t.equal(status, 401, 'under a name that others have too it may be stolen')
    const payload = { code: issueCode(home) }
    const shared = { ...sent.headers, ...headers, origin: `http://${headers.host}` }
    const refused = await app.inject({ ...sent, headers: shared, payload })
    t.match([refused.statusCode, refused.headers['set-cookie']], [421, undefined], 'nor is one given there')
    t.equal((await app.inject({ ...sent, payload })).statusCode, 200, 'and the code is still good')
  }
  const { app: second } = await newApp(t, { home })
  t.equal(
    (await second.inject({ url: '/v1/sessions', headers: { ...PAGE, cookie } })).statusCode,
    200,
    'another server',
  )
})

t.test('what is no code', async (t) => {
  const { app } = await newApp(t)
  const good = 'a'.repeat(43)
  const bodies = [
    {},
    { code: '' },
    { code: 1 },
    { code: '../../token' },
    { code: [good] },
    { code: good, x: 1 },
    [],
    'x',
    null,
  ]
  for (const payload of bodies) {
    const answer = await app.inject({ ...sent, payload: JSON.stringify(payload) })
    t.match([answer.statusCode, answer.json().error.code], [400, 'BAD_INPUT'], JSON.stringify(payload))
  }
  t.equal((await app.inject({ ...sent, payload: { code: good } })).statusCode, 401)
  const elsewhere = { ...page, origin: 'http://127.0.0.1:9', 'sec-fetch-site': 'same-site' }
  t.equal(
    (await app.inject({ ...sent, headers: elsewhere, payload: { code: good } })).statusCode,
    403,
    'by a foreign page',
  )
  const form = { ...page, 'content-type': 'application/x-www-form-urlencoded' }
  t.equal((await app.inject({ ...sent, headers: form, payload: `code=${good}` })).statusCode, 415, 'by a form')
  t.equal((await app.inject({ url: `/v1/login?code=${good}`, headers: HOST })).statusCode, 401, 'by an address')
})

t.test('with a cookie, a change must come from our own page', async (t) => {
  const { app, home } = await newApp(t)
  const { sessionId } = await newSession(home)
  const login = await app.inject({ ...sent, payload: { code: issueCode(home) } })
  const cookie = String(login.headers['set-cookie']).split(';', 1)[0] ?? ''
  const cancel = async (headers: Record<string, string>) =>
    (
      await app.inject({
        method: 'POST',
        url: `/v1/sessions/${sessionId}/cancel`,
        headers: { ...PAGE, cookie, ...headers },
      })
    ).statusCode
  t.equal(await cancel({}), 403, 'a browser would say where it comes from')
  t.equal(await cancel({ 'sec-fetch-site': 'none' }), 403, 'nobody types a POST')
  t.equal(await cancel({ origin: `http://localhost:${PORT}` }), 403, 'a name of ours, but not this one')
  t.equal(await cancel({ origin: 'null' }), 403)
  t.equal(await cancel({ origin: 'http://127.0.0.1:9', 'sec-fetch-site': 'same-site' }), 403, 'another port')
  t.equal(await cancel({ origin }), 200, 'a browser without Sec-Fetch-Site')
  t.equal(await cancel({ 'sec-fetch-site': 'same-origin' }), 200)
  const { app: unix } = await newApp(t, { home, guard: { kind: 'unix' } })
  t.equal(
    (await unix.inject({ ...sent, payload: { code: 'a'.repeat(43) } })).statusCode,
    404,
    'the socket needs no login',
  )
})

t.test('the page itself: to be had by everybody, and nothing in it', async (t) => {
  const { app } = await newApp(t)
  const navigation = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
  const answer = await app.inject({ url: '/login', headers: { ...HOST, ...navigation } })
  t.equal(answer.statusCode, 200, 'a file that leads here is another site')
  t.match(answer.headers, {
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'content-security-policy':
      /^default-src 'none'; script-src 'self'; .*base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'$/,
  })
  t.notMatch(
    answer.body,
    /<script(?! type="module" src="\/viewer\/login.js"><\/script>)|style=| on\w+=/,
    'nothing inline',
  )
  const status = async (url: string, headers: Record<string, string>) =>
    (await app.inject({ url, headers: { ...HOST, ...headers } })).statusCode
  t.equal(await status('/login', { ...navigation, 'sec-fetch-dest': 'iframe' }), 403, 'in a frame')
  t.equal(await status('/login', { ...navigation, 'sec-fetch-mode': 'no-cors' }), 403, 'as a picture')
  t.equal(await status('/viewer/login.js', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }), 403)
  t.equal(await status('/v1/sessions', navigation), 403, 'a link to anything else')
  t.equal(await status('/login', { host: `evil.example:${PORT}` }), 421)
  for (const url of ['/viewer/login.js', '/viewer/login.css', '/viewer/icon.svg'])
    t.equal(await status(url, {}), 200, url)
})

t.test('another token ends what was made from the one before, at once', async (t) => {
  const lines: string[] = []
  const logger = pino({ level: 'info' }, { write: (text: string) => void lines.push(text) })
  const server = await newServer(t, { logger })
  const { url, home } = server
  const before = ensureToken(home)
  const site = `http://${ownName(before)}:${new URL(url).port}`
  const code = issueCode(home)
  const cookie = cookieOf(await login(site, code))
  const status = async (headers: Record<string, string>) => (await call(`${site}/v1/sessions`, { headers })).status
  t.same([await status({ cookie }), await status({ authorization: `Bearer ${before}` })], [200, 200])
  const after = rotateToken(home)
  t.not(after, before)
  t.equal(await status({ cookie }), 421, 'the name is gone with it')
  for (const headers of [{ authorization: `Bearer ${before}` }, { cookie }] as Record<string, string>[]) {
    t.equal((await call(`${url}/v1/sessions`, { headers })).status, 401)
  }
  t.equal((await call(`${url}/v1/sessions`, { headers: { authorization: `Bearer ${after}` } })).status, 200)
  t.equal(readFileSync(home.token, 'utf8').trim(), after)
  for (const secret of [code, before, after, cookie.split('=')[1] ?? '?']) t.notMatch(lines.join(''), secret)
})
