import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import t from 'tap'
import { killAll, killMarked, signalAll, survivors, treeOf, waitGone } from '../../src/base/tree.js'

async function tree() {
  const child = spawn('sh', ['-c', 'setsid sleep 600 & sleep 600 & echo ready; wait'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  await once(child.stdout, 'data')
  return { child, exited, pid: child.pid ?? 0 }
}

t.test('a list keeps the children whose parent has gone', async (t) => {
  const { child, exited, pid } = await tree()
  const members = treeOf([pid])
  t.equal(members.length, 3)
  t.ok(members.some((member) => member.pid === pid))
  child.kill('SIGKILL')
  await exited
  t.equal(survivors(members).length, 2)
  t.equal((await waitGone(members, 1)).length, 2)
  await killAll(members)
  t.same(survivors(members), [])
  t.same(treeOf([pid]), [])
})

t.test('a later process with the same number is left alone', async (t) => {
  const { exited, pid } = await tree()
  const members = treeOf([pid])
  const others = members.map((member) => ({ ...member, start: '1' }))
  signalAll(others, 'SIGKILL')
  await killAll(others)
  t.equal(survivors(members).length, 3)
  await killAll(members)
  await exited
})

/** A process that has made itself a daemon: its parent is gone, and it is below nobody here. */
async function daemon(env: Record<string, string>): Promise<number> {
  const child = spawn('sh', ['-c', 'setsid sleep 600 > /dev/null & echo $!'], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env.PATH, ...env },
  })
  const exited = once(child, 'exit')
  const [pid] = await once(child.stdout, 'data')
  await exited
  return Number(pid)
}

t.test('who carries the mark of a session is found wherever it is, and nobody else', async (t) => {
  const sessionId = randomBytes(6).toString('hex')
  const marked = await daemon({ AGENTZ_SESSION_ID: sessionId })
  const others = await Promise.all([
    daemon({ AGENTZ_SESSION_ID: `${sessionId}0` }),
    daemon({ OTHER: `AGENTZ_SESSION_ID=${sessionId}` }),
    daemon({}),
  ])
  const all = [marked, ...others]
  t.equal(treeOf(all).length, 4)
  t.notOk(treeOf([process.pid]).some(({ pid }) => all.includes(pid)))
  await killMarked(sessionId)
  t.same(
    treeOf(all)
      .map(({ pid }) => pid)
      .sort(),
    [...others].sort(),
  )
  await killAll(treeOf(others))
  t.same(treeOf(all), [])
})
