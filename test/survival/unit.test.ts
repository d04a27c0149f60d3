/** The unit of a session is stopped, killed or starved, by a person or by the kernel; its neighbours do not notice. */
import { execFileSync } from 'node:child_process'
import { treeOf } from '../../src/base/tree.js'
import { requireManager, systemctl } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'
import { place } from './place.js'
import { supervisors, survives } from './row.js'
import { midTurn, settled } from './stage.js'

requireManager()

survives('unit-stopped', {
  under: supervisors,
  proof: async (t, name) => {
    const { a, stop } = await place(t, name)
    const { id, agent } = await midTurn(a)
    await stop(id)
    t.match(a.show(id), { status: 'interrupted', cause: { result: 'stopped' } })
    t.strictSame(treeOf([agent]), [], 'the agent is gone')
    await settled(t, a, id)
    t.match(a.do('send', id, '-w', 'say back'), { status: 0, stdout: 'back\n' }, 'and it can be taken up again')
    t.equal(a.do('wait', id).status, 0)
  },
})

survives('unit-killed', {
  under: supervisors,
  proof: async (t, name) => {
    const { a, supervisor, kill } = await place(t, name)
    const { id, release } = await midTurn(a)
    await kill(id)
    if (!supervisor.promises.restarts) {
      t.match(a.show(id), { status: 'interrupted', cause: { result: 'lost' } })
      t.match(JSON.parse(a.do('recover', '--json').stdout), { sessionId: id, action: 'resumed' })
    }
    await a.untilType(id, 'daemon_exited')
    release()
    t.equal(a.do('wait', id).status, 0)
    t.match(a.show(id), { status: 'completed', epoch: 2 })
    await settled(t, a, id)
  },
})

survives('neighbour-stopped', {
  under: supervisors,
  proof: async (t, name) => {
    const { a, stop } = await place(t, name)
    const first = await midTurn(a)
    const second = await midTurn(a)
    await stop(first.id)
    t.match(a.show(second.id), { status: 'running', pid: second.daemon, restarts: 0 })
    second.release()
    t.equal(a.do('wait', second.id).status, 0)
    t.match(a.show(second.id), { status: 'completed', epoch: 1 })
    for (const { id } of [first, second]) await settled(t, a, id)
  },
})

survives('out-of-memory', {
  under: ['systemd'],
  proof: async (t) => {
    const a = new Talk(t)
    const neighbour = await midTurn(a)
    const eater = 'const all = []; for (;;) all.push(Buffer.alloc(1e7, 1))'
    const { sessionId } = a.run('--memory', '256M', '-a', 'command', '--', process.execPath, '-e', eater)
    a.do('wait', sessionId)
    t.match(a.show(sessionId).cause, { result: 'oom-kill' })
    await settled(t, a, sessionId)
    neighbour.release()
    t.equal(a.do('wait', neighbour.id).status, 0)
    t.match(a.show(neighbour.id), { status: 'completed', epoch: 1 }, 'the neighbour did not notice')
  },
})

survives('fork-bomb', {
  under: ['systemd'],
  proof: async (t) => {
    const a = new Talk(t)
    const { sessionId, unit } = a.run(
      '--tasks',
      '64',
      '-a',
      'command',
      '--',
      'bash',
      '-c',
      'bomb() { bomb | bomb & }; bomb; sleep 600',
    )
    const tasks = () => Number(systemctl('show', '-p', 'TasksCurrent', '--value', unit))
    await until(() => tasks() >= 60, 'the bomb has gone off')
    t.ok(tasks() <= 64, 'and is contained')
    const neighbour = a.run('-a', 'command', '--', 'echo', 'hello')
    t.equal(a.do('wait', neighbour.sessionId).status, 0, 'another session runs meanwhile')
    t.equal(a.do('cancel', '-t', '5', sessionId).status, 0)
    t.equal(a.show(sessionId).status, 'cancelled')
    await settled(t, a, sessionId)
    t.throws(() => execFileSync('systemctl', ['--user', 'is-active', '--quiet', unit]), 'nothing of it is left')
  },
})
