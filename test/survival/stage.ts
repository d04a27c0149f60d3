/** What the rows about processes play on: the real programs under one supervisor, with an agent that does as it is told. */
import type { Test } from 'tap'
import { lives, processes } from '../../src/base/proc.js'
import { treeOf } from '../../src/base/tree.js'
import type { Loose } from '../../src/session/life.js'
import type { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'

export const unitOf = (id: string): string => `agentz-session-${id}.service`

/** A conversation in the middle of a turn, with the pids of its daemon and agent. */
export async function midTurn(a: Talk): Promise<{ id: string; daemon: number; agent: number; release: () => void }> {
  const { id, release } = await a.busy()
  const daemon = Number(ofType(a, id, 'daemon_started').at(-1)?.pid)
  return { id, daemon, agent: childOf(daemon), release }
}

export const ofType = (a: Talk, id: string, type: string): Loose[] =>
  a.events(id).filter((event) => event.type === type)

/** The newest child of a process that is no zombie. */
function childOf(pid: number): number {
  const [child] = processes()
    .filter((each) => each.parent === pid && lives(each))
    .sort((one, other) => Number(other.start) - Number(one.start))
  if (child === undefined) throw new Error(`process ${pid} has no child`)
  return child.pid
}

/** What holds after every row: one end for each start, with its cause and in time; all who tell a status tell the same; nothing runs on. */
export async function settled(t: Test, a: Talk, id: string): Promise<void> {
  const starts = ofType(a, id, 'daemon_started')
  await until(() => ofType(a, id, 'daemon_exited').length >= starts.length, 'each start has its end')
  const ends = ofType(a, id, 'daemon_exited')
  t.strictSame(
    ends.map(({ epoch }) => epoch),
    starts.map(({ epoch }) => epoch),
    'one end for each start',
  )
  t.ok(
    ends.every(({ result }) => typeof result === 'string' && result !== 'unknown'),
    'each with its cause',
  )
  const accepted = ofType(a, id, 'message_accepted').map(({ messageId }) => messageId)
  t.equal(new Set(accepted).size, accepted.length, 'no message was taken twice')
  const { status } = a.show(id)
  await until(() => a.ls().find(({ sessionId }) => sessionId === id)?.status === status, `ls says ${status} too`)
  t.strictSame(treeOf(starts.map(({ pid }) => Number(pid))), [], 'no daemon is left')
}
