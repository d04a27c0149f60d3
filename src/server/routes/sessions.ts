/** /v1/sessions: list, create, show, cancel. */
import { isAbsolute } from 'node:path'
import type { FastifyInstance } from 'fastify'
import * as z from 'zod/mini'
import { allowedAgent, completed, configured, knownAgent } from '../../agents/agents.js'
import { readConfig } from '../../base/config.js'
import { byRoute, errorBody } from '../../base/hints.js'
import { sessionLog } from '../../base/paths.js'
import { captureEnvironment, withHomeEnvironment } from '../../session/environment.js'
import { type Status, statuses } from '../../session/status.js'
import { NewSession, specify } from '../../session/store.js'
import { sessionView } from '../../session/view.js'
import { cancelSession } from '../../supervisor/cancel.js'
import { hadAgent, isLabel, isWanted } from '../../supervisor/choice.js'
import { supervisorOf } from '../../supervisor/choose.js'
import { readFleet, readTrue } from '../../supervisor/fleet.js'
import { freezeSession, thawSession } from '../../supervisor/freeze.js'
import { launch } from '../../supervisor/launch.js'
import { placeOf } from '../../supervisor/queue.js'
import type { Context } from '../context.js'
import { ById, NoQuery, Nothing, typed } from '../declared.js'

const Label = z.string().check(z.refine(isLabel, 'must be KEY=VALUE or KEY'))
const ListQuery = z.strictObject({
  /** One or several, with commas. */
  status: z.optional(z.string().check(z.refine(isStatusList, `must be one or more of ${statuses.join(',')}`))),
  agent: z.optional(z.string()),
  /** KEY=VALUE or KEY; several of them all have to fit. */
  label: z.optional(z.union([Label, z.array(Label)])),
  limit: z.optional(z.string().check(z.regex(/^[1-9][0-9]{0,6}$/, 'must be a whole number from 1'))),
})
/** Relative to what? The server's directory is nothing that a client knows. */
const HttpSession = z.extend(NewSession, {
  agentType: z.optional(NewSession.def.shape.agentType),
  workingDir: z.string().check(z.refine(isAbsolute, 'must be absolute')),
})

export function sessionRoutes(app: FastifyInstance, { home, supervisor }: Context): void {
  const one = typed(app)
  one.get('/v1/sessions', { schema: { querystring: ListQuery } }, async (request, reply) => {
    const { status, agent, label, limit } = request.query
    const wanted = { status: status?.split(','), agent, label: label === undefined ? undefined : [label].flat() }
    const fleet = await readFleet(home, supervisor)
    const chosen = fleet.ids.filter((id) => isWanted(fleet, id, wanted))
    if (chosen.length === 0 && agent !== undefined && !hadAgent(fleet, agent)) knownAgent(agent, readConfig(home))
    // The newest, in order of creation like the rest.
    const rows = chosen.slice(limit === undefined ? 0 : -Number(limit)).map((id) => fleet.text(id))
    const unasked = fleet.unasked === undefined ? '' : `,"unasked":${JSON.stringify(errorBody(fleet.unasked).error)}`
    reply.type('application/json; charset=utf-8')
    // Rows are text already: thousands of them are not parsed to be written again.
    return `{"sessions":[${rows.join(',')}],"offset":${fleet.registry.offset}${unasked}}`
  })

  one.post('/v1/sessions', { schema: { querystring: NoQuery, body: HttpSession } }, async ({ body }, reply) => {
    // As the file is now: a switch that is thrown counts from the next request on.
    const config = readConfig(home)
    const asked = { ...body, agentType: body.agentType ?? config.agent }
    const agent = allowedAgent(asked.agentType, config)
    const spec = completed(agent, specify(asked, config), config)
    const env = configured(captureEnvironment(process.env, config.environment), agent, config)
    agent.check(spec, withHomeEnvironment(home, env), spec.workingDir)
    const place = await launch(home, supervisor, spec, env)
    const { sessionId } = spec
    reply.code(201).header('location', `/v1/sessions/${sessionId}`)
    return { sessionId, unit: supervisor.unitName(sessionId), log: sessionLog(home, sessionId), place }
  })

  one.get('/v1/sessions/:id', { schema: { params: ById, querystring: NoQuery } }, async ({ params: { id } }) => {
    const state = await readTrue(home, supervisor, id)
    const place = state.queuedAt === undefined ? undefined : await placeOf(home, supervisor, id)
    const where = { log: sessionLog(home, id), unit: supervisorOf(home, supervisor, state).unitName(id), place }
    const { advice, ...view } = sessionView(state, where)
    return { ...view, ...(advice !== undefined && { advice: byRoute(advice) }) }
  })

  const acts = { cancel: cancelSession, freeze: freezeSession, thaw: thawSession }
  const schema = { params: ById, querystring: NoQuery, body: Nothing }
  for (const [verb, act] of Object.entries(acts)) {
    one.post(`/v1/sessions/:id/${verb}`, { schema }, async ({ params: { id } }) => {
      return { sessionId: id, ...(await act(home, supervisor, id, 'http')) }
    })
  }
}

function isStatusList(list: string): boolean {
  return list.split(',').every((status) => statuses.includes(status as Status))
}
