/** The daemon of a session dies, hangs, or is killed again and again. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { requireManager } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'
import { place } from './place.js'
import { supervisors, survives } from './row.js'
import { midTurn, ofType, settled, unitOf } from './stage.js'

requireManager()

survives('daemon-killed', {
  under: supervisors,
  proof: async (t, name) => {
    const { a, supervisor } = await place(t, name)
    const { id, daemon, release } = await midTurn(a)
    process.kill(daemon, 'SIGKILL')
    const killed = Date.now()
    const exited = await a.untilType(id, 'daemon_exited')
    t.match(exited, { result: 'signal', code: 'killed', status: 'KILL', epoch: 1 })
    t.ok(Date.parse(String(exited.timestamp)) - killed < 2000, 'its end is on disk within 2 s')
    if (!supervisor.promises.restarts) {
      t.match(a.show(id), { status: 'interrupted', cause: { result: 'signal' } })
      t.match(JSON.parse(a.do('recover', '--json').stdout), { sessionId: id, action: 'resumed' })
    }
    t.equal(a.do('send', id, 'say after the crash').status, 0)
    release()
    t.equal(a.do('wait', id).status, 0)
    // On a busy machine it may have ended before it was spoken to, and was taken up again.
    t.match(a.show(id), { status: 'completed', restarts: 1 })
    t.match(ofType(a, id, 'daemon_started')[1], { epoch: 2 })
    t.ok(a.said(id).includes('after the crash'), 'what was said to it while nothing ran is answered')
    await settled(t, a, id)
  },
})

survives('program-of-a-killed-daemon', {
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    const { sessionId } = await a.ticking()
    process.kill(Number(ofType(a, sessionId, 'daemon_started')[0]?.pid), 'SIGKILL')
    t.equal(a.do('wait', sessionId).status, 12)
    t.match(a.show(sessionId), { status: 'interrupted', cause: { result: 'signal', status: 'KILL' } })
    await settled(t, a, sessionId)
  },
})

survives('daemon-hung', {
  under: ['systemd'],
  proof: async (t) => {
    const a = new Talk(t)
    writeFileSync(a.home.env, `HOME=${a.env.HOME}\nPATH=${a.env.PATH}\n`)
    // What `--how` prints is what `run` does: with a watchdog that has less patience.
    const file = join(a.dir, 'release')
    const { stdout } = a.do('run', '--how', '-C', a.dir, `hold ${file}`)
    const [, id = ''] = /sessions\/([0-9a-f]{12})\.ndjson/.exec(stdout) ?? []
    t.teardown(() => spawnSync('systemctl', ['--user', 'stop', unitOf(id)], { stdio: 'ignore' }))
    t.match(stdout, /WatchdogSec=120/)
    const { status } = spawnSync('sh', ['-c', stdout.replace('WatchdogSec=120', 'WatchdogSec=3')], { env: a.env })
    t.equal(status, 0)
    const started = await a.untilType(id, 'daemon_started')
    await a.untilType(id, 'message_accepted')
    process.kill(Number(started.pid), 'SIGSTOP')
    t.match(await a.untilType(id, 'daemon_exited', 60_000), { result: 'watchdog', epoch: 1 })
    writeFileSync(file, '')
    await a.untilType(id, 'session_completed')
    t.match(ofType(a, id, 'daemon_started').at(-1), { epoch: 2 }, 'it was started again, and has gone on')
    await settled(t, a, id)
  },
})

survives('daemon-killed-again-and-again', {
  under: ['systemd', 'launchd'],
  proof: async (t, name) => {
    const { a } = await place(t, name)
    const { id } = await a.busy()
    for (let epoch = 1; epoch <= 5; epoch++) {
      await until(() => ofType(a, id, 'daemon_started').length === epoch, `start ${epoch}`)
      process.kill(Number(ofType(a, id, 'daemon_started').at(-1)?.pid), 'SIGKILL')
    }
    await a.untilType(id, 'session_failed', 60_000)
    t.match(a.show(id), { status: 'failed', cause: { result: 'start-limit-hit' } })
    t.equal(ofType(a, id, 'session_failed').length, 1, 'told once')
    await settled(t, a, id)
    t.equal(a.do('send', id, 'skip').status, 0, 'and it can be taken up again')
    t.equal(a.do('cancel', id).status, 0)
  },
})
