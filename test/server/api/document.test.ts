import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t, { type Test } from 'tap'
import { AgentzError, errorCodes } from '../../../src/base/errors.js'
import { issueCode } from '../../../src/base/login.js'
import { sessionLog } from '../../../src/base/paths.js'
import { appendOnce } from '../../../src/log/append.js'
import type { Document, Json } from '../../../src/server/api/document.js'
import { words } from '../../../src/server/api/words.js'
import { frame } from '../../../src/session/frame.js'
import { bootId } from '../../../src/supervisor/boot.js'
import { AUTH, HOST, newApp, newSession, PAGE } from '../helpers.js'

type App = Awaited<ReturnType<typeof newApp>>

const read = async ({ app }: App): Promise<Document> =>
  (await app.inject({ url: '/openapi.json', headers: HOST })).json()

/** Pages for people, and their files. */
const pages = ['/', '/login', '/s/:id', '/viewer/:file']

t.test('it is OpenAPI 3.1, by a validator of others, and tells of every route', async (t) => {
  const server = await newApp(t)
  const document = await read(server)
  const validator = new Validator()
  const { valid, errors } = await validator.validate(structuredClone(document) as never)
  t.ok(valid, JSON.stringify(errors))
  t.equal(validator.version, '3.1')
  const routes = server.app.declared.filter(({ url }) => !pages.includes(url))
  const named = routes.map(({ method, url }) => `${method} ${url}`)
  t.same(named.toSorted(), Object.keys(words).toSorted(), 'each route has its words, and no other has')
  const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const asPath = (route: string) => route.replace(/:(\w+)/g, '{$1}').replace('*', '{name}')
  t.same(documented.toSorted(), named.map(asPath).toSorted())
  t.equal(new Set(operationsOf(document).map(({ operationId }) => operationId)).size, documented.length)
  const socket = await newApp(t, { guard: { kind: 'unix' }, home: server.home })
  const { '/v1/login': login, ...rest } = document.paths
  t.same((await read(socket)).paths, rest, 'on the socket nobody logs in')
  t.ok(login)
})

const operationsOf = ({ paths }: Document) => Object.values(paths).flatMap((each) => Object.values(each))

