/** How a daemon can end, and what is on disk then. Each end is a real one, under the real user manager. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { doorbell } from '../../src/base/paths.js'
import { Agentz, isAlive, requireManager, systemctl } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { tempDir, until } from '../helpers/home.js'

requireManager()

t.test('kill -9 of the daemon: the fact within a second, and never shown as running', async (t) => {
  const a = new Agentz(t)
  const { sessionId, unit } = await a.ticking()
  const { pid } = a.show(sessionId) as { pid: number }
  const agentPid = Number(spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' }).stdout.split('\n')[0])
  const killed = Date.now()
  process.kill(pid, 'SIGKILL')
  await until(() => a.registry(sessionId).some(({ type }) => type === 'daemon_exited'), 'the registry has the fact')
  const fact = a.registry(sessionId).find(({ type }) => type === 'daemon_exited')!
  t.ok(Date.parse(fact.timestamp as string) - killed < 1000, `${Date.parse(fact.timestamp as string) - killed} ms`)
  t.match(fact, {
    result: 'signal',
    code: 'killed',
    status: 'KILL',
    unit,
    epoch: 1,
    manager: /running|degraded/,
    by: 'supervisor',
  })
  t.equal(a.ls()[0]?.status, 'interrupted', 'between death and restart')
  const end = await a.untilType(sessionId, 'session_interrupted')
  t.match(end, { epoch: 2, cause: { result: 'signal', status: 'KILL' } })
  await until(() => a.show(sessionId).unitState === undefined, 'the unit is gone')
  t.match(a.show(sessionId), {
    status: 'interrupted',
    restarts: 1,
    cause: { result: 'signal', code: 'killed', status: 'KILL' },
  })
  t.notOk(isAlive(agentPid), 'the agent did not outlive its unit')
})

t.test('kill -9 while another writer died inside the registry lock: three seconds at most', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = await a.ticking()
  const { pid } = a.show(sessionId) as { pid: number }
  // What a process leaves that was killed inside the lock: a directory whose time no longer moves.
  mkdirSync(`${a.home.registry}.lock`)
  utimesSync(`${a.home.registry}.lock`, new Date(), new Date())
  const killed = Date.now()
  process.kill(pid, 'SIGKILL')
  await until(() => a.registry(sessionId).some(({ type }) => type === 'daemon_exited'), 'the registry has the fact')
  t.ok(Date.now() - killed < 3500, `${Date.now() - killed} ms`)
})

// The reaper once wrote the exit first, which closed the row, and the end could not be told any more.
t.test('killed between its terminal event and the registry: completed stays completed', async (t) => {
  const a = new Agentz(t)
  const go = join(tempDir(t), 'go')
  const { sessionId } = a.run('-a', 'command', '--', 'sh', '-c', `echo ready; until [ -e ${go} ]; do sleep 0.02; done`)
  await a.until(sessionId, (events) => events.some(({ content }) => content === 'ready'), 'it is ready')
  await until(() => a.registry(sessionId).some(({ type }) => type === 'daemon_started'), 'the registry knows it')
  const { pid } = a.show(sessionId) as { pid: number }
  // Somebody holds the registry's lock, and keeps it fresh, while the session ends.
  const lock = `${a.home.registry}.lock`
  mkdirSync(lock)
  const keep = setInterval(() => utimesSync(lock, new Date(), new Date()), 200)
  t.teardown(() => clearInterval(keep))
  writeFileSync(go, '')
  await a.untilType(sessionId, 'session_completed')
  process.kill(pid, 'SIGKILL')
  clearInterval(keep)
  rmdirSync(lock)
  await until(
    () =>
      a.show(sessionId).unitState === undefined && a.registry(sessionId).some(({ type }) => type === 'daemon_exited'),
    'the unit is gone',
  )
  t.match(a.ls()[0], { sessionId, status: 'completed' })
  t.match(a.show(sessionId), { status: 'completed' })
  t.notOk(a.events(sessionId).some(({ type }) => type === 'session_interrupted'))
})

t.test('--restart rerun: the session comes back by itself', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = await a.ticking('--restart', 'rerun')
  process.kill(a.show(sessionId).pid as number, 'SIGKILL')
  await a.until(
    sessionId,
    (events) => events.some(({ epoch, content }) => epoch === 2 && content === 'tick'),
    'it ticks again',
  )
  t.match(a.show(sessionId), { status: 'running', epoch: 2, restarts: 1, cause: undefined })
})

t.test('a session that ran longer than it may: ended for good, also with --restart rerun', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = await a.ticking('--restart', 'rerun', '--runtime', '1')
  const failed = await a.untilType(sessionId, 'session_failed')
  t.match(failed, { epoch: 2, error: 'it ran longer than 1 s', cause: { result: 'timeout' } })
  t.notOk(
    a.events(sessionId).some(({ epoch, type }) => epoch === 2 && type === 'text'),
    'the agent did not run again',
  )
})

t.test('too many deaths: systemd gives up, and says so', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = await a.ticking('--restart', 'rerun')
  for (let epoch = 1; epoch <= 5; epoch++) {
    const started = (
      await a.until(
        sessionId,
        (events) => events.some((e) => e.type === 'daemon_started' && e.epoch === epoch),
        `start ${epoch}`,
      )
    ).filter(({ type }) => type === 'daemon_started')
    process.kill(started.at(-1)?.pid as number, 'SIGKILL')
  }
  const failed = await a.untilType(sessionId, 'session_failed')
  t.match(failed, { cause: { result: 'start-limit-hit', status: 'KILL' }, error: /was not started again/ })
  t.match(a.show(sessionId), { status: 'failed', epoch: 5, cause: { result: 'start-limit-hit' } })
  await until(
    () => !existsSync(doorbell(a.home, sessionId)) && !existsSync(`${doorbell(a.home, sessionId)}.env`),
    'nothing is left in the runtime directory',
  )
})

// Between two starts systemd runs neither reaper nor OnFailure=: the last word was never written, and recover took it up unasked.
t.test('systemctl stop between two starts of the daemon: stopped, and nothing is left', async (t) => {
  const a = new Talk(t)
  const { id } = await a.busy()
  const unit = `agentz-session-${id}.service`
  process.kill(Number(a.show(id).pid), 'SIGKILL')
  await until(() => systemctl('show', '-p', 'SubState', '--value', unit).trim() === 'auto-restart', 'it is to restart')
  systemctl('stop', unit)
  const end = await a.untilType(id, 'session_interrupted')
  t.match(end, { by: 'supervisor', epoch: 1, cause: { result: 'stopped', message: /had ended by signal/ } })
  await until(
    () => !existsSync(doorbell(a.home, id)) && !existsSync(`${doorbell(a.home, id)}.env`),
    'nothing is left in the runtime directory',
  )
  t.match(a.show(id), { status: 'interrupted', cause: { result: 'stopped' }, unitState: undefined })
  t.match(a.ls(), [{ sessionId: id, status: 'interrupted', cause: { result: 'stopped' } }])
  t.equal(a.do('recover', '--dry-run', '--json').stdout, '', 'somebody wanted it to end')
  t.match(a.do('send', id, '-w', 'say back'), { status: 0, stdout: 'back\n' }, 'and it can be taken up again')
})

t.test('systemctl stop, kill, restart and status on a live session', async (t) => {
  const a = new Agentz(t)
  const stopped = await a.ticking()
  t.match(systemctl('status', stopped.unit), /Active: active \(running\)/)
  systemctl('stop', stopped.unit)
  t.match(a.show(stopped.sessionId), { status: 'interrupted', cause: { result: 'stopped' }, unitState: undefined })
  t.match(a.registry(stopped.sessionId).at(-2), {
    type: 'daemon_exited',
    result: 'success',
    manager: /running|degraded/,
  })

  const killed = await a.ticking()
  systemctl('kill', killed.unit)
  await a.untilType(killed.sessionId, 'session_interrupted')
  t.match(a.show(killed.sessionId), { status: 'interrupted', cause: { result: 'stopped' } })

  const shot = await a.ticking()
  systemctl('kill', '-s', 'KILL', shot.unit)
  await a.untilType(shot.sessionId, 'session_interrupted')
  t.match(a.show(shot.sessionId), { status: 'interrupted', cause: { result: 'signal', status: 'KILL' } })

  const restarted = await a.ticking('--restart', 'rerun')
  systemctl('restart', restarted.unit)
  await a.until(
    restarted.sessionId,
    (events) => events.some(({ epoch, content }) => epoch === 2 && content === 'tick'),
    'it ticks again',
  )
  t.match(a.show(restarted.sessionId), { status: 'running', epoch: 2 })

  // The README says so: a collected unit is gone with its definition.
  const start = spawnSync('systemctl', ['--user', 'start', stopped.unit], { encoding: 'utf8' })
  t.equal(start.status, 5)
  t.match(start.stderr, /not found/)
})

t.test('a session that ends by itself: terminal event first, then the fact, and no unit is left', async (t) => {
  const a = new Agentz(t)
  const { sessionId, unit } = a.run('-a', 'command', '--', 'sh', '-c', 'exit 7')
  const exited = await a.untilType(sessionId, 'daemon_exited')
  t.match(exited, { result: 'success', code: 'exited', status: 0 })
  t.match(
    a.events(sessionId).map(({ type }) => type),
    ['session_created', 'daemon_started', 'session_failed', 'daemon_exited'],
  )
  t.match(a.show(sessionId), { status: 'failed', cause: { result: 'exit-code', status: 7 } })
  await until(() => !systemctl('list-units', '--all', unit).includes(unit), 'the unit is collected')
})
