/** Durable streams over HTTP, where the official suite does not look: who may use them, sessions, bytes, bad input. */
import { appendFileSync, existsSync, readFileSync, statSync } from 'node:fs'
import t, { type Test } from 'tap'
import { sessionLog, streamsDirectory } from '../../../src/base/paths.js'
import type { Sharing } from '../../../src/streams/sharing.js'
import { until } from '../../helpers/home.js'
import { AUTH, HOST, newApp, newSession, PORT } from '../helpers.js'

const json = { 'content-type': 'application/json' }
type Method = 'GET' | 'HEAD' | 'PUT' | 'POST' | 'DELETE' | 'OPTIONS'

async function newStreams(t: Test, sharing?: Sharing) {
  const all = await newApp(t, sharing ? { sharing } : {})
  const ask = (method: Method, name: string, headers: Record<string, string> = {}, payload?: string) =>
    all.app.inject({
      method,
      url: `/v1/stream/${name}`,
      headers: { ...AUTH, ...headers },
      ...(payload !== undefined && { payload }),
    })
  return { ...all, ask }
}

t.test('bytes come back as they were sent', async (t) => {
  const { ask } = await newStreams(t)
  await ask('PUT', 'j', json)
  const one = '{"id":12345678901234567890,"f":1.0,"a":1,"a":2}'
  t.equal((await ask('POST', 'j', json, `[${one}, 1e2]`)).statusCode, 204)
  t.equal((await ask('GET', 'j')).body, `[${one},1e2]`)
})

t.test('a session and the registry are streams', async (t) => {
  const { ask, home } = await newStreams(t)
  const { sessionId } = await newSession(home)
  const path = sessionLog(home, sessionId)
  const lines = () =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  for (const [name, file] of [
    [`sessions/${sessionId}`, path],
    ['__registry__', home.registry],
  ] as const) {
    const answer = await ask('GET', name)
    t.equal(answer.body, `[${readFileSync(file, 'utf8').split('\n').filter(Boolean).join(',')}]`)
    t.equal(Number(answer.headers['stream-next-offset']), statSync(file).size)
    t.equal((await ask('HEAD', name)).headers['stream-next-offset'], answer.headers['stream-next-offset'])
    for (const method of ['PUT', 'POST', 'DELETE'] as const)
      t.equal((await ask(method, name, json, '{}')).statusCode, 405)
  }
  const { headers } = await ask('GET', `sessions/${sessionId}`)
  // Damaged and empty lines are no messages; what has no newline yet is none either.
  appendFileSync(path, '\nbroken\x18\n{"type":"text"}\n{"half')
  const next = await ask('GET', `sessions/${sessionId}?offset=${headers['stream-next-offset']}`)
  t.equal(next.body, '[{"type":"text"}]')
  t.equal(
    (await ask('GET', `sessions/${sessionId}?offset=${'5'.padStart(16, '0')}`)).statusCode,
    400,
    'no end of a line',
  )
  t.ok(lines().length > 2)
  // Whichever is first, the line or the request: it is behind the offset.
  const waiting = ask('GET', `sessions/${sessionId}?offset=${next.headers['stream-next-offset']}&live=long-poll`)
  appendFileSync(path, '"}\n{"type":"thinking"}\n')
  t.match((await waiting).body, /"type":"thinking"|half/, 'and can be waited for')
  for (const name of ['sessions/000000000000', 'sessions/x', 'sessions/../x', 'sessions/']) {
    t.match((await ask('GET', encodeURI(name))).statusCode, /400|404/, name)
  }
  t.equal((await ask('PUT', 'f', { 'stream-forked-from': `/v1/stream/sessions/${sessionId}` })).statusCode, 405)
})

t.test('nothing is made before somebody asks', async (t) => {
  const { app, home, ask } = await newStreams(t)
  await app.inject({ url: '/healthz', headers: HOST })
  t.notOk(existsSync(streamsDirectory(home)))
  t.equal((await ask('GET', 'x')).statusCode, 404)
  t.ok(existsSync(streamsDirectory(home)))
})

t.test('who may use them', async (t) => {
  const origin = 'https://example.org'
  const { app, ask } = await newStreams(t, { origins: [origin], public: false })
  const from = { origin, 'sec-fetch-site': 'cross-site' }
  await ask('PUT', 'x', { 'content-type': 'text/plain' }, 'text')
  const preflight = await app.inject({ method: 'OPTIONS', url: '/v1/stream/x', headers: { ...HOST, ...from } })
  t.match(preflight, { statusCode: 204, headers: { 'access-control-allow-origin': origin } })
  const read = await ask('GET', 'x', from)
  t.match(read, { statusCode: 200, body: 'text', headers: { 'access-control-allow-origin': origin } })
  t.equal((await app.inject({ url: '/v1/stream/x', headers: { ...HOST, ...from } })).statusCode, 401, 'with the token')
  for (const other of ['https://example.org.evil.test', 'http://example.org', 'null', 'https://example.org:443']) {
    t.equal((await ask('GET', 'x', { origin: other })).statusCode, 403, other)
    t.equal((await ask('OPTIONS', 'x', { origin: other })).statusCode, 403, other)
  }
  for (const method of ['GET', 'OPTIONS'] as const) {
    const control = await app.inject({ method, url: '/v1/sessions', headers: { ...AUTH, ...from } })
    t.equal(control.statusCode, 403, 'not the rest of the API')
    t.notOk(control.headers['access-control-allow-origin'])
  }
  t.equal((await ask('GET', 'x', { host: `example.org:${PORT}` })).statusCode, 421)
})

