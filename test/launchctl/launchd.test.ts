/** The stand-in for launchd does what launchd.plist(5) and launchctl(1) say. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { treeOf } from '../../src/base/tree.js'
import { type PlistValue, plistText } from '../../src/supervisor/launchd/plist.js'
import { type Job, parseDomain, parseJob } from '../../src/supervisor/launchd/print.js'
import { isAlive, lines } from '../helpers/agentz.js'
import { tempDir, until } from '../helpers/home.js'
import { type Options, StandIn } from './stand-in.js'

/** A launchd, a directory for what its jobs write, and the words of launchctl. */
async function stage(t: Test, options: Options = {}) {
  const standIn = new StandIn(t, options)
  await standIn.start()
  const dir = tempDir(t)
  const env = { ...process.env, ...standIn.env }
  const launchctl = (...args: string[]) => spawnSync('launchctl', args, { encoding: 'utf8', env })
  const { domain } = standIn
  let count = 0
  /** Loads a job that runs a script of sh in `dir`. @returns its label */
  const load = (script: string, keys: Record<string, PlistValue> = {}) => {
    const label = `test.${++count}`
    const job = {
      Label: label,
      ProgramArguments: ['/bin/sh', '-c', script],
      WorkingDirectory: dir,
      RunAtLoad: true,
      ...keys,
    }
    writeFileSync(join(dir, `${label}.plist`), plistText(job), { mode: 0o600 })
    const { status, stderr } = launchctl('bootstrap', domain, join(dir, `${label}.plist`))
    if (status !== 0) throw new Error(stderr)
    return label
  }
  const job = (label: string): Job => parseJob(launchctl('print', `${domain}/${label}`).stdout)
  const written = (name: string) => (existsSync(join(dir, name)) ? lines(readFileSync(join(dir, name), 'utf8')) : [])
  const loaded = () => [...(parseDomain(launchctl('print', domain).stdout)?.keys() ?? [])]
  return { dir, domain, launchctl, load, job, written, loaded, standIn }
}

t.test('a job gets what its property list says, and nothing of the environment of whoever loads it', async (t) => {
  const { dir, load, job, written } = await stage(t)
  process.env.LEAK = 'from the test'
  t.teardown(() => delete process.env.LEAK)
  const label = load('env; umask; pwd; echo oops >&2; exit 3', {
    EnvironmentVariables: { MINE: 'yes' },
    Umask: 0o077,
    StandardOutPath: join(dir, 'out'),
    StandardErrorPath: join(dir, 'err'),
  })
  await until(() => job(label).exit !== undefined, 'it has ended')
  const names = written('out').map((line) => line.split('=')[0])
  t.strictSame(
    names.filter((name) => name !== 'PWD' && name !== '_' && name !== 'SHLVL').sort(),
    ['HOME', 'LOGNAME', 'MINE', 'PATH', 'SHELL', 'TMPDIR', 'USER', 'XPC_FLAGS', 'XPC_SERVICE_NAME', '0077', dir].sort(),
  )
  t.strictSame(written('err'), ['oops'])
  t.match(job(label), { state: 'not running', runs: 1, exit: { result: 'exit-code', status: 3 } })
  t.equal(job(load('echo', { RunAtLoad: false })).runs, 0, 'and is not started unless it says so')
  t.match(job(load('', { ProgramArguments: ['/no/such/program'] })).exit, { status: 78 })
})

t.test('KeepAlive: always, or until it has succeeded; no more often than ThrottleInterval', async (t) => {
  const { load, job, written } = await stage(t, { secondMs: 50 })
  const failing = load('date +%s%N >> failing; [ $(wc -l < failing) -lt 3 ] && kill -9 $$; exit 0', {
    KeepAlive: { SuccessfulExit: false },
    RunAtLoad: false,
  })
  await until(() => job(failing).state === 'not running', 'it has succeeded')
  t.match(job(failing), { runs: 3, exit: { result: 'success' } })
  const [one, two, three] = written('failing').map(Number) as [number, number, number]
  t.ok(
    two - one > 0.45e9 && three - two > 0.45e9,
    `10 seconds of 50 ms lie between two starts: ${two - one}, ${three - two}`,
  )
  const once = load('exit 1', { KeepAlive: { SuccessfulExit: true } })
  await until(() => job(once).state === 'not running', 'it has failed')
  t.equal(job(once).runs, 1)
  const always = load('exit 0', { KeepAlive: true, ThrottleInterval: 0 })
  await until(() => (job(always).runs ?? 0) > 2, 'it is started again and again')
  const waiting = load('exit 1', { KeepAlive: true, ThrottleInterval: 1000 })
  await until(() => job(waiting).state === 'spawn scheduled', 'it waits')
})

