/** A log and a registry with whatever in them: all that reads one gives an answer, and the sessions beside it are told as before. */
import { appendFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { Reply } from '../../src/cli/reply.js'
import { recordExit, recordFailure } from '../../src/daemon/exit.js'
import type { Loose } from '../../src/session/life.js'
import { repairRegistry } from '../../src/session/repair.js'
import { readSession } from '../../src/session/state.js'
import { Tally } from '../../src/session/tally.js'
import { transcriptOf } from '../../src/session/transcript.js'
import { Aftermath, mayBeSaid } from '../../src/supervisor/aftermath.js'
import { thisMoment } from '../../src/supervisor/moment.js'
import { planFor } from '../../src/supervisor/plan.js'
import { recover } from '../../src/supervisor/recover.js'
import { newSession } from '../helpers/session.js'
import { AUTH, FakeSupervisor, newApp } from '../server/helpers.js'
import { record, strange } from './records.js'

/** No manager is asked how it is. */
class Unasked extends FakeSupervisor {
  override readonly promises = { restarts: true, limits: [], lastWord: false }
}

const text = (records: readonly object[]) => records.map((each) => `${JSON.stringify(each)}\n`).join('')
const odd: Loose = { type: { toString: 0 } }
const records = fc.array(fc.oneof({ arbitrary: strange, weight: 3 }, record, fc.constant(odd)), { maxLength: 12 })

t.test('whatever stands in a log and in the registry', async (t) => {
  const supervisor = new Unasked()
  const { app, home } = await newApp(t, { supervisor })
  const good = await newSession(home, { title: 'whole' })
  const whole = JSON.stringify(readSession(home, good.sessionId).spec)
  const ask = async (url: string) => {
    const { statusCode, body } = await app.inject({ url, headers: AUTH })
    if (statusCode !== 200) throw new Error(`${url}: ${statusCode} ${body}`)
    return body
  }
  const property = fc.asyncProperty(records, records, async (log, registry) => {
    const { sessionId: id } = await newSession(home, { title: 'strange' })
    const path = sessionLog(home, id)
    appendFileSync(path, text(log))
    appendFileSync(home.registry, text(registry.map((each) => ({ ...each, sessionId: id }))))
    const { unread } = await repairRegistry(home, { thorough: true })
    if (unread.has(id)) throw unread.get(id)
    const { appended } = await repairRegistry(home, { thorough: true })
    if (appended > 0) throw new Error('repaired twice')
    const { sessions } = JSON.parse(await ask('/v1/sessions'))
    const seen = sessions.find((each: { sessionId: string }) => each.sessionId === good.sessionId)
    if (seen?.title !== 'whole') throw new Error('the other one is told otherwise')
    const own = JSON.parse(await ask(`/v1/sessions/${id}`))
    const listed = sessions.find((each: { sessionId: string }) => each.sessionId === id)
    if (listed?.status !== own.status) throw new Error(`${listed?.status} in the list, ${own.status} by itself`)
    for (const url of [`/v1/sessions/${id}/events?follow=0`, `/v1/sessions/${id}/page`, '/v1/approvals', '/metrics'])
      await ask(url)
    transcriptOf(path, 'm')
    JSON.stringify(Tally.of(path).metadata(readSession(home, id)))
    const reply = new Reply('prompt')
    for (const each of log) reply.hear(each)
    JSON.stringify([reply.text, reply.end])
    mayBeSaid(home, id)
    const left = new Aftermath(home, id)
    JSON.stringify(planFor(left, thisMoment()))
    left.close()
    await recover(home, supervisor, {
      dryRun: true,
      spacingMs: 0,
      onResult: async (result) => void JSON.stringify(result),
    })
    await recordExit(home, id, { SERVICE_RESULT: 'signal', EXIT_CODE: 'killed', EXIT_STATUS: 'KILL' }, supervisor)
    await recordFailure(home, id, {})
    if (JSON.stringify(readSession(home, good.sessionId).spec) !== whole) throw new Error('the other one is another')
  })
  // Lines by which a registry was never repaired again, and a reaper never told of a daemon's end.
  const examples: [Loose[], Loose[]][] = [
    [[odd], []],
    [[], [{ type: 'session_interrupted', cause: { toString: 0 } }]],
    [[{ type: 'daemon_started', epoch: 1e308 }], []],
    [[{ type: 'session_created', spec: { prompt: { toString: 0 } } }], []],
    [
      [
        { type: 'message_sent', messageId: 'prompt' },
        { type: 'text', content: { toString: 0 } },
      ],
      [],
    ],
  ]
  await fc.assert(property, { numRuns: 20, examples })
})
