/** The user manager ends, is killed, or goes with its machine: what was running is told truthfully, and `agentz recover` brings it back. */
import { spawnSync } from 'node:child_process'
import type { Test } from 'tap'
import { cliPath, requireManager } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { Manager } from '../helpers/manager.js'
import { survives } from './row.js'
import { ofType } from './stage.js'

requireManager()

/** A session in mid-turn under a manager of its own, and what becomes of it once that has gone and come back. */
async function play(t: Test, go: (manager: Manager) => Promise<void>, bootId?: string) {
  const manager = new Manager(t)
  await manager.start()
  const a = new Talk(t)
  Object.assign(a.env, manager.env)
  const { id, release } = await a.busy()
  await go(manager)
  const between = a.show(id)
  await manager.start(bootId === undefined ? {} : { bootId })
  // What a manager of another boot sees is seen from inside of it alone.
  const [program = '', ...before] = [...manager.inside, process.execPath, cliPath]
  const inside = (...args: string[]) => spawnSync(program, [...before, ...args], { env: a.env, encoding: 'utf8' })
  const after = JSON.parse(inside('show', id, '--json').stdout)
  const recovered = inside('recover', '--json', '--spacing', '0.05')
  t.match(JSON.parse(recovered.stdout), { sessionId: id, action: 'resumed' })
  release()
  await a.untilType(id, 'session_completed')
  const sent = ofType(a, id, 'message_sent').map(({ messageId }) => messageId)
  t.equal(sent.filter((messageId) => messageId === 'prompt').length, 1, 'its prompt was sent once')
  return { a, id, between, after }
}

survives('log-out', {
  needs: ['root'],
  under: ['systemd'],
  proof: async (t) => {
    const { a, id, between, after } = await play(t, (manager) => manager.end())
    for (const shown of [between, after]) t.match(shown, { status: 'interrupted', cause: { result: 'log-out' } })
    t.equal(ofType(a, id, 'daemon_exited')[0]?.manager, 'stopping', 'the reaper has seen it')
  },
})

survives('manager-killed', {
  needs: ['root'],
  under: ['systemd'],
  proof: async (t) => {
    const { between, after } = await play(t, (manager) => manager.kill())
    for (const shown of [between, after]) t.match(shown, { status: 'interrupted', cause: { result: 'lost' } })
  },
})

survives('reboot', {
  needs: ['root'],
  under: ['systemd'],
  proof: async (t) => {
    const boot = '00000000-0000-4000-8000-000000000000'
    const { a, id, after } = await play(t, (manager) => manager.kill(), boot)
    t.match(after, { status: 'interrupted', cause: { result: 'reboot' } })
    t.equal(ofType(a, id, 'daemon_started').at(-1)?.bootId, boot)
  },
})
