/** The user manager ends, is killed, or goes with its machine: what was running is told truthfully, and `agentz recover` brings it back. */
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Test } from 'tap'
import { serverSocket } from '../../src/base/paths.js'
import { Claims } from '../../src/supervisor/plain/claims.js'
import { cliPath, requireManager } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { tempDir, until } from '../helpers/home.js'
import { Manager } from '../helpers/manager.js'
import { place } from './place.js'
import { type SupervisorName, supervisors, survives } from './row.js'
import { Server } from './soak/http.js'
import { ofType, settled } from './stage.js'

requireManager()

const BOOT = '00000000-0000-4000-8000-000000000000'

/** What runs sessions, and may go: by itself, or by a crash that leaves nobody who could write a last word. */
interface World {
  readonly a: Talk
  /** Where the sockets are. */
  readonly runtime: string
  end(): Promise<void>
  kill(): Promise<void>
  /** Starts again, maybe as in another boot. @returns what comes before a command line that is to see it */
  start(bootId?: string): Promise<readonly string[]>
}

async function world(t: Test, name: SupervisorName): Promise<World> {
  if (name === 'systemd') {
    const manager = new Manager(t)
    await manager.start()
    const a = new Talk(t)
    Object.assign(a.env, manager.env)
    const start = (bootId?: string) => manager.start(bootId === undefined ? {} : { bootId }).then(() => manager.inside)
    return { a, start, runtime: join(manager.runtime, 'agentz'), end: () => manager.end(), kill: () => manager.kill() }
  }
  const { a, supervisor, kill, launchd } = await place(t, name)
  const all = async () => [...(await supervisor.list()).keys()]
  if (launchd !== undefined) {
    const start = () => launchd.start().then(() => [])
    return { a, start, runtime: join(a.home.root, 'run'), end: () => launchd.end(), kill: () => launchd.kill() }
  }
  a.env.XDG_RUNTIME_DIR = tempDir(t)
  // At the end of a machine or a container, everybody is told.
  const end = async () => {
    const carriers = [...new Claims(a.home).carriers().values()]
    for (const member of carriers.flatMap(({ keeper, daemon }) => [keeper ?? [], daemon ?? []].flat()))
      process.kill(member.pid, 'SIGTERM')
    await until(async () => (await all()).length === 0, 'nothing runs any more')
  }
  const start = async (bootId?: string) => {
    if (bootId === undefined) return []
    const file = join(a.dir, 'boot_id')
    writeFileSync(file, `${bootId}\n`)
    const mount = `mount --bind ${file} /proc/sys/kernel/random/boot_id && exec "$@"`
    // What was started in the other boot cannot be seen from this one.
    t.teardown(async () => {
      for (const { sessionId } of a.ls()) await kill(sessionId)
    })
    return ['unshare', '-m', 'sh', '-c', mount, 'sh']
  }
  const killAll = async () => {
    for (const id of await all()) await kill(id)
  }
  return { a, start, end, kill: killAll, runtime: join(a.env.XDG_RUNTIME_DIR, 'agentz') }
}

/** A session in mid-turn, and what becomes of it once what runs it has gone and come back. */
async function play(t: Test, name: SupervisorName, how: 'end' | 'kill', bootId?: string) {
  const on = await world(t, name)
  const { a, runtime } = on
  const { id, release } = await a.busy()
  await on[how]()
  const between = a.show(id)
  // The server is bundled apart from the verb that starts it, and once did not know the error of a manager that is gone.
  const server = new Server(a, join(runtime, basename(serverSocket(a.home))))
  t.teardown(() => server.end())
  const { body } = await server.insist('GET', `/v1/sessions/${id}`)
  t.match(body, { status: between.status, cause: { result: between.cause?.result } }, 'HTTP says the same as show')
  // What a manager of another boot sees is seen from inside of it alone.
  const [program = '', ...before] = [...(await on.start(bootId)), process.execPath, cliPath]
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
  under: supervisors,
  proof: async (t, name) => {
    const { a, id, between, after } = await play(t, name, 'end')
    for (const shown of [between, after]) t.match(shown, { status: 'interrupted', cause: { result: 'log-out' } })
    const manager = name === 'systemd' ? 'stopping' : 'none'
    t.equal(ofType(a, id, 'daemon_exited')[0]?.manager, manager, 'the reaper has seen it')
  },
})

survives('manager-killed', {
  needs: ['root'],
  under: ['systemd'],
  proof: async (t, name) => {
    const { between, after } = await play(t, name, 'kill')
    for (const shown of [between, after]) t.match(shown, { status: 'interrupted', cause: { result: 'lost' } })
  },
})

survives('reboot', {
  needs: ['root'],
  under: ['systemd', 'plain'],
  proof: async (t, name) => {
    const { a, id, after } = await play(t, name, 'kill', BOOT)
    t.match(after, { status: 'interrupted', cause: { result: 'reboot' } })
    t.equal(ofType(a, id, 'daemon_started').at(-1)?.bootId, BOOT)
  },
})

survives('runtime-directory-gone', {
  needs: ['root'],
  under: supervisors,
  proof: async (t, name) => {
    const { a, runtime } = await world(t, name)
    const { id: busy } = await a.busy()
    const { id: asking } = await a.asking('one')
    const server = new Server(a, join(runtime, basename(serverSocket(a.home))))
    t.teardown(() => server.end())
    await server.insist('GET', '/healthz')
    rmSync(runtime, { recursive: true })
    t.equal(a.do('approve', asking).status, 0)
    t.equal(a.do('wait', asking, '-t', '20').status, 0, 'the answer is found without a bell')
    t.ok(
      a.said(asking).some((text) => text.includes('one: allow')),
      'and is the one that was given',
    )
    t.ok(server.kill())
    t.match((await server.insist('GET', `/v1/sessions/${busy}`)).body, { status: 'running' }, 'a new server is heard')
    process.kill(Number(ofType(a, busy, 'daemon_started')[0]?.pid), 'SIGKILL')
    if (name === 'plain') {
      await a.untilType(busy, 'daemon_exited')
      t.match(JSON.parse(a.do('recover', '--json').stdout), { sessionId: busy, action: 'resumed' })
    }
    t.equal(a.do('wait', busy, '-t', '30').status, 0, 'and who is started again goes on')
    for (const id of [busy, asking]) {
      await settled(t, a, id)
      await until(() => !existsSync(join(runtime, id)), 'no bell is left')
    }
  },
})
