/** What other users of the machine, foreign pages and slow senders get from the server: nothing, and a line in its log. */
import { spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { AUTH, get, HOST, newApp, newHome, newServer, newSession } from './helpers.js'

const able = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0

/** Says CONNECTED or the code of the error; run as another user. */
const knock = `require('node:net').connect(process.argv[1])
  .on('connect', function () { console.log('CONNECTED'); this.destroy() })
  .on('error', (error) => console.log(error.code))`

t.test('another local user', { skip: able ? false : 'needs root and setpriv' }, async (t) => {
  const server = await newServer(t)
  // The homes of tests are below a private directory: only that of the socket shall keep others out.
  chmodSync(server.home.root, 0o755)
  const as = (...user: string[]) => {
    // Its stderr may hold complaints of the test runner, whose files this user may not write.
    const options = { encoding: 'utf8' as const, env: { PATH: process.env.PATH } }
    const result = spawnSync('setpriv', [...user, process.execPath, '-e', knock, server.socketPath], options)
    return result.stdout.trim()
  }
  t.equal(as('--reuid=0'), 'CONNECTED', 'the probe itself works')
  t.equal(as('--reuid=65534', '--regid=65534', '--clear-groups'), 'EACCES')
  t.equal((await get(server.socketPath, '/healthz')).status, 200)
})

t.test('umask 000 opens nothing', async (t) => {
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  const home = newHome(t)
  rmSync(home.root, { recursive: true })
  const server = await newServer(t, { home })
  t.equal(lstatSync(server.socketPath).mode & 0o777, 0o600)
  t.equal(statSync(dirname(server.socketPath)).mode & 0o777, 0o700)
  t.equal(statSync(home.token).mode & 0o777, 0o600)
  t.equal(statSync(join(home.root)).mode & 0o077, 0)
})

t.test('no answer lets a foreign page read it', async (t) => {
  const { app } = await newApp(t)
  const preflight = { origin: 'http://evil.example', 'access-control-request-method': 'POST' }
  for (const method of ['GET', 'POST', 'OPTIONS'] as const) {
    for (const url of ['/healthz', '/v1/sessions', '/nothing']) {
      for (const headers of [AUTH, HOST, { ...AUTH, ...preflight }]) {
        const answer = await app.inject({ method, url, headers })
        const names = Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))
        t.same(names, [], `${method} ${url}`)
      }
    }
  }
})

t.test('slow senders are cut off within seconds', async (t) => {
  const { app } = await newApp(t)
  t.equal(app.server.requestTimeout, 10_000)
  t.equal(app.server.headersTimeout, 10_000)
})

t.test('a refusal leaves one line with door and origin', async (t) => {
  const lines: string[] = []
  const logger = pino({ level: 'info' }, { write: (text: string) => void lines.push(text) })
  const { app } = await newApp(t, { logger })
  const url = '/v1/sessions/000000000000?token=canary'
  await app.inject({ url, headers: { ...AUTH, origin: 'http://evil.example' } })
  await app.inject({ url, headers: HOST })
  await app.inject({ url, headers: { ...AUTH, host: 'evil.example' } })
  const found = lines.map((text) => JSON.parse(text)).filter(({ msg }) => msg === 'request')
  t.same(
    found.map(({ status, origin }) => [status, origin]),
    [
      [403, 'http://evil.example'],
      [401, undefined],
      [421, undefined],
    ],
  )
  t.ok(found.every(({ route, door }) => /^\/v1\/sessions\/:/.test(route) && door === 'tcp'))
  t.notMatch(lines.join(''), 'canary')
})

t.test('a GET changes nothing', async (t) => {
  const { app, home } = await newApp(t)
  const { sessionId } = await newSession(home)
  await app.inject({ url: '/v1/sessions', headers: AUTH })
  const files = () =>
    readdirSync(home.root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      // What is derived may be derived anew.
      .filter((path) => !path.startsWith(home.cache))
      .map((path) => [path, readFileSync(path, 'utf8')])
  const before = files()
  // Durable streams have tests of their own.
  const routes = app.declared.filter(({ method, url }) => method === 'GET' && !url.startsWith('/v1/stream/'))
  t.ok(routes.length > 10)
  for (const { url: route } of routes) {
    const url = `${route.replace(':id', sessionId).replace(':file', 'main.js')}${route.endsWith('events') ? '?follow=0' : ''}`
    t.equal((await app.inject({ url, headers: AUTH })).statusCode, 200, route)
  }
  t.same(files(), before)
})
