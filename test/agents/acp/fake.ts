/** The fake agent, started by the runner as an agent of a person's own. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { Profile } from '../../../src/agents/acp/profile.js'
import { acpAgent } from '../../../src/agents/acp/profiles.js'
import { AcpRun } from '../../../src/agents/acp/run.js'
import type { AgentContext, Conversation } from '../../../src/agents/agent.js'
import type { Spec } from '../../../src/session/spec.js'
import { program } from '../../helpers/program.js'
import { newSpec, type Recorder, record } from '../recorder.js'

const source = readFileSync(fileURLToPath(new URL('fake-agent.ts', import.meta.url)), 'utf8')

export interface Fake extends Recorder {
  readonly running: Conversation
}

interface Options {
  /** Words for FAKE. */
  readonly how?: string
  readonly env?: Record<string, string>
  readonly spec?: Partial<Spec>
  readonly context?: Partial<AgentContext>
  /** What is told of it, beside what is told of an agent of a person's own. */
  readonly profile?: Partial<Profile>
}

/** @returns what starts one */
export async function fakes(t: Test): Promise<(t: Test, options?: Options) => Promise<Fake>> {
  const path = await program(t.testdir(), source, 'fake-agent')
  return async (t, { how = '', env = {}, spec, context, profile } = {}) => {
    const command = [process.execPath, path]
    // Whatever carries the mark of a session is killed when its agent is stopped: each has a mark of its own.
    const sessionId = randomBytes(6).toString('hex')
    const told = newSpec({ sessionId, agentType: 'fake', workingDir: t.testdirName, command, ...spec })
    t.testdir({})
    const all = { PATH: process.env.PATH ?? '', FAKE: how, ...env }
    const recorder = record(told, all, context)
    const running =
      profile === undefined
        ? await acpAgent('fake').start(recorder.context)
        : new AcpRun(recorder.context, { name: 'fake', argv: () => command, loginHint: 'log in', ...profile })
    // A test that waits for an event that will not come is told why.
    running.ended.then((end) => end.kind === 'finished' || t.comment(end))
    t.teardown(() => running.stop())
    return { ...recorder, running }
  }
}

let messages = 0

/** Sends a message and waits until its turn has ended. */
export async function prompt({ running, all }: Fake, content: string): Promise<void> {
  const ended = all('turn_ended').length
  await running.ready
  await running.send({ messageId: `m-${++messages}`, content })
  while (all('turn_ended').length === ended) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** The whole blocks of what it said. */
export const texts = ({ all }: Recorder, type: 'text' | 'thinking' = 'text'): (string | undefined)[] =>
  all(type).flatMap(({ content, partial }) => (partial ? [] : [content]))
