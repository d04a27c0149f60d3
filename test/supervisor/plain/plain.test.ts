/** What the plain supervisor does where the contract leaves it free: keepers that are killed, signals from all sides, an environment. */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { plainDirectory, plainLog } from '../../../src/base/paths.js'
import { readTrue } from '../../../src/supervisor/fleet.js'
import { Claims } from '../../../src/supervisor/plain/claims.js'
import { PlainSupervisor } from '../../../src/supervisor/plain/plain.js'
import { recover } from '../../../src/supervisor/recover.js'
import { newHome, until } from '../../helpers/home.js'
import { Bench, isAtWork, sleeper } from '../contract/bench.js'

function stage(t: Test, stopMs?: number) {
  const home = newHome(t)
  const bench = new Bench(t, home, new PlainSupervisor(home, stopMs))
  const carrier = (id: string) => new Claims(home).carriers().get(id)
  return { bench, home, carrier, supervisor: bench.supervisor }
}

t.test('a daemon that hangs is killed after its time, and has its last word', async (t) => {
  const { bench, supervisor } = stage(t, 300)
  const { sessionId: id } = await bench.running(sleeper)
  process.kill((await supervisor.show(id))!.pid!, 'SIGSTOP')
  await supervisor.stop(id)
  t.equal(await supervisor.show(id), undefined)
  t.match(bench.of(id, 'daemon_exited'), [{ result: 'signal', status: 'KILL', manager: 'none' }])
})

t.test('its keeper killed: it runs on, is found, and is not doubled; without a last word it is lost', async (t) => {
  const { bench, supervisor, carrier, home } = stage(t)
  const spec = await bench.running(['sh', '-c', 'echo begun; exec sleep 600'], { restart: 'rerun' })
  const id = spec.sessionId
  const { keeper, daemon } = carrier(id)!
  process.kill(keeper!.pid, 'SIGKILL')
  await until(() => carrier(id)?.keeper === undefined, 'the keeper is gone')
  t.match(await supervisor.show(id), { active: 'active', sub: 'running', pid: daemon!.pid })
  await t.rejects(supervisor.start(spec), { code: 'UNIT_FAILED', message: /is running already/ })
  process.kill(daemon!.pid, 'SIGKILL')
  await until(() => carrier(id) === undefined, 'nothing carries it')
  t.match(await readTrue(home, supervisor, id), { status: 'interrupted', cause: { result: 'lost' } })
  const results: unknown[] = []
  await recover(home, supervisor, {
    dryRun: false,
    spacingMs: 0,
    onResult: async (result) => void results.push(result),
  })
  t.match(results, [{ sessionId: id, action: 'resumed' }])
  await until(() => bench.of(id, 'daemon_started').length === 2, 'it is started again')
  t.match(await readTrue(home, supervisor, id), { status: 'running', epoch: 2 })
})

t.test('keeper and daemon killed at once: what they have left is ended before the next start', async (t) => {
  const { bench, supervisor, carrier } = stage(t)
  const spec = await bench.running(['sh', '-c', 'echo $$; exec sleep 600'], { restart: 'rerun' })
  const id = spec.sessionId
  const left = Number((await bench.first(id, 'text')).content)
  const { keeper, daemon } = carrier(id)!
  for (const { pid } of [keeper!, daemon!]) process.kill(pid, 'SIGKILL')
  await until(() => carrier(id) === undefined, 'nothing carries it')
  t.ok(isAtWork(left), 'its agent has outlived both')
  await supervisor.start(spec)
  t.notOk(isAtWork(left))
  await until(() => bench.of(id, 'text').length === 2, 'it runs again')
})

t.test('told to end together with its keeper, as at the end of a login, it is one for recover', async (t) => {
  const { bench, supervisor, carrier } = stage(t)
  const { sessionId: id } = await bench.running(sleeper)
  const { keeper, daemon } = carrier(id)!
  for (const { pid } of [daemon!, keeper!]) process.kill(pid, 'SIGTERM')
  await until(async () => (await supervisor.show(id)) === undefined, 'it is gone')
  t.match(bench.of(id, 'session_interrupted'), [{ cause: { result: 'log-out' } }])
  t.match(bench.of(id, 'daemon_exited'), [{ result: 'success', code: 'exited', status: 0 }])
})

t.test('an end that a start would only repeat is failed for good', async (t) => {
  const { bench, supervisor, home } = stage(t)
  writeFileSync(home.env, 'no line of a variable\n', { mode: 0o600 })
  const { sessionId: id } = await bench.start(sleeper)
  t.match(await bench.first(id, 'session_failed'), { cause: { result: 'exit-code', code: 'exited', status: 78 } })
  await bench.gone(id)
  const log = plainLog(home, id)
  t.match(readFileSync(log, 'utf8'), /line 1: it is not KEY=value/, 'what it has said is kept')
  t.equal(statSync(log).mode & 0o777, 0o600)
  t.match(supervisor.howToLook(id), log)
})

t.test('started from within a session, it is no part of that one', async (t) => {
  const { bench, supervisor, carrier } = stage(t)
  const outer = await bench.running(sleeper)
  Object.assign(process.env, { AGENTZ_SESSION_ID: outer.sessionId, INVOCATION_ID: 'of-another' })
  t.teardown(() => {
    delete process.env.AGENTZ_SESSION_ID
    delete process.env.INVOCATION_ID
  })
  const { sessionId: id } = await bench.running(sleeper)
  for (const { pid } of [carrier(id)!.keeper!, carrier(id)!.daemon!]) {
    t.notMatch(readFileSync(`/proc/${pid}/environ`, 'latin1'), /AGENTZ_SESSION_ID|of-another/)
  }
  await supervisor.stop(outer.sessionId)
  t.match(await supervisor.show(id), { active: 'active' })
})

t.test('caps of the whole fleet that nobody would keep are refused', async (t) => {
  const { supervisor, home } = stage(t)
  writeFileSync(home.config, JSON.stringify({ fleet: { memory: '16G', cpu: null, tasks: 4000 } }))
  const message = /under plain: config.json has fleet.memory, fleet.tasks$/
  await t.rejects(supervisor.prepare(), { code: 'UNSUPPORTED', message })
  writeFileSync(home.config, JSON.stringify({ fleet: { memory: null, sessions: 2 } }))
  await supervisor.prepare()
})

t.test('what keeps it from being started is told', async (t) => {
  const { bench, supervisor, home } = stage(t)
  const spec = await bench.create(sleeper)
  writeFileSync(plainDirectory(home), 'a file')
  await t.rejects(supervisor.start(spec), { code: 'HOME_UNUSABLE', message: /plain as a private directory/ })
  await t.rejects(supervisor.list(), { code: 'HOME_UNUSABLE', message: /cannot see what carries sessions: ENOTDIR/ })
  rmSync(plainDirectory(home))
  t.equal((await supervisor.list()).size, 0)
})
