/**
 * The document of the API, OpenAPI 3.1: what the routes declare for themselves (declared.ts), the schemas of their answers, and words. What is
 * a file of a page is no API, and stays outside.
 */
import type { FastifySchema } from 'fastify'
import * as z from 'zod/mini'
import { type ErrorCode, errorCodes } from '../../base/errors.js'
import { byRoute } from '../../base/hints.js'
import { version } from '../../base/programs.js'
import type { Declared } from '../declared.js'
import { answers } from './answers.js'
import { fields } from './fields.js'
import { type Words, words } from './words.js'

export type Json = { [name: string]: unknown }

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required?: true
  readonly description: string
  readonly schema: Json
}

export interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly description?: string
  readonly tags: readonly string[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Json }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Json }>>
  readonly security?: readonly []
}

export interface Document {
  readonly openapi: '3.1.1'
  readonly info: Json & { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Json>>; readonly securitySchemes: Json }
  readonly [more: string]: unknown
}

/** Of every request that needs to be let in, and of those that do not. */
const guarded: readonly ErrorCode[] = ['UNAUTHORIZED', 'WRONG_HOST', 'FORBIDDEN_ORIGIN', 'INTERNAL']
const open: readonly ErrorCode[] = ['WRONG_HOST', 'FORBIDDEN_ORIGIN', 'INTERNAL']

const description = `Each session of a coding agent is one unit of the operating system and one plain file; this server reads the files and follows them.
Over its Unix socket it asks for nothing; over TCP for the token of \`agentz token\`, or the cookie of a browser that \`agentz open\` has logged in.
All offsets are byte offsets in these files. Answers may come to have more fields than stand here.`

const tags = [
  { name: 'sessions', description: 'Start, list and end sessions.' },
  { name: 'conversation', description: 'What is said to them, and what they ask.' },
  { name: 'events', description: 'Their logs.' },
  { name: 'streams', description: 'Durable streams of your own, and those of sessions.' },
  { name: 'server', description: 'The server itself.' },
]

const isApi = ({ method, url }: Pick<Declared, 'method' | 'url'>): boolean => `${method} ${url}` in words

/** As OpenAPI writes the pattern of a route; what a star stands for has a name there. */
const pathOf = (url: string): string => url.replace(/:(\w+)/g, '{$1}').replace('*', '{name}')

export function documentOf(routes: readonly Declared[]): Document {
  const paths: Record<string, Record<string, Operation>> = {}
  const named = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(answers)) named.add(schema, { id })
  for (const route of routes.filter(isApi)) {
    const key = `${route.method} ${route.url}`
    const said = words[key]!
    const path = pathOf(route.url)
    const body = route.schema.body as z.core.$ZodType | undefined
    if (said.body !== undefined && body !== undefined && !named.has(body)) named.add(body, { id: said.body })
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route, said) }
  }
  return {
    openapi: '3.1.1',
    info: { title: 'agentz', version: version(), description, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    tags,
    paths,
    components: {
      schemas: schemasOf(named),
      securitySchemes: { token: { type: 'http', scheme: 'bearer', description: 'What `agentz token` prints.' } },
    },
  }
}

function operation({ method, url, schema, open: isOpen }: Declared, said: Words): Operation {
  const parameters = parametersOf(schema, pathOf(url), said.query)
  const hasQuery = parameters.some((parameter) => parameter.in !== 'path') || schema.body !== undefined
  const errors: ErrorCode[] = [
    ...(isOpen ? open : guarded),
    ...(schema.querystring !== undefined || hasQuery ? (['BAD_INPUT'] as const) : []),
    ...(schema.params === undefined ? [] : (['BAD_ID'] as const)),
    ...(schema.body === undefined ? [] : (['NOT_JSON', 'BODY_TOO_LARGE'] as const)),
    ...(said.errors ?? []),
  ]
  const also = Object.fromEntries(
    Object.entries(said.also ?? {}).map(([status, description]) => [status, { description }]),
  )
  const operationId = `${method.toLowerCase()}${url
    .replace(/[*:]/g, '')
    .split(/[/.]/)
    .filter((part) => part !== 'v1')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')}`
  return {
    operationId,
    summary: said.summary,
    ...(said.more !== undefined && { description: said.more }),
    tags: [said.tag],
    ...(parameters.length > 0 && { parameters }),
    ...(schema.body !== undefined && { requestBody: requestBody(schema.body as z.core.$ZodType, said) }),
    ...(url === '/v1/stream/*' && (method === 'PUT' || method === 'POST') && { requestBody: anyBody }),
    responses: { [said.status ?? 200]: answerOf(said), ...also, ...refusals(errors) },
    ...(isOpen && { security: [] }),
  }
}

