/** A fleet under a manager of its own, and what a recover says of it. */
import type { Test } from 'tap'
import { lines } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { Manager } from '../helpers/manager.js'

type Result = { sessionId: string; action: string; why: string }

/** Needs root. */
export async function stage(t: Test) {
  const manager = new Manager(t)
  await manager.start()
  const talk = new Talk(t)
  Object.assign(talk.env, manager.env)
  const recover = (...flags: string[]) => {
    const { stdout, stderr, status } = talk.do('recover', '--json', '--spacing', '0.05', ...flags)
    const results = lines(stdout).map((line): Result => JSON.parse(line))
    const actions: Record<string, string> = Object.fromEntries(results.map((each) => [each.sessionId, each.action]))
    return { results, actions, stderr, status }
  }
  /** The manager is killed, and is there again. */
  const again = async () => {
    await manager.kill()
    await manager.start()
  }
  return { manager, talk, again, recover }
}
