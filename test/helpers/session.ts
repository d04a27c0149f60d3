/** Sessions for tests, made as `run` makes them. */
import { tmpdir } from 'node:os'
import type { Home } from '../../src/base/paths.js'
import type { Spec } from '../../src/session/spec.js'
import { createSession, type NewSession, specify } from '../../src/session/store.js'

/** Creates a session on disk; nothing runs it. */
export async function newSession(home: Home, fields: Partial<NewSession> = {}, id?: string): Promise<Spec> {
  const spec = specify({ agentType: 'claude', prompt: 'fix the test', workingDir: tmpdir(), ...fields })
  if (id !== undefined) spec.sessionId = id
  await createSession(home, spec, { PATH: '/usr/bin' })
  return spec
}
