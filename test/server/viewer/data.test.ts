import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { sessionLog } from '../../../src/base/paths.js'
import { appendLine, line, newApp, newSession } from '../helpers.js'

const unix = { guard: { kind: 'unix' } } as const

interface Addressed {
  from: number
  to: number
  end: number
  records: { offset: number; line: string }[]
  damaged: { at: number; length: number }[]
}

t.test('pages of a log, from its end upwards and from anywhere downwards', async (t) => {
  const { app, home } = await newApp(t, unix)
  const { sessionId } = await newSession(home)
  const path = sessionLog(home, sessionId)
  const page = async (query = ''): Promise<Addressed> => {
    const answer = await app.inject({ url: `/v1/sessions/${sessionId}/page${query}` })
    t.equal(answer.statusCode, 200, answer.body.slice(0, 200))
    return answer.json()
  }
  const { records: first, from } = await page()
  t.same([from, first.length], [0, 1])
  const written: { offset: number; line: string }[] = [...first]
  for (let n = 0; n < 3000; n++)
    written.push({ offset: appendLine(path, n, 'x'.repeat(200)), line: line(n, 'x'.repeat(200)) })
  appendFileSync(path, '{"type":"text","partial":true,"delta":["half of"]}\n\n')
  const at = readFileSync(path).length
  appendFileSync(path, 'torn\x18\n')
  written.push({ offset: appendLine(path, 3000, 'é\u202e'), line: line(3000, 'é\u202e') })
  appendFileSync(path, '{"not an event}\n{"type":"text","content":"unfini')
  const end = readFileSync(path).lastIndexOf('\n') + 1
  written.push({ offset: end, line: '{"not an event}' })

  const last = await page()
  t.same([last.to, last.end], [end, end], 'what has no newline yet is no data yet')
  t.same(last.damaged, [{ at, length: 5 }])
  const up: Addressed[] = [last]
  while (up[0]!.from > 0) up.unshift(await page(`?before=${up[0]!.from}`))
  t.ok(up.length > 2, `${up.length} pages`)
  t.same(
    up.flatMap(({ records }) => records),
    written,
    'upwards: each once, and what was streamed only as a whole',
  )
  const down = [await page('?after=0')]
  while (down.at(-1)!.to < end) down.push(await page(`?after=${down.at(-1)!.to}`))
  t.same(
    down.flatMap(({ records }) => records),
    written,
    'downwards',
  )
  t.same(await page(`?after=${end}`), { from: end, to: end, end, records: [], damaged: [] })
  t.same((await page('?before=0')).records, [])

  const long = appendLine(path, 3001, 'y'.repeat(1_000_000))
  const large = await page(`?before=${long}`)
  t.ok(
    large.records.some(({ offset }) => offset === long),
    'a line that is longer than a page comes whole',
  )

  const bad = [
    '?before=-1',
    '?before=x',
    '?before=1.5',
    '?after=7',
    '?before=99999999999',
    '?offset=0',
    '?before=1&before=2',
  ]
  for (const query of bad) {
    const { statusCode, body } = await app.inject({ url: `/v1/sessions/${sessionId}/page${query}` })
    t.match([statusCode, JSON.parse(body).error.code], [400, 'BAD_INPUT'], query)
  }
  const ids: [string, number][] = [
    ['0123456789ab', 404],
    ['nonsense', 400],
  ]
  for (const [id, status] of ids) t.equal((await app.inject({ url: `/v1/sessions/${id}/page` })).statusCode, status)
})

t.test('the agents that may be started', async (t) => {
  const { app, home } = await newApp(t, unix)
  const list = async () => (await app.inject({ url: '/v1/agents' })).json().agents
  const agents = await list()
  t.match(
    agents.find(({ name }: { name: string }) => name === 'claude'),
    { default: true, modes: ['plan'] },
  )
  t.match(
    agents.find(({ name }: { name: string }) => name === 'command'),
    { default: false, installed: true, modes: [] },
  )
  writeFileSync(home.config, '{"agents":{"command":{"enabled":false}},"acp":{"goose":{"command":["goose","acp"]}}}')
  const changed = await list()
  t.match(
    changed.find(({ name }: { name: string }) => name === 'goose'),
    { installed: false },
  )
  const names = changed.map(({ name }: { name: string }) => name)
  t.ok(names.includes('goose'), 'as config.json says now')
  t.notOk(names.includes('command'))
})

t.test('they want the token; the files do not, and only those are to be had', async (t) => {
  const { app, home } = await newApp(t)
  const { sessionId } = await newSession(home)
  const headers = { host: '127.0.0.1:4201' }
  const status = async (url: string) => (await app.inject({ url, headers })).statusCode
  t.equal(await status('/v1/agents'), 401)
  t.equal(await status(`/v1/sessions/${sessionId}/page`), 401)
  for (const url of ['/', '/s/anything', '/viewer/main.js', '/viewer/viewer.css']) t.equal(await status(url), 200, url)
  const absent = ['none.js', 'tsconfig.json', '..%2Fcli.cjs', '.js', 'a/b.js', '%00.js', 'MAIN.js', 'constructor']
  for (const name of absent) t.equal(await status(`/viewer/${name}`), name === 'a/b.js' ? 401 : 404, name)
})
