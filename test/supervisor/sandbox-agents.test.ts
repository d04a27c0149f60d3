/** A real agent in a sandbox, in a home as people have it: a first answer, and a message that takes the conversation up again. */
import { mkdtempSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { abilities } from '../agents/contract/abilities.js'
import { Play } from '../agents/contract/stage.js'
import { requireManager } from '../helpers/agentz.js'
import { skipOf, startTripWire } from '../helpers/real-agents.js'
import { startMockModel } from '../mock-model/start.js'

requireManager()
// Not below /tmp, where nothing of outside is seen, and where one more directive keeps what is beside from being written.
const directory = mkdtempSync(join(homedir(), '.agentz-test-'))
process.env.TMPDIR = directory
t.teardown(() => rmSync(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }))

for (const agent of ['claude'] as const) {
  t.test(agent, { skip: skipOf(agent) }, async (t) => {
    const [mock, tripWire] = [await startMockModel(), await startTripWire()]
    t.teardown(() => Promise.all([mock.stop(), tripWire.close()]))
    const stage = { agent, can: abilities[agent], mock, tripWire }
    const play = await Play.begin(t, stage, 'text The first answer.', '--sandbox', 'strict')
    t.match(await play.end(), { type: 'session_completed' }, play.story())
    const sent = await play.do('send', 'MOCK: text The second answer.')
    t.equal(sent.status, 0, sent.stderr)
    t.match(await play.end(2), { type: 'session_completed' }, play.story())
    t.same(play.texts, ['The first answer.', 'The second answer.'])
    t.same((await play.requests()).at(-1)?.scripts, ['text The first answer.', 'text The second answer.'])
  })
}
