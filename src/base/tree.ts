/**
 * The processes below a process, and their end. Agents give their tools process groups of their own, so killing a group
 * misses them; and a child whose parent has died is no longer below anything. So the list is taken before each signal.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { errno } from './errors.js'
import { carriersOf, lives, type Member, processes, type Stat, statsOf } from './proc.js'

const LOOK_AGAIN_MS = 20
/** A tree that forks faster than it is listed must not hold us for ever. */
const MAX_ROUNDS = 20

/** Everything below `roots`, the roots themselves included if they live; zombies do not. */
export function treeOf(roots: readonly number[]): Member[] {
  const children = new Map<number, Stat[]>()
  const found = new Map<number, Stat>()
  for (const stat of processes()) {
    if (roots.includes(stat.pid)) found.set(stat.pid, stat)
    const siblings = children.get(stat.parent)
    if (siblings === undefined) children.set(stat.parent, [stat])
    else siblings.push(stat)
  }
  const queue = [...roots]
  for (let pid = queue.pop(); pid !== undefined; pid = queue.pop()) {
    for (const child of children.get(pid) ?? []) {
      if (found.has(child.pid)) continue
      found.set(child.pid, child)
      queue.push(child.pid)
    }
  }
  return [...found.values()].filter(lives)
}

/** The members of a list that still live, and everything that they have started since. */
export function survivors(members: readonly Member[]): Member[] {
  return treeOf(living(members).map((member) => member.pid))
}

/** Signals those of the list that still live. */
export function signalAll(members: readonly Member[], signal: NodeJS.Signals): void {
  for (const member of living(members)) signalOne(member.pid, signal)
}

/** Waits until none of the list lives. @returns those that still do after `ms` milliseconds */
export async function waitGone(members: readonly Member[], ms: number): Promise<Member[]> {
  const end = performance.now() + ms
  let left = survivors(members)
  while (left.length > 0 && performance.now() < end) {
    await delay(LOOK_AGAIN_MS)
    left = survivors(left)
  }
  return left
}

/** SIGKILLs the list and whatever it starts meanwhile. */
export async function killAll(members: readonly Member[]): Promise<void> {
  let left = survivors(members)
  for (let round = 0; left.length > 0 && round < MAX_ROUNDS; round++) {
    signalAll(left, 'SIGKILL')
    left = await waitGone(left, LOOK_AGAIN_MS)
  }
}

/**
 * SIGKILLs every process that carries the mark of the session in its environment, wherever it hangs: a tool that made itself a
 * daemon is below nothing any more. Where a cgroup holds the session it catches the same ones at the end; this is for an
 * agent that ends before its session does, and for machines without cgroups.
 */
export async function killMarked(sessionId: string): Promise<void> {
  const marked = carriersOf(`AGENTZ_SESSION_ID=${sessionId}`)
  await killAll(marked.filter((stat) => lives(stat) && stat.pid !== process.pid))
}

/** Those of a list that are still the same processes, and no later ones of the same numbers. */
function living(members: readonly Member[]): Member[] {
  const now = statsOf(members.map(({ pid }) => pid))
  return members.filter((member) => {
    const stat = now.get(member.pid)
    return stat !== undefined && lives(stat) && stat.start === member.start
  })
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // ESRCH: it was faster. EPERM: a set-uid program of somebody else; only the service manager can end it.
    if (errno(error) !== 'ESRCH' && errno(error) !== 'EPERM') throw error
  }
}
