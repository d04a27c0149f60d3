/** The contract: what every agent does under agentz, seen from outside. Where one cannot, abilities.ts says so. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { requireManager } from '../../helpers/agentz.js'
import { agentBin, type RealAgent, skipOf, startTripWire } from '../../helpers/real-agents.js'
import { startMockModel } from '../../mock-model/start.js'
import { abilities } from './abilities.js'
import { answers } from './answers.js'
import { approvals } from './approvals.js'
import { cancels } from './cancels.js'
import { crashes } from './crashes.js'
import { messages } from './messages.js'
import type { Stage } from './stage.js'

const checks = [...answers, ...approvals, ...cancels, ...messages, ...crashes]
/** Most of a check is waiting: for an agent to start, for words that come slowly. */
const AT_ONCE = 3

export async function contract(agent: RealAgent): Promise<void> {
  const skip = skipOf(agent)
  if (skip !== false) {
    t.pass(`the contract with ${agent}`, { skip })
    return
  }
  requireManager()
  if (agent !== 'cerebras' && !existsSync(join(agentBin, agent)))
    throw new Error(`${agent} is missing: npm ci in test/agents`)
  const mock = await startMockModel()
  const tripWire = await startTripWire()
  t.teardown(async () => {
    await mock.stop()
    await tripWire.close()
  })
  const stage: Stage = { agent, can: abilities[agent], mock, tripWire }
  t.jobs = AT_ONCE
  const runs = checks.map(({ name, run }) => t.test(name, { buffered: true }, (t) => run(t, stage)))
  await Promise.all(runs)
  t.same(tripWire.tripped, [], 'nobody but the mock was called')
}
