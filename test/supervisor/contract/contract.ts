/**
 * What every supervisor keeps, whichever it is: a test for each line, on real daemons. A promise that one does not make is checked to be
 * refused, or to be absent.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Home } from '../../../src/base/paths.js'
import { argumentsOf, processes } from '../../../src/base/proc.js'
import type { NewSession } from '../../../src/session/store.js'
import { launch } from '../../../src/supervisor/launch.js'
import type { Supervisor } from '../../../src/supervisor/supervisor.js'
import { carries } from '../../../src/supervisor/truth.js'
import { newHome, until } from '../../helpers/home.js'
import { Bench, isAtWork, sleeper } from './bench.js'

export function contract(name: string, make: (t: Test, home: Home) => Supervisor | Promise<Supervisor>): void {
  const stage = async (t: Test) => {
    const home = newHome(t)
    return new Bench(t, home, await make(t, home))
  }
  const test = (what: string, proof: (t: Test, bench: Bench) => Promise<void>) =>
    t.test(`${name}: ${what}`, async (t) => proof(t, await stage(t)))

  test('what is started is listed, has a pid, and is not started twice', async (t, b) => {
    const spec = await b.running(sleeper)
    const { sessionId: id } = spec
    const unit = await b.supervisor.show(id)
    t.match(unit, { active: 'active', sub: 'running', pid: b.of(id, 'daemon_started')[0]?.pid })
    t.match((await b.supervisor.list()).get(id), { active: 'active', sub: 'running' })
    t.match(b.of(id, 'daemon_started')[0], { unit: b.supervisor.unitName(id) })
    t.ok(b.supervisor.unitName(id).includes(id))
    t.equal(b.of(id, 'daemon_started')[0]?.supervisor, name === 'systemd' ? undefined : name)
    await t.rejects(b.supervisor.start(spec), { code: 'UNIT_FAILED' })
    t.equal(b.of(id, 'daemon_started').length, 1)
  })

  test('one that has done its work is gone, and stays so', async (t, b) => {
    const { sessionId: id } = await b.start(['echo', 'hello'])
    await b.gone(id)
    t.strictSame(b.types(id), ['daemon_started', 'session_completed', 'daemon_exited'])
    t.match(b.of(id, 'daemon_exited')[0], { result: 'success', code: 'exited', status: 0, epoch: 1 })
    t.equal((await b.supervisor.list()).has(id), false)
    t.equal(await b.supervisor.show(id), undefined)
  })

  test('a killed daemon: its end is on disk within 2 s, its tools are gone, and it is started again where that is promised', async (t, b) => {
    const file = join(b.dir, 'pid')
    const { sessionId: id } = await b.running(['sh', '-c', `setsid sh -c 'echo $$ > ${file}; exec sleep 600'`], {
      restart: 'mark',
    })
    const tool = await b.numberIn(file)
    const killed = Date.now()
    process.kill((await b.supervisor.show(id))!.pid!, 'SIGKILL')
    const exit = await b.first(id, 'daemon_exited')
    t.match(exit, { result: 'signal', code: 'killed', status: 'KILL', epoch: 1 })
    t.ok(Date.parse(String(exit.timestamp)) - killed < 2000, `${Date.parse(String(exit.timestamp)) - killed} ms`)
    await until(() => !isAtWork(tool), 'a tool in a session of its own is gone')
    await b.gone(id)
    const { restarts } = b.supervisor.promises
    t.equal(b.of(id, 'daemon_started').length, restarts ? 2 : 1)
    t.equal(b.of(id, 'daemon_exited').length, restarts ? 2 : 1, 'one end for each start')
  })

  test('a daemon that is killed whenever it starts is given up, once', async (t, b) => {
    if (!b.supervisor.promises.restarts) return void t.pass('it is not started again at all')
    const { sessionId: id } = await b.running(sleeper, { restart: 'rerun' })
    for (let epoch = 1; epoch <= 5; epoch++) {
      await until(() => b.of(id, 'daemon_started').length === epoch, `start ${epoch}`, 30_000)
      process.kill(Number(b.of(id, 'daemon_started').at(-1)?.pid), 'SIGKILL')
    }
    await b.first(id, 'session_failed', 30_000)
    await b.gone(id)
    t.match(b.of(id, 'session_failed'), [{ cause: { result: 'start-limit-hit' } }])
    t.equal(b.of(id, 'daemon_started').length, 5)
  })

  test('stop ends all of it, also a tool in a session of its own, and once more is nothing', async (t, b) => {
    const file = join(b.dir, 'pid')
    const { sessionId: id } = await b.running(['sh', '-c', `setsid sh -c 'echo $$ > ${file}; exec sleep 600'`])
    const tool = await b.numberIn(file)
    const { pid } = (await b.supervisor.show(id))!
    await b.supervisor.stop(id)
    t.strictSame([pid!, tool].filter(isAtWork), [])
    t.equal(await b.supervisor.show(id), undefined)
    t.match(b.of(id, 'session_interrupted'), [{ cause: { result: 'stopped' } }])
    t.match(b.of(id, 'daemon_exited'), [{ result: 'success', epoch: 1 }])
    await b.supervisor.stop(id)
    await b.supervisor.stop('0123456789ab')
    t.equal(b.types(id).filter((type) => type !== 'daemon_started').length, 2, 'nothing more is written')
  })

  test('the lines of --how start it', async (t, b) => {
    const spec = await b.create(sleeper)
    await b.supervisor.prepare()
    const { status, stderr } = spawnSync('sh', ['-c', b.supervisor.howToStart(spec)], { encoding: 'utf8' })
    t.equal(status, 0, stderr)
    await b.first(spec.sessionId, 'daemon_started')
    await until(async () => carries(await b.supervisor.show(spec.sessionId)), 'it is carried')
    await t.rejects(b.supervisor.start(spec), { code: 'UNIT_FAILED' })
    const look = spawnSync('sh', ['-c', b.supervisor.howToLook(spec.sessionId)], { encoding: 'utf8' })
    t.match(look.stdout, spec.sessionId)
    await b.supervisor.stop(spec.sessionId)
    t.strictSame(b.types(spec.sessionId), ['daemon_started', 'daemon_exited', 'session_interrupted'])
  })

  test('of several starts at once, one wins, whichever way they come', async (t, b) => {
    const spec = await b.create(sleeper)
    const id = spec.sessionId
    await b.supervisor.prepare()
    const byHand = () => spawnSync('sh', ['-c', b.supervisor.howToStart(spec)])
    const starts = Array.from({ length: 4 }, () => b.supervisor.start(spec))
    byHand()
    byHand()
    const results = await Promise.allSettled(starts)
    t.ok(results.filter(({ status }) => status === 'fulfilled').length <= 1, 'at most one of them')
    await b.first(id, 'daemon_started')
    // Whoever has lost may be about to notice.
    await until(() => b.processesOf(id).length === 1, 'one daemon is left')
    t.equal(b.of(id, 'daemon_started').length, 1)
    t.equal(b.of(id, 'daemon_exited').length, 0)
    t.equal((await b.supervisor.show(id))?.pid, b.processesOf(id)[0])
    await b.supervisor.stop(id)
    t.strictSame([b.of(id, 'daemon_started').length, b.of(id, 'daemon_exited').length], [1, 1])
  })

  test('daemons of another home do not notice', async (t, b) => {
    const other = await stage(t)
    const theirs = await other.running(sleeper)
    const ours = await b.running(sleeper)
    await b.supervisor.prepare()
    await b.supervisor.stop(ours.sessionId)
    await b.supervisor.stop(theirs.sessionId.replace(/.$/, (last) => (last === '0' ? '1' : '0')))
    t.match(await other.supervisor.show(theirs.sessionId), { active: 'active', sub: 'running' })
    t.equal(other.of(theirs.sessionId, 'daemon_exited').length, 0)
  })

  test('several are listed in one question, as each is shown', async (t, b) => {
    const specs = await Promise.all([b.running(sleeper), b.running(sleeper), b.running(sleeper)])
    const all = await b.supervisor.list()
    for (const { sessionId } of specs) {
      const { active, sub } = (await b.supervisor.show(sessionId))!
      t.strictSame(all.get(sessionId), { active, sub })
    }
    await b.supervisor.stop(specs[0]!.sessionId)
    t.strictSame(
      specs.map(({ sessionId }) => all.has(sessionId)),
      [true, true, true],
    )
    // A manager may take a moment to forget what has stopped.
    await until(async () => !(await b.supervisor.list()).has(specs[0]!.sessionId), 'it is listed no more')
  })

  test('nothing that a person has said stands on a command line or in a log of the daemon', async (t, b) => {
    const secret = `word-${process.pid}-of-a-person`
    const fields: Partial<NewSession> = { prompt: `${secret}\n`, title: secret, labels: { secret } }
    const { sessionId } = await b.running(['sh', '-c', 'cat; exec sleep 600'], fields)
    await until(() => b.of(sessionId, 'text').length > 0, 'the agent has got it')
    const told = processes().filter(({ pid }) => argumentsOf(pid).some((word) => word.includes(secret)))
    t.strictSame(told, [])
    const look = spawnSync('sh', ['-c', b.supervisor.howToLook(sessionId)], { encoding: 'utf8' })
    t.notMatch(look.stdout, secret)
  })

  test('limits are kept, or refused before anything is made; the time is kept everywhere', async (t, b) => {
    const { limits, caveat } = b.supervisor.promises
    t.equal(caveat === undefined, name === 'systemd', 'who promises less says so')
    const asked = { memory: '512M', cpu: '150%', tasks: 128 } as const
    for (const limit of ['memory', 'cpu', 'tasks'] as const) {
      const spec = b.specify(sleeper, { limits: { [limit]: asked[limit] } })
      const launched = launch(b.home, b.supervisor, spec, {})
      if (limits.includes(limit)) {
        await launched
        await b.first(spec.sessionId, 'daemon_started')
        await b.supervisor.stop(spec.sessionId)
      } else {
        await t.rejects(launched, { code: 'UNSUPPORTED', message: new RegExp(`--${limit} under ${name}`) })
        t.equal(existsSync(b.log(spec.sessionId)), false, 'nothing was made')
      }
    }
    const { sessionId } = await b.start(sleeper, { limits: { runtime: 1 } })
    t.match(await b.first(sessionId, 'session_failed', 30_000), {
      cause: { result: 'timeout' },
      error: /longer than 1 s/,
    })
    await b.gone(sessionId)
  })

  test('what it cannot freeze, it refuses to freeze', async (t, b) => {
    const { sessionId } = await b.running(sleeper)
    const freezer = await b.supervisor.freezer(sessionId).catch((error) => error)
    if (name === 'systemd') t.match(freezer, { wanted: Function })
    else t.match(freezer, { code: 'UNSUPPORTED' })
  })
}