t.test(
  'bootout: SIGTERM to its process alone, SIGKILL after ExitTimeOut, and then to what is left of its group',
  async (t) => {
    const { dir, domain, launchctl, load, job, written, loaded } = await stage(t)
    const tree = (name: string) => `sleep 600 & echo $! > ${name}; setsid sleep 600 & echo $! >> ${name}; wait`
    const polite = load(`trap 'echo bye > polite; exit 0' TERM; ${tree('pids')}`)
    await until(() => written('pids').length === 2, 'it runs')
    const [inGroup = 0, outside = 0] = written('pids').map(Number)
    t.teardown(() => process.kill(outside, 'SIGKILL'))
    t.equal(launchctl('bootout', `${domain}/${polite}`).status, 0)
    t.strictSame(written('polite'), ['bye'])
    await until(() => !isAlive(inGroup), 'its group is gone')
    t.ok(isAlive(outside), 'a session of its own is not')
    t.equal(launchctl('print', `${domain}/${polite}`).status, 113)
    t.equal(launchctl('bootout', `${domain}/${polite}`).status, 3)

    const deaf = load("trap '' TERM; echo > deaf; while :; do sleep 0.1; done", { ExitTimeOut: 1, KeepAlive: true })
    await until(() => written('deaf').length === 0 && existsSync(join(dir, 'deaf')), 'it runs')
    t.equal(launchctl('bootout', `${domain}/${deaf}`).status, 36)
    t.match(job(deaf).state, 'SIGTERMed')
    await until(() => !loaded().includes(deaf), 'it is gone, and not started again')

    const generous = load('sleep 600 & echo $! > left; exit 0', { AbandonProcessGroup: true })
    await until(() => job(generous).exit !== undefined, 'it has ended')
    const [left = 0] = written('left').map(Number)
    t.ok(isAlive(left), 'abandoned, as it asked')
    process.kill(left, 'SIGKILL')
  },
)

t.test('labels: one job each, disabled ones none, taken for seconds after their end', async (t) => {
  const { dir, domain, launchctl, load, job, loaded } = await stage(t, { secondMs: 200 })
  const label = load('exec sleep 600')
  const path = join(dir, `${label}.plist`)
  t.match(launchctl('bootstrap', domain, path), { status: 5, stderr: /^Bootstrap failed: 5: Input\/output error/ })
  t.equal(launchctl('kickstart', `${domain}/${label}`).status, 37)
  t.equal(launchctl('kill', 'SIGTERM', `${domain}/${label}`).status, 0)
  await until(() => job(label).pid === undefined, 'it has ended')
  t.match(job(label).exit, { result: 'signal', status: 'TERM' })
  t.equal(launchctl('kill', 'SIGTERM', `${domain}/${label}`).status, 3)
  t.match(launchctl('kickstart', '-p', `${domain}/${label}`), { status: 0, stdout: /^service spawned with pid: \d+$/m })
  t.strictSame(loaded(), [label])
  t.equal(launchctl('bootout', `${domain}/${label}`).status, 0)
  t.equal(launchctl('bootstrap', domain, path).status, 37)
  await until(() => launchctl('bootstrap', domain, path).status === 0, 'the label is free again')
  t.equal(launchctl('bootout', `${domain}/${label}`).status, 0)
  t.equal(launchctl('disable', `${domain}/${label}`).status, 0)
  await until(() => launchctl('bootstrap', domain, path).status === 5, 'disabled')
  t.match(launchctl('print', domain).stdout, `"${label}" => disabled`)
  t.equal(launchctl('enable', `${domain}/${label}`).status, 0)
  t.equal(launchctl('bootstrap', domain, path).status, 0)
  t.equal(launchctl('kickstart', `${domain}/test.none`).status, 113)
  t.equal(launchctl('kill', 'TERM', `${domain}/test.none`).status, 113)
})

t.test('domains: of the screen, or of the user alone', async (t) => {
  const { dir, launchctl, load, standIn, domain } = await stage(t, { gui: false })
  t.equal(domain, `user/${standIn.uid}`)
  const gui = `gui/${standIn.uid}`
  t.throws(() => load('exit 0'), /it is not for Background/)
  const label = load('exec sleep 600', { LimitLoadToSessionType: ['Aqua', 'Background'] })
  t.equal(launchctl('print', gui).status, 112)
  t.equal(launchctl('print', `${gui}/${label}`).status, 112)
  t.equal(launchctl('bootout', `${gui}/${label}`).status, 125)
  t.match(launchctl('bootstrap', gui, join(dir, `${label}.plist`)), { status: 125, stderr: /125: Domain does not/ })
  t.equal(launchctl('frob').status, 64)
})

t.test('its end: all jobs are told, and have their time', async (t) => {
  const { load, job, written, standIn, launchctl, domain } = await stage(t)
  const one = load("trap 'sleep 0.2; echo bye > one; exit 0' TERM; echo > up; while :; do sleep 0.05; done", {
    KeepAlive: true,
  })
  await until(() => job(one).pid !== undefined, 'it runs')
  const pid = job(one).pid!
  await standIn.end()
  t.notOk(isAlive(pid))
  t.strictSame(written('one'), ['bye'])
  t.equal(launchctl('print', domain).status, 112)
  await standIn.start()
  const again = job(load('exec sleep 600')).pid!
  await standIn.kill()
  t.notOk(treeOf([again]).length > 0, 'killed with it')
})
