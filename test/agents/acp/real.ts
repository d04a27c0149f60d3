/** The real agents against the mock model, each in a HOME of its own, behind a proxy that refuses. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { AgentContext, ConversingAgent } from '../../../src/agents/agent.js'
import type { Spec } from '../../../src/session/spec.js'
import { tempDir } from '../../helpers/home.js'
import { prepareAgent, type RealAgent, startTripWire } from '../../helpers/real-agents.js'
import { type MockModel, startMockModel } from '../../mock-model/start.js'
import { newSpec, record } from '../recorder.js'
import type { Fake } from './fake.js'

export interface Real extends Fake {
  readonly workingDir: string
  readonly spec: Spec
  /** Ends it and starts it again, where it was. */
  again(context?: Partial<AgentContext>): Promise<Real>
}

export interface Stage {
  readonly mock: MockModel
  readonly tripped: readonly string[]
  start(t: Test, spec?: Partial<Spec>, env?: Record<string, string>): Promise<Real>
}

export async function stage(t: Test, agent: ConversingAgent): Promise<Stage> {
  const mock = await startMockModel()
  const tripWire = await startTripWire()
  t.teardown(async () => {
    await mock.stop()
    await tripWire.close()
  })
  const begin = async (
    t: Test,
    spec: Spec,
    env: Record<string, string>,
    context: Partial<AgentContext>,
  ): Promise<Real> => {
    const recorder = record(spec, env, context)
    const running = await agent.start(recorder.context)
    running.ended.then((end) => end.kind === 'finished' || t.comment(end))
    t.teardown(() => running.stop())
    const again = async (more: Partial<AgentContext> = {}) => {
      await running.stop()
      const nativeId = recorder.all('agent_session').at(-1)?.nativeId
      return begin(t, spec, env, { start: 2, turns: recorder.all('turn_ended').length, nativeId, ...more })
    }
    return { ...recorder, running, spec, workingDir: spec.workingDir, again }
  }
  return {
    mock,
    tripped: tripWire.tripped,
    start(t, fields = {}, more = {}) {
      const dir = tempDir(t)
      const workingDir = join(dir, 'project')
      mkdirSync(workingDir)
      const env = prepareAgent(agent.name as RealAgent, dir, { model: mock.url, proxy: tripWire.url })
      const sessionId = randomBytes(6).toString('hex')
      return begin(t, newSpec({ sessionId, agentType: agent.name, workingDir, ...fields }), { ...env, ...more }, {})
    },
  }
}
