/** The list is as true as the files, also while the registry is behind them. */
import { rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { appendOnce } from '../../src/log/append.js'
import { frame } from '../../src/session/frame.js'
import { appendLifecycle } from '../../src/session/lifecycle.js'
import { readFleet } from '../../src/supervisor/fleet.js'
import { newHome } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'
import { FakeSupervisor } from '../server/helpers.js'

const started = (sessionId: string) =>
  ({ type: 'daemon_started', unit: 'u', pid: process.pid, bootId: 'b', sessionId }) as const

async function running(t: Test) {
  const home = newHome(t)
  const units = new FakeSupervisor()
  const spec = await newSession(home)
  const id = spec.sessionId
  await units.start(spec)
  await appendLifecycle(home, started(id), 'daemon', { epoch: 1 })
  const status = async () => (await readFleet(home, units)).status(id)
  t.equal(await status(), 'running')
  return { home, units, id, status }
}

t.test('an end that only its own file tells yet is an end', async (t) => {
  const { home, units, id, status } = await running(t)
  const failed = { type: 'session_failed', sessionId: id, error: 'no', cause: { result: 'agent' } } as const
  appendOnce(sessionLog(home, id), frame(failed, 'daemon', 1))
  t.equal(await status(), 'failed', 'while its unit is still there')
  t.match((await readFleet(home, units)).row(id), { status: 'failed', error: 'no', cause: { result: 'agent' } })
  appendOnce(sessionLog(home, id), frame(started(id), 'daemon', 2))
  t.equal(await status(), 'running', 'and one that was taken up again lives')
})

t.test('a file that cannot be read keeps no other session from being listed', async (t) => {
  const { home, units, id, status } = await running(t)
  rmSync(sessionLog(home, id))
  t.equal(await status(), 'running', 'removed: its unit carries it')
  symlinkSync(join(home.root, 'elsewhere'), sessionLog(home, id))
  t.equal(await status(), 'running')
  units.units.clear()
  t.equal(await status(), 'interrupted')
})
