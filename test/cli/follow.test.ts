/** Following a file: where it ends, and where it does not. */
import { appendFileSync, statSync } from 'node:fs'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { follow } from '../../src/cli/follow.js'
import { frame } from '../../src/session/frame.js'
import type { Supervisor } from '../../src/supervisor/supervisor.js'
import { newHome } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'

/** A chunk of the reader. */
const CHUNK = 256 * 1024

const living: Supervisor = {
  name: 'systemd',
  promises: { restarts: true, limits: [], lastWord: true },
  unitName: (id) => id,
  prepare: async () => undefined,
  start: async () => undefined,
  stop: async () => undefined,
  freezer: async () => undefined,
  list: async () => new Map(),
  show: async () => ({ active: 'active', sub: 'running' }),
  lastExit: async () => undefined,
  howToStart: () => '',
  howToLook: () => '',
}

t.test('an end and a question in the middle of what was there are history, wherever a chunk ends', async (t) => {
  const home = newHome(t)
  const { sessionId } = await newSession(home)
  const path = sessionLog(home, sessionId)
  const line = (event: object, epoch: number) => `${frame(event as never, 'daemon', epoch)}\n`
  const start = (epoch: number) => line({ type: 'daemon_started', sessionId, unit: 'u', pid: 1, bootId: 'b' }, epoch)
  const ask = line({ type: 'approval_request', requestId: 'r', tool: 'Bash', input: {} }, 1)
  const end = line({ type: 'session_completed', sessionId, metadata: {} }, 1)
  const room = CHUNK - statSync(path).size - start(1).length - ask.length - end.length
  const filler = (length: number) => {
    const empty = line({ type: 'text', content: '' }, 1).length
    return line({ type: 'text', content: 'x'.repeat(length - empty) }, 1)
  }
  appendFileSync(path, `${start(1)}${ask}${filler(room)}${end}`)
  t.equal(statSync(path).size, CHUNK, 'the chunk ends behind the end of the session')
  appendFileSync(path, `${start(2)}${filler(1000)}{"torn`)
  const batches: boolean[] = []
  const stop = new AbortController()
  const followed = follow(home, living, sessionId, {
    signal: stop.signal,
    until: ({ status }) => status === 'waiting_approval',
    onBatch: (_, isNow) => {
      batches.push(isNow)
      if (isNow && batches.length === 2)
        appendFileSync(path, `\n${line({ type: 'session_completed', sessionId, metadata: {} }, 2)}`)
    },
  })
  t.match(await followed, { status: 'completed', epoch: 2 })
  t.strictSame(batches, [false, true, true])
})
