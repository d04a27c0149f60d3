/** Talking with a session over HTTP: messages, answers to its questions, and what waits for an answer in all of them. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import * as z from 'zod/mini'
import { AgentzError } from '../../base/errors.js'
import type { Home } from '../../base/paths.js'
import { appendControl } from '../../session/control.js'
import { parseId } from '../../session/id.js'
import { readSession, type SessionState } from '../../session/state.js'
import { needsAnswer } from '../../session/status.js'
import { parse } from '../../session/store.js'
import { readFleet } from '../../supervisor/fleet.js'
import { sayTo } from '../../supervisor/say.js'
import type { Context } from '../context.js'

const NoQuery = z.strictObject({})
const via = 'http' as const
const MessageBody = z.strictObject({
  content: z.string(),
  interrupt: z.optional(z.boolean()),
  /** Of the client's own, so that a request that is sent again is refused as a conflict. */
  messageId: z.optional(z.string().check(z.regex(/^[\w.:-]{1,100}$/, 'must be 1 to 100 of A-Z a-z 0-9 _ . : -'))),
})
const ApprovalBody = z.strictObject({
  decision: z.enum(['allow', 'allow_always', 'deny']),
  reason: z.optional(z.string()),
})
const InputBody = z.strictObject({ content: z.string() })

/** @throws BAD_INPUT */
function bodyOf<S extends z.core.$ZodType>(schema: S, { body }: FastifyRequest): z.output<S> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AgentzError('BAD_INPUT', 'the body of the request must be a JSON object')
  }
  return parse(schema, body)
}

interface ById {
  Params: { id: string }
}
interface ByRequest {
  Params: { id: string; requestId: string }
}

export function conversationRoutes(app: FastifyInstance, { home, supervisor }: Context): void {
  app.post<ById>('/v1/sessions/:id/messages', async (request, reply) => {
    const sessionId = parseId(request.params.id)
    parse(NoQuery, request.query)
    const said = await sayTo(home, supervisor, sessionId, { ...bodyOf(MessageBody, request), via })
    reply.code(202)
    return { sessionId, ...said }
  })

  app.post<ByRequest>('/v1/sessions/:id/approvals/:requestId', async (request) => {
    const sessionId = parseId(request.params.id)
    const { requestId } = request.params
    parse(NoQuery, request.query)
    const body = bodyOf(ApprovalBody, request)
    const { offset } = await appendControl(home, sessionId, { type: 'approval_response', requestId, ...body, via })
    return { sessionId, requestId, offset }
  })

  app.post<ByRequest>('/v1/sessions/:id/inputs/:requestId', async (request) => {
    const sessionId = parseId(request.params.id)
    const { requestId } = request.params
    parse(NoQuery, request.query)
    const body = bodyOf(InputBody, request)
    const { offset } = await appendControl(home, sessionId, { type: 'input_response', requestId, ...body, via })
    return { sessionId, requestId, offset }
  })

  app.get('/v1/approvals', async (request) => {
    parse(NoQuery, request.query)
    const fleet = await readFleet(home, supervisor)
    const waiting = fleet.ids.filter((id) => needsAnswer(fleet.status(id)))
    const sessions = waiting.flatMap((sessionId) => {
      const state = readIfThere(home, sessionId)
      // It was answered, or its file taken away, while the others were looked at.
      if (state === undefined || state.approvals.size + state.inputs.size === 0) return []
      const { spec, approvals, inputs } = state
      const { title, agentType } = spec
      return [{ sessionId, title, agentType, approvals: [...approvals.values()], inputs: [...inputs.values()] }]
    })
    return { sessions }
  })
}

function readIfThere(home: Home, id: string): SessionState | undefined {
  try {
    return readSession(home, id)
  } catch (error) {
    if (error instanceof AgentzError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
