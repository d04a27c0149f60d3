/** /v1/sessions: list, create, show, cancel. */
import { isAbsolute } from 'node:path'
import type { FastifyInstance } from 'fastify'
import * as z from 'zod/mini'
import { allowedAgent, completed, configured } from '../../agents/agents.js'
import { readConfig } from '../../base/config.js'
import { AgentzError } from '../../base/errors.js'
import { sessionLog } from '../../base/paths.js'
import { captureEnvironment, withHomeEnvironment } from '../../session/environment.js'
import { parseId } from '../../session/id.js'
import { type Status, statuses } from '../../session/status.js'
import { NewSession, parse, specify } from '../../session/store.js'
import { sessionView } from '../../session/view.js'
import { cancelSession } from '../../supervisor/cancel.js'
import { supervisorOf } from '../../supervisor/choose.js'
import { readFleet, readTrue } from '../../supervisor/fleet.js'
import { freezeSession, thawSession } from '../../supervisor/freeze.js'
import { launch } from '../../supervisor/launch.js'
import { placeOf } from '../../supervisor/queue.js'
import type { Context } from '../context.js'
import { errorBody } from '../errors.js'

const ListQuery = z.strictObject({
  /** One or several, with commas. */
  status: z.optional(z.string().check(z.refine(isStatusList, `any of ${statuses.join(',')}`))),
  limit: z.optional(z.string().check(z.regex(/^[1-9][0-9]{0,6}$/, 'must be a whole number from 1'))),
})
const NoQuery = z.strictObject({})
/** Nothing to say with a cancel, a freeze or a thaw, yet; an empty object is fine. */
const CancelBody = z.optional(z.nullable(z.strictObject({})))

interface ById {
  Params: { id: string }
}

export function sessionRoutes(app: FastifyInstance, { home, supervisor }: Context): void {
  app.get('/v1/sessions', async (request, reply) => {
    const { status, limit } = parse(ListQuery, request.query)
    const fleet = await readFleet(home, supervisor)
    const wanted = status?.split(',')
    const chosen = wanted === undefined ? fleet.ids : fleet.ids.filter((id) => wanted.includes(fleet.status(id)))
    // The newest, in order of creation like the rest.
    const rows = chosen.slice(limit === undefined ? 0 : -Number(limit)).map((id) => fleet.text(id))
    const unasked = fleet.unasked === undefined ? '' : `,"unasked":${JSON.stringify(errorBody(fleet.unasked).error)}`
    reply.type('application/json; charset=utf-8')
    // Rows are text already: thousands of them are not parsed to be written again.
    return `{"sessions":[${rows.join(',')}],"offset":${fleet.registry.offset}${unasked}}`
  })

  app.post('/v1/sessions', async (request, reply) => {
    parse(NoQuery, request.query)
    const asked = requested(request.body)
    // As the file is now: a switch that is thrown counts from the next request on.
    const config = readConfig(home)
    const agent = allowedAgent(asked.agentType, config)
    const spec = completed(agent, specify(asked, config), config)
    const env = configured(captureEnvironment(process.env, config.environment), agent, config)
    agent.check(spec, withHomeEnvironment(home, env), spec.workingDir)
    const place = await launch(home, supervisor, spec, env)
    const { sessionId } = spec
    reply.code(201).header('location', `/v1/sessions/${sessionId}`)
    return { sessionId, unit: supervisor.unitName(sessionId), log: sessionLog(home, sessionId), place }
  })

  app.get<ById>('/v1/sessions/:id', async (request) => {
    const id = parseId(request.params.id)
    parse(NoQuery, request.query)
    const state = await readTrue(home, supervisor, id)
    const place = state.queuedAt === undefined ? undefined : await placeOf(home, supervisor, id)
    const where = { log: sessionLog(home, id), unit: supervisorOf(home, supervisor, state).unitName(id), place }
    return sessionView(state, where)
  })

  for (const [verb, act] of Object.entries({ freeze: freezeSession, thaw: thawSession })) {
    app.post<ById>(`/v1/sessions/:id/${verb}`, async (request) => {
      const sessionId = parseId(request.params.id)
      parse(NoQuery, request.query)
      parse(CancelBody, request.body)
      return { sessionId, ...(await act(home, supervisor, sessionId, 'http')) }
    })
  }

  app.post<ById>('/v1/sessions/:id/cancel', async (request) => {
    const sessionId = parseId(request.params.id)
    parse(NoQuery, request.query)
    parse(CancelBody, request.body)
    return { sessionId, ...(await cancelSession(home, supervisor, sessionId, 'http')) }
  })
}

function requested(body: unknown): NewSession {
  const request = parse(NewSession, body)
  // Relative to what? The server's directory is nothing that a client knows.
  if (!isAbsolute(request.workingDir)) throw new AgentzError('BAD_INPUT', 'workingDir: must be absolute')
  return request
}

function isStatusList(list: string): boolean {
  return list.split(',').every((status) => statuses.includes(status as Status))
}