t.test('every field and every error has its words', async (t) => {
  const document = await read(await newApp(t))
  const dumb = new Set<string>()
  const look = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null) return
    const { properties = {} } = schema as { properties?: Record<string, Json> }
    for (const [name, property] of Object.entries(properties)) if (!property.description) dumb.add(name)
    Object.values(schema).forEach(look)
  }
  look(document)
  const parameters = operationsOf(document).flatMap((each) => each.parameters ?? [])
  for (const { name, description } of parameters) if (!description || description === 'undefined') dumb.add(name)
  t.same([...dumb], [])
  const wrong = operationsOf(document).flatMap(({ operationId, responses }) =>
    Object.entries(responses).flatMap(([status, { description }]) => {
      const codes = [...description.matchAll(/`([A-Z_]{5,})`:/g)].map((match) => match[1] as keyof typeof errorCodes)
      const fits = codes.every((code) => errorCodes[code].http === Number(status))
      // Hints are in terms of HTTP.
      const isOurs = !/`agentz (?:ls|show|logs|run)/.test(description)
      return fits && isOurs && (Number(status) < 400 || codes.length > 0)
        ? []
        : [`${operationId} ${status} ${description}`]
    }),
  )
  t.same(wrong, [], 'each refusal names its errors, of its status')
})

/** Answers are held to their schemas, and to have no field that is not in them. */
function judge(document: Document) {
  const strict = (schema: unknown): unknown => {
    if (Array.isArray(schema)) return schema.map(strict)
    if (typeof schema !== 'object' || schema === null) return schema
    const copy = Object.fromEntries(Object.entries(schema).map(([name, inner]) => [name, strict(inner)]))
    return copy.properties && copy.additionalProperties === undefined ? { ...copy, additionalProperties: false } : copy
  }
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  ajv.addSchema({ $id: 'api:', components: strict(document.components) as Json })
  const known = (route: string) => {
    const [method = '', url = ''] = route.split(' ')
    return document.paths[url.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]?.responses ?? {}
  }
  return (t: Test, route: string, status: number, body: string) => {
    const answer = known(route)[status]
    if (answer === undefined) return void t.fail(`${route} is not said to answer ${status}: ${body}`)
    const { schema } = (answer.content?.['application/json'] ?? {}) as { schema?: Json }
    const check = ajv.getSchema(`api:${schema?.$ref}`)
    t.ok(check?.(JSON.parse(body)), `${route} ${status}: ${ajv.errorsText(check?.errors)} in ${body}`)
  }
}

t.test('each route answers as it is said to', async (t) => {
  const server = await newApp(t)
  const { app, home, supervisor } = server
  const document = await read(server)
  const holds = judge(document)
  const met = new Map<string, Set<number>>()
  const ask = async (route: string, params: Record<string, string>, more: object = {}) => {
    const [method = '', pattern = ''] = route.split(' ')
    const url = pattern.replace(/:(\w+)/g, (_, name) => encodeURIComponent(params[name] ?? ''))
    const answer = await app.inject({ method: method as 'GET', url, headers: AUTH, ...more })
    met.set(route, (met.get(route) ?? new Set()).add(answer.statusCode))
    holds(t, route, answer.statusCode, answer.body)
    return answer
  }
  const { sessionId: id } = await newSession(home, {
    agentType: 'demo',
    command: undefined,
    prompt: 'x',
    labels: { a: 'b' },
    budget: { turns: 3 },
  })
  const unit = supervisor.unitName(id)
  const tell = (event: Parameters<typeof frame>[0], by: 'daemon' | 'agent' | 'supervisor', epoch = 1) => {
    const line = frame(event, by, epoch)
    appendOnce(sessionLog(home, id), line)
    if ('sessionId' in event) appendOnce(home.registry, line)
  }
  tell({ type: 'session_queued', sessionId: id }, 'supervisor', 0)
  await ask('GET /v1/sessions/:id', { id })
  tell(
    {
      type: 'daemon_started',
      sessionId: id,
      unit,
      pid: 1,
      bootId: bootId(),
      invocationId: 'i',
    },
    'daemon',
  )
  supervisor.units.set(id, { active: 'active', sub: 'running' })
  tell({ type: 'approval_request', requestId: 'r 1', tool: 'Bash', input: { command: 'ls' } }, 'agent')
  tell({ type: 'input_request', requestId: 'i1', question: 'which?' }, 'agent')
  tell(
    {
      type: 'session_updated',
      sessionId: id,
      status: 'waiting_approval',
      usage: { input: 1, output: 2, cached: 0, costUsd: 0.1 },
      stalled: 3,
    },
    'daemon',
  )

  const { sessionId: other } = await newSession(home)
  const begun = { type: 'daemon_started', unit: 'u', pid: 1, bootId: bootId(), supervisor: 'plain' } as const
  appendOnce(home.registry, frame({ ...begun, sessionId: other }, 'daemon', 1))
  await ask('GET /healthz', {})
  await ask('GET /v1/server', {})
  await ask('GET /v1/sessions', {})
  await ask('GET /v1/approvals', {})
  await ask('GET /v1/agents', {})
  await ask('GET /v1/sessions/:id/page', { id })
  await ask('GET /v1/sessions/:id', { id })
  const refusals: [string, Record<string, string>, object][] = [
    ['GET /v1/sessions/:id', { id: '0123456789ab' }, {}],
    ['GET /v1/sessions/:id', { id: 'x' }, {}],
    ['GET /v1/sessions/:id', { id }, { query: { x: '1' } }],
    ['GET /v1/sessions/:id', { id }, { headers: HOST }],
    ['GET /v1/sessions/:id', { id }, { headers: { ...AUTH, host: 'x' } }],
    ['GET /v1/sessions/:id', { id }, { headers: { ...AUTH, origin: 'http://x' } }],
    ['GET /v1/sessions', {}, { query: { status: 'x' } }],
    ['GET /v1/sessions/:id/events', { id }, { query: { offset: '1' } }],
    ['GET /v1/sessions/:id/events', { id: '0123456789ab' }, {}],
    ['GET /v1/sessions/:id/page', { id: '0123456789ab' }, {}],
    ['GET /v1/sessions/:id/log', { id }, { headers: { ...AUTH, range: 'bytes=99999-' } }],
    ['GET /v1/sessions', {}, { query: { agent: 'x' } }],
    ['GET /v1/sessions/:id/page', { id }, { query: { before: '0', x: '1' } }],
    ['GET /v1/agents', {}, { query: { x: '1' } }],
    ['GET /openapi.json', {}, { query: { x: '1' } }],
    ['GET /docs', {}, { query: { x: '1' } }],
    ['GET /v1/events', {}, { headers: { ...AUTH, 'last-event-id': 'x' } }],
    ['POST /v1/sessions', {}, { payload: { agentType: 'nobody', workingDir: home.root, prompt: 'x' } }],
    ['POST /v1/sessions', {}, { payload: { agentType: 'command', command: ['/no'], workingDir: home.root } }],
    ['POST /v1/sessions', {}, { payload: 'x', headers: { ...AUTH, 'content-type': 'text/plain' } }],
    ['POST /v1/sessions', {}, { payload: { prompt: 'x'.repeat(1_100_000) } }],
    ['POST /v1/sessions/:id/messages', { id }, { payload: [] }],
    ['POST /v1/sessions/:id/approvals/:requestId', { id, requestId: 'no' }, { payload: { decision: 'allow' } }],
    ['POST /v1/sessions/:id/inputs/:requestId', { id, requestId: 'i1' }, { payload: {} }],
    ['POST /v1/sessions/:id/cancel', { id: '0123456789ab' }, {}],
    ['POST /v1/sessions/:id/thaw', { id: '0123456789ab' }, {}],
    ['POST /v1/login', {}, { payload: { code: 'x'.repeat(43) }, headers: PAGE }],
  ]
  for (const [route, params, more] of refusals) {
    const { statusCode, json } = await ask(route, params, more)
    t.ok(statusCode >= 400, `${route}: ${statusCode}`)
    t.equal(errorCodes[json().error.code as keyof typeof errorCodes].http, statusCode)
  }

  const message = { payload: { content: 'and?', messageId: 'm1' } }
  await ask('POST /v1/sessions/:id/messages', { id }, message)
  await ask('POST /v1/sessions/:id/messages', { id }, message)
  const answers: [string, string, object][] = [
    ['approvals', 'r 1', { decision: 'deny', reason: 'no' }],
    ['inputs', 'i1', { content: 'that' }],
  ]
  for (const [kind, requestId, payload] of answers) {
    const route = `POST /v1/sessions/:id/${kind}/:requestId`
    await ask(route, { id, requestId }, { payload })
    await ask(route, { id, requestId }, { payload })
  }
  await ask('POST /v1/sessions/:id/freeze', { id })
  await ask('POST /v1/sessions/:id/thaw', { id })
  await ask('POST /v1/sessions/:id/cancel', { id })
  for (const route of ['freeze', 'thaw', 'cancel']) await ask(`POST /v1/${route}`, {})
  await ask('POST /v1/freeze', {}, { payload: { ids: [] } })
  tell(
    {
      type: 'session_failed',
      sessionId: id,
      error: 'x',
      cause: { result: 'oom-kill', code: 'killed', status: 'KILL', message: 'm' },
      metadata: {
        durationMs: 1,
        turns: 1,
        usage: { input: 1 },
        toolStats: { totalCalls: 1, byTool: { Bash: 1 } },
        editedFiles: [],
      },
    },
    'daemon',
  )
  await ask('GET /v1/sessions', {})
  await ask('GET /v1/sessions/:id', { id })
  await ask('POST /v1/sessions/:id/cancel', { id })
  await ask('POST /v1/sessions', {}, { payload: { agentType: 'command', command: ['true'], workingDir: home.root } })
  await ask(
    'POST /v1/login',
    {},
    { payload: { code: issueCode(home) }, headers: { ...PAGE, origin: `http://${PAGE.host}` } },
  )
  supervisor.list = async () => {
    throw new AgentzError('NO_MANAGER', 'nobody there')
  }
  await ask('GET /v1/sessions', {})

  for (const { url, method } of app.declared) {
    const { answer, status = 200 } = words[`${method} ${url}`] ?? {}
    if (typeof answer === 'string')
      t.ok(met.get(`${method} ${url}`)?.has(status), `${method} ${url} was asked, and it went well`)
  }
})

t.test('what is no JSON has the type that is said', async (t) => {
  const server = await newApp(t)
  const document = await read(server)
  const { sessionId } = await newSession(server.home)
  for (const [path, { get }] of Object.entries(document.paths)) {
    const types = Object.keys(get?.responses['200']?.content ?? {})
    if (types.length === 0 || path.startsWith('/v1/stream/')) continue
    const url = `${path.replace('{id}', sessionId)}${path.endsWith('/events') ? '?follow=0' : ''}`
    const { headers, statusCode } = await server.app.inject({ url, headers: AUTH })
    t.equal(statusCode, 200, url)
    t.ok(types.includes(String(headers['content-type']).split(';')[0] ?? ''), `${url} is ${headers['content-type']}`)
  }
})