const anyBody = { required: false, content: { '*/*': {} } }

function requestBody(schema: z.core.$ZodType, said: Words): Operation['requestBody'] {
  const inner = said.body === undefined ? jsonOf(schema) : { $ref: `#/components/schemas/${said.body}` }
  return { required: said.bodyOptional !== true, content: { 'application/json': { schema: inner } } }
}

function parametersOf(
  { params, querystring, headers }: FastifySchema,
  path: string,
  query: readonly string[] = [],
): Parameter[] {
  const parts = [
    ['path', params],
    ['query', querystring],
    ['header', headers],
  ] as const
  const declared = parts.flatMap(([place, schema]) => {
    const { properties = {} } = schema === undefined ? {} : (jsonOf(schema as z.core.$ZodType) as { properties?: Json })
    return Object.entries(properties).map(([name, property]) => {
      const { description, ...rest } = property as Json
      return { name, in: place, description: fields[`?${name}`] ?? String(description), schema: rest }
    })
  })
  const more = (name: string, place: Parameter['in']) => ({
    ...{ name, in: place, description: fields[`?${name}`] ?? fields[name] ?? '', schema: { type: 'string' } },
  })
  const all = [
    ...declared,
    ...(params === undefined ? [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => more(name, 'path')) : []),
    ...query.map((name) => more(name, 'query')),
  ]
  return all.map((each) => (each.in === 'path' ? { ...each, required: true } : each))
}

function answerOf({ answer, status = 200 }: Words): Operation['responses'][string] {
  if (typeof answer === 'string') {
    const schema = { $ref: `#/components/schemas/${answer}` }
    return {
      description: status === 200 ? 'Done.' : 'Done, and on the disk.',
      content: { 'application/json': { schema } },
    }
  }
  const types = Object.entries(answer).filter(([type]) => type !== '')
  const description = Object.values(answer).join(' ')
  if (types.length === 0) return { description }
  return { description, content: Object.fromEntries(types.map(([type]) => [type, {}])) }
}

/** One for each status, which several errors may share. */
function refusals(codes: readonly ErrorCode[]): Operation['responses'] {
  const byStatus = new Map<number, ErrorCode[]>()
  for (const code of new Set(codes)) {
    const { http } = errorCodes[code]
    byStatus.set(http, [...(byStatus.get(http) ?? []), code])
  }
  const schema = { $ref: '#/components/schemas/Error' }
  return Object.fromEntries(
    [...byStatus].map(([status, all]) => [
      status,
      {
        description: all.map((code) => `\`${code}\`: ${byRoute(errorCodes[code].hint)}`).join(' '),
        content: { 'application/json': { schema } },
      },
    ]),
  )
}

/** As clients send and get it: what has a default may be left out, and answers may have more. */
const options = { io: 'input', unrepresentable: 'any' } as const

/** With what each field means, and without bounds that are only those of numbers in JSON. */
function told(schema: Json): Json {
  for (const [name, property] of Object.entries((schema.properties as Json | undefined) ?? {})) {
    const description = fields[name]
    if (description !== undefined) (property as Json).description = description
  }
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  for (const inner of Object.values(schema)) {
    for (const each of [inner].flat()) if (typeof each === 'object' && each !== null) told(each as Json)
  }
  return schema
}

const jsonOf = (schema: z.core.$ZodType): Json => {
  const { $schema: _, ...json } = z.toJSONSchema(schema, options) as Json
  return told(json)
}

function schemasOf(named: z.core.$ZodRegistry<{ id: string }>): Document['components']['schemas'] {
  const uri = (id: string) => `#/components/schemas/${id}`
  const { schemas } = z.toJSONSchema(named, { ...options, uri })
  return Object.fromEntries(
    Object.entries(schemas).map(([id, schema]) => {
      const { $schema: _, $id: __, ...json } = schema as Json
      return [id, told(json)]
    }),
  )
}
