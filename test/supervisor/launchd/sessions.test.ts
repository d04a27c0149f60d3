/** Whole sessions under launchd, which a stand-in plays: run, talk, answer, crash, stop. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { launchdDirectory, launchdPlist } from '../../../src/base/paths.js'
import { treeOf } from '../../../src/base/tree.js'
import { lines } from '../../helpers/agentz.js'
import { until } from '../../helpers/home.js'
import { underLaunchd } from '../../launchctl/talk.js'

t.test('run, look, talk, answer, end', async (t) => {
  const { a, launchd } = await underLaunchd(t)
  const said = a.do('run', '-d', '-C', a.dir, 'ask first')
  t.match(said.stderr, /launchd: memory, CPU and processes are not limited/)
  const { sessionId: id, ...row } = a.ls()[0]!
  t.match(row, { unit: `agentz.session.${id}` })
  const question = await a.untilType(id, 'approval_request')
  t.match(
    a.events(id).find(({ type }) => type === 'daemon_started'),
    { supervisor: 'launchd', unit: `agentz.session.${id}` },
  )
  await until(() => a.show(id).status === 'waiting_approval', 'it waits')
  t.equal(a.do('approve', id, String(question.requestId)).status, 0)
  t.equal(a.do('send', id, 'say hello').status, 0)
  t.equal(a.do('wait', id).status, 0)
  t.match(await a.untilType(id, 'daemon_exited'), { result: 'success', unit: `agentz.session.${id}` })
  t.match(a.show(id), { status: 'completed', restarts: 0 })
  t.ok(a.said(id).includes('hello'))
  t.match(a.do('send', id, '-w', 'say again'), { status: 0, stdout: 'again\n' }, 'taken up again')
  t.equal(a.do('wait', id).status, 0)
  t.match(a.do('logs', id).stdout, /again/)
  t.match(a.do('show', id, '--how').stdout, `launchctl print ${launchd.domain}/agentz.session.${id}`)
  for (const name of readdirSync(launchdDirectory(a.home)))
    t.equal(statSync(join(launchdDirectory(a.home), name)).mode & 0o077, 0, name)
  t.notMatch(readFileSync(launchdPlist(a.home, id), 'utf8'), /ask first|claude/, 'of the session, nothing but its id')
})

t.test('a program: its output, its exit status, its place in the list', async (t) => {
  const { a } = await underLaunchd(t, { gui: false })
  const good = a.run('-a', 'command', '--', 'echo', 'out')
  const bad = a.run('-a', 'command', '--', 'sh', '-c', 'exit 7')
  t.equal(a.do('wait', good.sessionId).status, 0)
  t.equal(a.do('wait', bad.sessionId).status, 10)
  t.match(a.show(bad.sessionId), { status: 'failed', cause: { result: 'exit-code', status: 7 } })
  t.match(a.ls(), [{ status: 'failed' }, { status: 'completed' }])
})

t.test('a daemon that is killed: its end is written, and it is started again and goes on', async (t) => {
  const { a } = await underLaunchd(t)
  const { id, release } = await a.busy()
  const pid = Number((await a.untilType(id, 'daemon_started')).pid)
  const killed = Date.now()
  process.kill(pid, 'SIGKILL')
  const exited = await a.untilType(id, 'daemon_exited')
  t.match(exited, { result: 'signal', code: 'killed', status: 'KILL', epoch: 1 })
  t.ok(Date.parse(String(exited.timestamp)) - killed < 2000, 'within 2 s')
  release()
  t.equal(a.do('wait', id).status, 0)
  t.match(a.show(id), { status: 'completed', epoch: 2, restarts: 1 })
})

t.test('stop and cancel end all of it, tools in sessions of their own too', async (t) => {
  const { a, launchd } = await underLaunchd(t)
  const file = join(a.dir, 'pids')
  const tool = `setsid sh -c 'echo $$ >> ${file}; exec sleep 600' & wait`
  const { sessionId: one } = a.run('-a', 'command', '--', 'sh', '-c', tool)
  const { sessionId: two } = a.run('-a', 'command', '--', 'sh', '-c', tool)
  const pids = () => (existsSync(file) ? lines(readFileSync(file, 'utf8')).map(Number) : [])
  await until(() => pids().length === 2, 'both tools run')
  t.equal(a.do('cancel', one).status, 0)
  const bootout = spawnSync('launchctl', ['bootout', `${launchd.domain}/agentz.session.${two}`], { env: a.env })
  t.ok([0, 36].includes(bootout.status ?? -1))
  await until(() => treeOf(pids()).length === 0, 'both are gone')
  await a.untilType(two, 'session_interrupted')
  t.match(a.show(two), { status: 'interrupted', cause: { result: 'stopped' } })
  t.match(a.show(one), { status: 'cancelled' })
})

t.test(
  'a keeper that is killed takes its daemon with it, and the next start writes how it ended, five times',
  async (t) => {
    const { a, launchd } = await underLaunchd(t)
    const { sessionId: id } = await a.ticking('--restart', 'rerun')
    const starts = () => a.events(id).filter(({ type }) => type === 'daemon_started')
    const kill = ['kill', 'SIGKILL', `${launchd.domain}/agentz.session.${id}`]
    t.equal(spawnSync('launchctl', kill, { env: a.env }).status, 0)
    await a.until(id, () => starts().length === 2, 'it is started again')
    t.strictSame(treeOf([Number(starts()[0]?.pid)]), [])
    t.match(await a.untilType(id, 'daemon_exited'), { epoch: 1, result: 'signal', status: 'KILL' })
    t.match(a.show(id), { status: 'running', epoch: 2, restarts: 1 })
    for (let count = 2; count <= 5; count++) {
      await a.until(id, () => starts().length === count, `start ${count}`)
      t.equal(spawnSync('launchctl', kill, { env: a.env }).status, 0)
    }
    t.match(await a.untilType(id, 'session_failed'), { epoch: 5, cause: { result: 'start-limit-hit' } })
    t.equal(a.do('wait', id).status, 10)
    t.strictSame(
      a.events(id).flatMap(({ type, epoch }) => (type === 'daemon_exited' ? [epoch] : [])),
      [1, 2, 3, 4, 5],
    )
  },
)

t.test('limits that launchd cannot keep are refused, before anything is made; so is lingering', async (t) => {
  const { a } = await underLaunchd(t)
  for (const flags of [
    ['--memory', '1G'],
    ['--cpu', '50%'],
    ['--tasks', '100'],
  ])
    t.match(a.do('run', '-d', ...flags, '-a', 'command', '--', 'true'), { status: 1, stderr: /under launchd/ })
  t.match(a.do('run', '-d', '--sandbox', 'strict', '-a', 'command', '--', 'true'), { status: 1 })
  t.strictSame(a.ls(), [])
  t.match(a.do('install', '--linger'), { status: 1, stderr: /cannot let sessions outlive log-out under launchd/ })
  t.match(a.do('freeze', a.run('-a', 'command', '--', 'sleep', '600').sessionId), {
    status: 1,
    stderr: /cannot freeze/,
  })
})

t.test('where no launchd answers, it is said', async (t) => {
  const { a, launchd } = await underLaunchd(t)
  const { sessionId } = a.run('-a', 'command', '--', 'true')
  t.equal(a.do('wait', sessionId).status, 0)
  await a.untilType(sessionId, 'daemon_exited')
  await launchd.end()
  t.match(a.do('run', '-d', '-a', 'command', '--', 'true'), { status: 1, stderr: /launchd has neither of the domains/ })
  t.match(a.ls(), [{ sessionId, status: 'completed' }])
})
