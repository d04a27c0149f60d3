import t from 'tap'
import type { SessionState } from '../../src/session/state.js'
import { Brake, type Resumed } from '../../src/supervisor/brake.js'

/** A session that was resumed; `end` is what became of it since. */
const resumed = (kind: string, end?: string): Resumed => ({
  kind,
  look: () => ({ status: end === undefined ? 'running' : 'failed', cause: { result: end } }) as SessionState,
})

t.test('after three in a row that could not be started nothing more is, of any agent', async (t) => {
  const brake = new Brake()
  for (const _ of [1, 2]) brake.notStarted()
  t.equal(brake.holds('claude'), undefined)
  brake.started(resumed('claude'))
  for (const _ of [1, 2]) brake.notStarted()
  t.equal(brake.holds('claude'), undefined, 'one that starts in between lets it begin anew')
  brake.notStarted()
  for (const kind of ['claude', 'codex']) t.match(brake.holds(kind), /3 sessions in a row could not be started/)
})

for (const refusal of ['login', 'quota']) {
  t.test(`after three that their model refused for ${refusal}, none of this agent is started`, async (t) => {
    const brake = new Brake()
    for (const _ of [1, 2]) brake.started(resumed('claude', refusal))
    t.equal(brake.holds('claude'), undefined)
    brake.started(resumed('claude', refusal))
    t.match(brake.holds('claude'), new RegExp(`the last 3 sessions of claude .* failed \\(${refusal}\\)`))
    t.equal(brake.holds('codex'), undefined, 'another agent has another login')
  })
}

t.test('other failures, and one that works, do not count', async (t) => {
  for (const last of [undefined, 'exit-code', 'model']) {
    const brake = new Brake()
    for (const end of ['login', 'login', last]) brake.started(resumed('claude', end))
    t.equal(brake.holds('claude'), undefined, String(last))
  }
})

t.test('it looks at what has become of them by now', async (t) => {
  const brake = new Brake()
  const now: { end?: string } = {}
  for (const _ of [1, 2, 3]) {
    brake.started({ kind: 'claude', look: () => resumed('claude', now.end).look() })
  }
  t.equal(brake.holds('claude'), undefined)
  now.end = 'login'
  t.ok(brake.holds('claude'))
})
