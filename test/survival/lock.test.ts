/** Who holds a lock is suspended, between a look at what is said and its own word. */
import { existsSync } from 'node:fs'
import { sessionLog } from '../../src/base/paths.js'
import { cliPath, requireManager } from '../helpers/agentz.js'
import { until } from '../helpers/home.js'
import { start } from '../helpers/program.js'
import { place } from './place.js'
import { supervisors, survives } from './row.js'
import { ofType, settled } from './stage.js'

requireManager()

survives('lock-holder-suspended', {
  needs: ['strace'],
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    const { id, requests } = await a.asking('A')
    const log = sessionLog(a.home, id)
    const suspend = ['strace', '-f', '-qq', '-o', '/dev/null', '-P', log, '-e', 'inject=write:delay_enter=5s:when=1']
    const held = start(t, [...suspend, process.execPath, cliPath, 'approve', id, requests[0] ?? ''], a.env)
    await until(() => existsSync(`${log}.lock`), 'it has the lock')
    t.match(a.do('deny', id, requests[0] ?? ''), { status: 0 }, 'another one does not wait for it')
    const late = { code: 3, stdout: '', stderr: /was answered already/ }
    t.match(await held.ended, late, 'who comes too late is told so, also with its word in the file')
    await a.untilType(id, 'daemon_exited')
    t.strictSame(
      ofType(a, id, 'approval_response').map(({ decision }) => decision),
      ['deny', 'allow'],
    )
    t.strictSame(a.said(id), ['A: deny The user denied this.'], 'the first answer is the one that counts')
    t.match(a.show(id), { status: 'completed' })
    t.notOk(existsSync(`${log}.lock`))
    await settled(t, a, id)
  },
})