t.test('public are streams of clients alone', async (t) => {
  const { app, home } = await newStreams(t, { origins: [], public: true })
  const { sessionId } = await newSession(home)
  const ask = (method: Method, url: string) =>
    app.inject({ method, url, headers: { ...HOST, origin: 'https://example.org', 'content-type': 'text/plain' } })
  t.equal((await ask('PUT', '/v1/stream/x')).statusCode, 201)
  for (const name of ['sessions/', '%73essions/', 'sessions%2f', 's%65ssions%2F']) {
    t.match((await ask('GET', `/v1/stream/${name}${sessionId}`)).statusCode, /401|403/, name)
  }
  for (const path of [
    'stream/__registry__',
    'stream/%5f_registry__',
    '%73tream/__registry__',
    'stream/x/../__registry__',
  ]) {
    t.match((await ask('GET', `/v1/${path}`)).statusCode, /401|403|404/, path)
  }
  t.equal((await ask('GET', '/v1/sessions')).statusCode, 403)
  t.equal(
    (await app.inject({ url: '/v1/stream/x', headers: { host: 'example.org' } })).statusCode,
    421,
    'the host counts',
  )
})

t.test('bad input', async (t) => {
  const { ask } = await newStreams(t)
  await ask('PUT', 'x', { 'content-type': 'text/plain' }, 'text')
  const long = 'y'.repeat(1001)
  const rows: [Method, string, Record<string, string>, number][] = [
    ['PUT', '', {}, 400],
    ['PUT', 'y'.repeat(201), {}, 400],
    ['PUT', '%ff', {}, 400],
    ['PUT', '__ds/subscriptions/x', {}, 405],
    ['PUT', 'y', { 'stream-ttl': '9007199254740993' }, 400],
    ['PUT', 'y', { 'stream-expires-at': 'tomorrow' }, 400],
    ['PUT', 'y', { 'stream-forked-from': '/v1/sessions/x' }, 400],
    ['PUT', 'y', { 'stream-forked-from': '/v1/stream/%' }, 400],
    ['PUT', 'y', { 'stream-fork-offset': '0000000000000000' }, 400],
    ['GET', 'x?offset=0000000000000005', {}, 400],
    ['GET', 'x?offset=0000000000000000_0000000000000001', {}, 400],
    ['GET', 'x?offset=-1&live=often', {}, 400],
    ['GET', 'x?live=sse', {}, 400],
    ['POST', 'x', { 'content-type': 'text/plain', 'producer-id': 'p' }, 400],
    [
      'POST',
      'x',
      { 'content-type': 'text/plain', 'producer-id': long, 'producer-epoch': '0', 'producer-seq': '0' },
      400,
    ],
    ['POST', 'x', { 'content-type': 'text/plain', 'stream-seq': long }, 400],
    ['POST', 'x', { 'content-type': '' }, 400],
    ['POST', 'x', json, 409],
    ['POST', 'z', json, 404],
  ]
  for (const [method, name, headers, status] of rows) {
    const answer = await ask(method, name, headers, method === 'GET' ? undefined : '1')
    t.equal(answer.statusCode, status, `${method} ${name.slice(0, 40)} ${JSON.stringify(headers).slice(0, 80)}`)
    t.match(answer.json(), { error: { code: String, message: String, hint: String } })
  }
  const forked = async (path: string) => (await ask('PUT', 'y', { 'stream-forked-from': path })).json().error.message
  t.match(await forked('/v1/sessions/x'), /^Stream-Forked-From: must be the path of a stream/)
  t.equal(await forked('/v1/stream/%ff'), 'Stream-Forked-From is not UTF-8')
  t.equal((await ask('POST', 'x', { 'content-type': 'text/plain' })).statusCode, 400, 'no body')
  t.equal((await ask('GET', 'x')).body, 'text', 'nothing of it was taken')
})

t.test(
  'who waits for a stream to which another server writes, or that is deleted, is told nothing that is not so',
  async (t) => {
    const first = await newStreams(t)
    const other = await newApp(t, { home: first.home })
    await first.ask('PUT', 's', json)
    const at = (await first.ask('POST', 's', json, '1')).headers['stream-next-offset']
    const one = first.ask('GET', `s?offset=${at}&live=long-poll`)
    await until(() => first.streams.size === 1, 'it waits')
    const url = '/v1/stream/s'
    await other.app.inject({ method: 'POST', url, headers: { ...AUTH, ...json }, payload: '2' })
    t.equal((await first.ask('HEAD', 's')).statusCode, 200)
    t.match(await one, { statusCode: 204, headers: { 'stream-next-offset': at } })
    t.equal((await first.ask('GET', `s?offset=${at}&live=long-poll`)).body, '[2]', 'the next one has it')
    await first.ask('POST', 's', json, '3')
    const end = (await first.ask('HEAD', 's')).headers['stream-next-offset']
    const two = first.ask('GET', `s?offset=${end}&live=long-poll`)
    await until(() => first.streams.size === 1, 'it waits')
    await first.ask('DELETE', 's')
    t.equal((await two).statusCode, 204)
    t.equal((await first.ask('GET', `s?offset=${end}&live=long-poll`)).statusCode, 404)
  },
)
