/** A session is held still for longer than its watchdog waits. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { requireManager } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'
import { Manager } from '../helpers/manager.js'
import { survives } from './row.js'
import { midTurn, ofType, settled } from './stage.js'

requireManager()

const WATCHDOG_S = 2

survives('frozen-past-watchdog', {
  needs: ['root'],
  under: ['systemd'],
  proof: async (t) => {
    const manager = new Manager(t)
    await manager.start()
    const directory = join(manager.runtime, 'systemd', 'user', 'agentz-session-.service.d')
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'watchdog.conf'), `[Service]\nWatchdogSec=${WATCHDOG_S}\n`)
    const a = new Talk(t)
    Object.assign(a.env, manager.env)
    const { id, daemon, release } = await midTurn(a)
    t.equal(a.do('freeze', id).status, 0)
    release()
    t.equal(a.do('send', id, 'say later').status, 0, 'what is said meanwhile is kept')
    const end = Date.now() + WATCHDOG_S * 2500
    await until(() => Date.now() > end, 'its watchdog would have bitten twice')
    t.match(a.show(id), { status: 'running', frozen: true, pid: daemon, restarts: 0 })
    t.notOk(a.said(id).includes('later'), 'nothing was done')
    t.equal(a.do('thaw', id).status, 0)
    await a.untilType(id, 'session_completed')
    t.strictSame(a.said(id), ['held', 'later'], 'it goes on where it was')
    t.equal(ofType(a, id, 'daemon_started').length, 1)
    await settled(t, a, id)
  },
})
