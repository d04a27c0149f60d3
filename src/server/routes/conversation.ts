/** Talking with a session over HTTP: messages, answers to its questions, and what waits for an answer in all of them. */
import type { FastifyInstance } from 'fastify'
import * as z from 'zod/mini'
import { AgentzError } from '../../base/errors.js'
import type { Home } from '../../base/paths.js'
import { appendControl } from '../../session/control.js'
import { readSession, type SessionState } from '../../session/state.js'
import { needsAnswer } from '../../session/status.js'
import { readFleet } from '../../supervisor/fleet.js'
import { sayTo } from '../../supervisor/say.js'
import type { Context } from '../context.js'
import { ById, NoQuery, typed } from '../declared.js'

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

const ByRequest = z.extend(ById, { requestId: z.string() })

export function conversationRoutes(app: FastifyInstance, { home, supervisor }: Context): void {
  const one = typed(app)
  const message = { params: ById, querystring: NoQuery, body: MessageBody }
  one.post('/v1/sessions/:id/messages', { schema: message }, async ({ params: { id }, body }, reply) => {
    const said = await sayTo(home, supervisor, id, { ...body, via })
    reply.code(202)
    return { sessionId: id, ...said }
  })

  const approval = { params: ByRequest, querystring: NoQuery, body: ApprovalBody }
  one.post('/v1/sessions/:id/approvals/:requestId', { schema: approval }, async ({ params, body }) => {
    const { id, requestId } = params
    const { offset } = await appendControl(home, id, { type: 'approval_response', requestId, ...body, via })
    return { sessionId: id, requestId, offset }
  })

  const input = { params: ByRequest, querystring: NoQuery, body: InputBody }
  one.post('/v1/sessions/:id/inputs/:requestId', { schema: input }, async ({ params, body }) => {
    const { id, requestId } = params
    const { offset } = await appendControl(home, id, { type: 'input_response', requestId, ...body, via })
    return { sessionId: id, requestId, offset }
  })

  one.get('/v1/approvals', { schema: { querystring: NoQuery } }, async () => {
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
