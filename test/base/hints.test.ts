/** What an error says to do next, over HTTP: by routes and fields, since whoever reads it has no command line. */
import t from 'tap'
import { errorCodes } from '../../src/base/errors.js'
import { byRoute } from '../../src/base/hints.js'
import { sessionLog } from '../../src/base/paths.js'
import { appendOnce } from '../../src/log/append.js'
import { causes } from '../../src/session/cause.js'
import { newApp, newSession } from '../server/helpers.js'

/** What can be done by a command alone. */
const commands = /agentz (?!serve|token|open|--help)/

t.test('no hint of the table names a command that a route can do', async (t) => {
  for (const [code, { hint }] of Object.entries(errorCodes)) {
    t.notMatch(byRoute(hint), commands, code)
    t.notMatch(byRoute(hint), / -C\b/, code)
  }
  t.equal(byRoute('`agentz show 0123456789ab` lists what waits.'), '`GET /v1/sessions/0123456789ab` lists what waits.')
  for (const [word, { next }] of Object.entries(causes)) t.notMatch(byRoute(next), /`(?:agentz|--|-m)/, word)
  t.equal(byRoute('Answers: allow, deny.'), 'Answers: allow, deny.')
})

t.test('errors as a client meets them', async (t) => {
  const { app, home } = await newApp(t, { guard: { kind: 'unix' } })
  const { sessionId } = await newSession(home)
  appendOnce(sessionLog(home, sessionId), JSON.stringify({ type: 'session_completed', epoch: 1, metadata: {} }))
  const create = (body: object) => ['POST', '/v1/sessions', { workingDir: home.root, ...body }] as const
  const requests: (readonly ['GET' | 'POST', string, object?])[] = [
    ['GET', '/v1/sessions/nothing'],
    ['GET', '/v1/sessions/000000000000'],
    ['POST', `/v1/sessions/${sessionId}/approvals/r1`, { decision: 'allow' }],
    ['POST', `/v1/sessions/${sessionId}/messages`, { content: 'x' }],
    create({ agentType: 'command', command: ['true'], workingDir: '/nowhere' }),
    create({ agentType: 'command' }),
    create({ agentType: 'claude', prompt: '' }),
    create({ agentType: 'claude', command: ['x'] }),
    create({ agentType: 'command', command: ['true'], budget: { time: 5 } }),
  ]
  for (const [method, url, payload] of requests) {
    const answer = await app.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
    const { hint } = answer.json().error
    t.ok(answer.statusCode >= 400, `${url} ${JSON.stringify(payload)}: ${answer.statusCode} ${hint}`)
    t.notMatch(hint, commands)
    t.notMatch(hint, / -C\b|--\w/)
  }
})
