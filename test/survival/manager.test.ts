/** The user manager ends, is killed, or goes with its machine: what was running is told truthfully, and `agentz recover` brings it back. */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Test } from 'tap'
import { serverSocket } from '../../src/base/paths.js'
import { cliPath, requireManager } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'
import { Manager } from '../helpers/manager.js'
import { survives } from './row.js'
import { Server } from './soak/http.js'
import { ofType, settled } from './stage.js'

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
  // The server is bundled apart from the verb that starts it, and once did not know the error of a manager that is gone.
  const server = new Server(a, join(manager.runtime, 'agentz', basename(serverSocket(a.home))))
  t.teardown(() => server.end())
  const { body } = await server.insist('GET', `/v1/sessions/${id}`)
  t.match(body, { status: between.status, cause: { result: between.cause?.result } }, 'HTTP says the same as show')
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

survives('runtime-directory-gone', {
  needs: ['root'],
  under: ['systemd'],
  proof: async (t) => {
    const manager = new Manager(t)
    await manager.start()
    const a = new Talk(t)
    Object.assign(a.env, manager.env)
    const { id: busy } = await a.busy()
    const { id: asking } = await a.asking('one')
    const server = new Server(a, join(manager.runtime, 'agentz', basename(serverSocket(a.home))))
    t.teardown(() => server.end())
    await server.insist('GET', '/healthz')
    rmSync(join(manager.runtime, 'agentz'), { recursive: true })
    t.equal(a.do('approve', asking).status, 0)
    t.equal(a.do('wait', asking, '-t', '20').status, 0, 'the answer is found without a bell')
    t.ok(
      a.said(asking).some((text) => text.includes('one: allow')),
      'and is the one that was given',
    )
    t.ok(server.kill())
    t.match((await server.insist('GET', `/v1/sessions/${busy}`)).body, { status: 'running' }, 'a new server is heard')
    process.kill(Number(ofType(a, busy, 'daemon_started')[0]?.pid), 'SIGKILL')
    t.equal(a.do('wait', busy, '-t', '30').status, 0, 'and who is started again goes on')
    for (const id of [busy, asking]) {
      await settled(t, a, id)
      await until(() => !existsSync(join(manager.runtime, 'agentz', id)), 'no bell is left')
    }
  },
})
