/** Answers from three sides at once: the command line, HTTP, and a line by hand. The first one in the file counts. */
import { appendFileSync } from 'node:fs'
import { request } from 'node:http'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { requireManager } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'

requireManager()

function post(socketPath: string, path: string, body: object): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { host: 'localhost', 'content-type': 'application/json' }
    const sent = request({ socketPath, path, method: 'POST', headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', reject).end(JSON.stringify(body))
  })
}

t.test('the command line, HTTP and a line by hand answer at once', async (t) => {
  const a = new Talk(t)
  const { socketPath } = await a.serve(t)
  for (const byHandFirst of [false, true]) {
    const { id, requests } = await a.asking('make')
    const requestId = requests[0] ?? ''
    const line = { type: 'approval_response', timestamp: new Date().toISOString(), by: 'user', requestId }
    const byHand = () =>
      appendFileSync(sessionLog(a.home, id), `\n${JSON.stringify({ ...line, decision: 'deny', reason: 'by hand' })}\n`)
    const cli = a.spawn(['approve', id, requestId])
    const exited = new Promise<number | null>((resolve) => cli.once('exit', resolve))
    if (byHandFirst) byHand()
    const path = `/v1/sessions/${id}/approvals/${encodeURIComponent(requestId)}`
    const status = await post(socketPath, path, { decision: 'deny', reason: 'by HTTP' })
    if (!byHandFirst) byHand()
    const code = await exited
    t.ok([200, 409].includes(status) && [0, 3].includes(code ?? -1), `HTTP ${status}, exit status ${code}`)
    t.notOk(status === 200 && code === 0, 'two that look first never both win')
    t.equal(a.do('wait', id).status, 0)
    const first = a.events(id).find(({ type }) => type === 'approval_response') as { decision: string; reason?: string }
    const heard = first.decision === 'deny' ? `make: deny ${first.reason}` : 'make: allow'
    t.strictSame(a.said(id), [heard], 'the agent has heard the first one, and no other')
    if (byHandFirst) t.match(first, { reason: 'by hand' })
    t.equal(await post(socketPath, path, { decision: 'allow' }), 409, 'and later ones are told')
  }
  const { id } = await a.asking('make')
  t.equal(await post(socketPath, `/v1/sessions/${id}/messages`, { content: 'say more' }), 202)
  t.equal(await post(socketPath, `/v1/sessions/${id}/cancel`, {}), 200)
  await a.untilType(id, 'daemon_exited')
  t.equal(await post(socketPath, `/v1/sessions/${id}/messages`, { content: 'say again' }), 202)
  t.equal(a.do('wait', id).status, 0)
  t.equal(a.said(id).at(-1), 'again', 'taken up again over HTTP')
})
