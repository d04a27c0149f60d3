/**
 * What a route takes is declared where the route is made, by zod: Fastify checks it before the handler runs, and the document of the API
 * (api/document.ts) is made of the same declarations.
 */
import type { FastifyInstance, FastifySchema, FastifyTypeProvider, HTTPMethods } from 'fastify'
import * as z from 'zod/mini'
import { AgentzError } from '../base/errors.js'
import { firstIssue } from '../base/issue.js'
import { badId, SessionId } from '../session/id.js'

declare module 'fastify' {
  interface FastifyInstance {
    declared: Declared[]
  }
}

export interface Declared {
  readonly method: HTTPMethods
  readonly url: string
  readonly schema: FastifySchema
  /** Answers without a token. */
  readonly open: boolean
}

/** Handlers get what the schemas of their route make of a request. */
interface ByZod extends FastifyTypeProvider {
  validator: this['schema'] extends z.core.$ZodType ? z.output<this['schema']> : unknown
}

export const NoQuery = z.strictObject({})
/** Nothing to say with a cancel, a freeze or a thaw, yet; an empty object is fine. */
export const Nothing = z.optional(z.nullable(z.strictObject({})))
export const ById = z.object({ id: SessionId })
const Address = z.string().check(z.regex(/^(0|[1-9][0-9]{0,15})$/, 'must be a number of bytes'))
const Piece = z.strictObject({ before: z.optional(Address), after: z.optional(Address) })
export const PageOf = { params: ById, querystring: Piece }

/** Before any route is made. */
export function declareRoutes(app: FastifyInstance): void {
  app.decorate('declared', [])
  app.addHook('onRoute', ({ method, url, schema = {}, config }) => {
    for (const each of [method].flat()) {
      app.declared.push({ method: each as HTTPMethods, url, schema, open: config?.open === true })
    }
  })
  app.setValidatorCompiler<z.core.$ZodType>(({ schema, httpPart }) => (given: unknown) => {
    const { success, data, error } = z.safeParse(schema, given)
    return success ? { value: data } : { error: refusal(error, httpPart, given) }
  })
}

export const typed = (app: FastifyInstance) => app.withTypeProvider<ByZod>()

function refusal(error: z.core.$ZodError, part: string | undefined, given: unknown): AgentzError {
  if (part === 'params') return badId((given as { id: unknown }).id)
  if (part === 'body' && (typeof given !== 'object' || given === null || Array.isArray(given))) {
    return new AgentzError('BAD_INPUT', 'the body of the request must be a JSON object')
  }
  return new AgentzError('BAD_INPUT', firstIssue(error))
}
