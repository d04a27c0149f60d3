/** Freezing and thawing under a manager of its own, past a watchdog that is shortened for all of its sessions. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Agentz, lines, type Running, requireManager, systemctl } from '../helpers/agentz.js'
import { isRoot, until } from '../helpers/home.js'
import { Manager } from '../helpers/manager.js'
import { Server } from '../survival/soak/http.js'

requireManager()

const WATCHDOG_S = 2
const { XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS } = process.env
const usual = { XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS }
const manager = new Manager(t)
// Under a manager that others use, their sessions would have its watchdog too.
const skip = isRoot ? false : 'needs root, for a manager of its own'
if (isRoot) {
  await manager.start()
  Object.assign(process.env, manager.env)
  const directory = join(manager.runtime, 'systemd', 'user', 'agentz-session-.service.d')
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'watchdog.conf'), `[Service]\nWatchdogSec=${WATCHDOG_S}\n`)
}

const ticks = (a: Agentz, { sessionId }: Running) =>
  lines(readFileSync(a.show(sessionId).log as string, 'utf8')).filter((line) => line.includes('"tick"')).length
const types = (a: Agentz, { sessionId }: Running) => a.events(sessionId).map(({ type }) => type)
const jsonOf = (text: string) => lines(text).map((line) => JSON.parse(line))

async function outlast(seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000
  await until(() => Date.now() > end, 'the time is over', 60_000)
}

t.test('a frozen session does nothing, outlives its watchdog, and goes on', { skip }, async (t: Test) => {
  const a = new Agentz(t)
  const session = await a.ticking()
  const { sessionId, unit } = session
  t.match(systemctl('show', '-p', 'WatchdogUSec', unit), /=2s/)
  t.match(jsonOf(a.do('freeze', sessionId, '--json').stdout), [
    { sessionId, status: 'running', frozen: true, done: true },
  ])
  const before = ticks(a, session)
  t.match(a.do('ls').stdout, /\tfrozen\t/)
  t.match(a.show(sessionId), { status: 'running', frozen: true })
  t.match(jsonOf(a.do('freeze', sessionId, '--json').stdout), [{ frozen: true, done: false }], 'twice')
  await outlast(WATCHDOG_S * 2.5)
  t.equal(ticks(a, session), before)
  t.match(a.show(sessionId), { status: 'running', frozen: true, epoch: 1 })
  t.match(jsonOf(a.do('thaw', sessionId, '--json').stdout), [{ sessionId, frozen: false, done: true }])
  await until(() => ticks(a, session) > before, 'it ticks again')
  t.equal(a.show(sessionId).frozen, undefined)
  t.match(jsonOf(a.do('thaw', sessionId, '--json').stdout), [{ frozen: false, done: false }], 'of what is not frozen')
  const said = types(a, session).filter((type) => /freeze|frozen|thaw/.test(String(type)))
  t.same(said.slice(0, 2), ['freeze_requested', 'session_frozen'])
  for (const type of ['thaw_requested', 'session_thawed']) t.ok(said.includes(type), type)
  await outlast(WATCHDOG_S * 1.5)
  t.equal(a.show(sessionId).epoch, 1, 'its watchdog is fed')
  const { pid } = a.show(sessionId)
  process.kill(pid ?? 0, 'SIGSTOP')
  const exit = await a.untilType(sessionId, 'daemon_exited', 40_000)
  t.equal(exit.result, 'watchdog', 'and bites again')
})

t.test('cancel of a frozen one; freeze and thaw of one that has ended', { skip }, async (t) => {
  const a = new Agentz(t)
  const { sessionId } = await a.ticking()
  a.do('freeze', sessionId)
  t.equal(a.do('cancel', sessionId).status, 0)
  t.match(a.show(sessionId), { status: 'cancelled', frozen: undefined })
  for (const verb of ['freeze', 'thaw']) {
    const result = a.do(verb, sessionId, '--json')
    t.equal(result.status, 0, result.stderr)
    t.match(jsonOf(result.stdout), [{ status: 'cancelled', frozen: false, done: false }])
  }
  for (const args of [['freeze'], ['thaw', '--all', sessionId], ['cancel']])
    t.equal(a.do(...args).status, 2, args.join(' '))
})

t.test('all: some run, one waits in the queue, one has ended', { skip }, async (t) => {
  const a = new Agentz(t)
  writeFileSync(a.home.config, JSON.stringify({ fleet: { sessions: 2 } }))
  const ended = await a.ticking()
  a.do('cancel', ended.sessionId)
  const [one, two] = [await a.ticking(), await a.ticking()]
  const queued = a.run('-a', 'command', '--', 'true')
  const frozen = a.do('freeze', '--all', '--json')
  t.equal(frozen.status, 0, frozen.stderr)
  t.match(frozen.stderr, /2 of 3 sessions/)
  t.match(a.show(queued.sessionId), { status: 'pending', place: 1 })
  t.match(a.do('thaw', '--all').stderr, /2 of 3 sessions/)
  a.do('freeze', two.sessionId)
  const stopped = a.do('stop', '--all', '--json')
  t.equal(stopped.status, 0, stopped.stderr)
  t.match(stopped.stderr, /3 of 3 sessions/)
  t.same([...new Set(a.ls().map(({ status }) => status))], ['cancelled'])
  t.notOk(types(a, queued).includes('daemon_started'), 'nothing new was started')
  t.equal(types(a, one).filter((type) => type === 'session_cancelled').length, 1)
})

t.test('over HTTP', { skip }, async (t) => {
  const a = new Agentz(t)
  const server = new Server(a)
  t.teardown(() => server.end())
  const post = async (id: string, verb: string) => (await server.insist('POST', `/v1/sessions/${id}/${verb}`, {})).body
  const well = await a.ticking()
  t.match(await post(well.sessionId, 'freeze'), { sessionId: well.sessionId, frozen: true, done: true })
  t.match(await post(well.sessionId, 'freeze'), { frozen: true, done: false }, 'twice')
  t.match(a.show(well.sessionId), { status: 'running', frozen: true })
  t.match(await post(well.sessionId, 'thaw'), { frozen: false, done: true })
  t.match(await post('0123456789ab', 'freeze'), { error: { code: 'NOT_FOUND' } })
})

t.test('a daemon that does not answer is frozen all the same, which is said', { skip }, async (t) => {
  // With the usual watchdog: the short one would be faster than the freeze.
  const a = new Agentz(t, undefined, usual)
  const { sessionId } = await a.ticking()
  process.kill(a.show(sessionId).pid ?? 0, 'SIGSTOP')
  const frozen = a.do('freeze', sessionId)
  t.match(frozen, { status: 0, stderr: /did not answer, and its watchdog may end it/ })
  const told = a.events(sessionId).find(({ type }) => type === 'session_frozen')
  t.match(told, { by: 'supervisor', unanswered: true })
  t.match(a.show(sessionId), { status: 'running', frozen: true })
  t.equal(a.do('thaw', sessionId).status, 0)
})

t.test('what is gone is not told as frozen', { skip }, async (t) => {
  const a = new Agentz(t)
  const { sessionId } = await a.ticking()
  t.equal(a.do('freeze', sessionId).status, 0)
  await manager.kill()
  t.match(a.show(sessionId), { status: 'interrupted', frozen: undefined })
  t.match(a.ls(), [{ status: 'interrupted', frozen: undefined }])
})
