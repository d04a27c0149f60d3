/** The last event of a run, for each way in which it can end: all of them fit the schema. */
import t from 'tap'
import * as z from 'zod/mini'
import { cancelled, concluded, ended, insteadOf, notResumed, nowhere, outOfTime } from '../../src/daemon/ending.js'
import { RegistryEvent, SessionEvent } from '../../src/session/events.js'
import { frame } from '../../src/session/frame.js'
import type { LifeEvent } from '../../src/session/lifecycle.js'
import { specify } from '../../src/session/store.js'

const spec = specify({ agentType: 'claude', prompt: 'p', workingDir: '/' })
const cause = { result: 'agent' as const, message: 'overloaded' }
const metadata = { durationMs: 5, turns: 1, editedFiles: [] }
const { sessionId } = spec

t.test('what is written for which end', async (t) => {
  const endings: [LifeEvent, object][] = [
    [concluded(spec, { kind: 'completed' }, metadata), { type: 'session_completed', sessionId, metadata }],
    [
      concluded(spec, { kind: 'failed', error: 'e', cause }, metadata),
      { type: 'session_failed', sessionId, error: 'e', cause, metadata },
    ],
    [
      concluded(spec, { kind: 'interrupted', cause }, metadata),
      { type: 'session_interrupted', sessionId, cause, metadata },
    ],
    [
      concluded(spec, { kind: 'cancelled', cause }, metadata),
      { type: 'session_cancelled', sessionId, cause, metadata },
    ],
    [
      concluded(spec, { kind: 'stopped' }, metadata),
      { ...cancelled(spec), cause: { result: 'cancelled', message: String }, metadata },
    ],
    [insteadOf(concluded(spec, { kind: 'completed' }, metadata)), { ...cancelled(spec), metadata }],
    [insteadOf(ended(spec, { status: 'failed', error: 'e', cause })), cancelled(spec)],
    [
      insteadOf(concluded(spec, { kind: 'cancelled', cause }, metadata)),
      { type: 'session_cancelled', sessionId, cause, metadata },
    ],
    [ended(spec, { status: 'completed', metadata }), { type: 'session_completed', sessionId, metadata }],
    [ended(spec, { status: 'failed', error: 'e', cause }), { type: 'session_failed', sessionId, error: 'e', cause }],
    [outOfTime(spec, 60, { result: 'timeout' }), { type: 'session_failed', error: 'it ran longer than 60 s' }],
    [nowhere(spec), { type: 'session_failed', cause: { result: 'not-found' }, error: /directory \/ is gone/ }],
    [
      notResumed(spec, undefined),
      {
        type: 'session_interrupted',
        cause: { result: 'lost', message: /its daemon ended, and the claude agent cannot/ },
      },
    ],
    [
      notResumed({ ...spec, restart: 'mark' }, { result: 'signal', status: 'KILL' }),
      {
        cause: {
          result: 'signal',
          status: 'KILL',
          message: /ended \(signal\), and it was created with --restart mark/,
        },
      },
    ],
  ]
  for (const [event, expected] of endings) {
    t.match(event, expected)
    const record = JSON.parse(frame(event, 'daemon', 1))
    for (const schema of [SessionEvent, RegistryEvent]) t.equal(z.safeParse(schema, record).success, true, event.type)
  }
})

t.test('long lists are cut, and it is told how much is missing', async (t) => {
  const editedFiles = Array.from({ length: 5000 }, (_, n) => `/${'d'.repeat(300)}/${n}`)
  const byTool = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`tool-${n}`, 1]))
  const did = { turns: 3, editedFiles, toolStats: { totalCalls: 3000, byTool } }
  const event = concluded(spec, { kind: 'completed' }, did)
  t.match(event, { metadata: { turns: 3, editedFilesMissing: 4900, toolStats: { totalCalls: 3000, byTool: {} } } })
  t.ok(JSON.stringify(event).length < 40_000, 'a line of the registry is small')
})
