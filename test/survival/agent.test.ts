/** The agent of a session, or a process that it has started, is killed or left behind. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { treeOf } from '../../src/base/tree.js'
import { requireManager } from '../helpers/agentz.js'
import { until } from '../helpers/home.js'
import { place } from './place.js'
import { supervisors, survives } from './row.js'
import { midTurn, ofType, settled } from './stage.js'

requireManager()

survives('agent-killed', {
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    const { id, agent, release } = await midTurn(a)
    process.kill(agent, 'SIGKILL')
    await until(() => ofType(a, id, 'message_accepted').length === 2, 'it was asked to go on')
    release()
    t.equal(a.do('wait', id).status, 0)
    t.match(a.show(id), { status: 'completed', epoch: 1, restarts: 0 })
    t.match(ofType(a, id, 'turn_ended')[0], { reason: 'interrupted', error: /SIGKILL/ }, 'the log says why')
    await settled(t, a, id)
  },
})

survives('tool-left-behind', {
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    const file = join(a.dir, 'pid')
    // In a session of its own, so that no signal to the group of the agent reaches it.
    const tool = `setsid sh -c 'echo $$ > ${file}; exec sleep 600' & wait`
    const { sessionId } = a.run('-a', 'command', '--', 'sh', '-c', tool)
    await until(() => existsSync(file) && readFileSync(file, 'utf8') !== '', 'the tool runs')
    const pid = Number(readFileSync(file, 'utf8'))
    t.equal(treeOf([pid]).length, 1)
    t.equal(a.do('cancel', sessionId).status, 0)
    await until(() => treeOf([pid]).length === 0, 'the tool is gone', 30_000)
    await settled(t, a, sessionId)
    t.equal(spawnSync('pgrep', ['-f', file], { encoding: 'utf8' }).stdout, '', 'nothing is left that names it')
  },
})
