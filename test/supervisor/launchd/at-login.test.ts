/** The LaunchAgent that recovers at login: written, loaded by the next launchd, taken away. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { newHome } from '../../helpers/home.js'
import { underLaunchd } from '../../launchctl/talk.js'

t.test('what a log-out has interrupted is resumed at the next login', async (t) => {
  const { a, launchd } = await underLaunchd(t)
  const path = join(dirname(a.dir), 'Library', 'LaunchAgents', 'agentz.recover.plist')
  t.match(a.do('uninstall').stdout, /nothing was installed/)
  t.match(a.do('install', '--how').stdout, /launchctl enable gui/)
  t.equal(existsSync(path), false)
  for (const _ of ['first', 'again'])
    t.match(a.do('install'), { status: 0, stdout: `agentz.recover is enabled; its settings are in ${path}\n` })
  t.equal(statSync(path).mode & 0o777, 0o600)
  const before = readFileSync(path, 'utf8')
  t.match(a.with({ env: { AGENTZ_HOME: newHome(t).root } }, 'install'), { status: 3, stderr: /another AGENTZ_HOME/ })
  t.match(a.with({ env: { AGENTZ_HOME: newHome(t).root } }, 'uninstall'), { status: 3, stderr: /another AGENTZ_HOME/ })
  t.equal(readFileSync(path, 'utf8'), before)

  const { id } = await a.busy()
  await launchd.end()
  t.match(a.show(id), { status: 'interrupted', cause: { result: 'log-out' } })
  await launchd.start()
  // A login loads what is in that directory.
  t.equal(spawnSync('launchctl', ['bootstrap', launchd.domain, path], { env: a.env }).status, 0)
  t.match(await a.untilType(id, 'session_recovery'), { action: 'resumed' })
  t.equal(a.do('wait', id).status, 0)
  t.match(a.show(id), { status: 'completed', epoch: 2 })
  t.match(a.do('uninstall').stdout, /agentz\.recover is gone/)
  t.equal(existsSync(path), false)
  t.equal(spawnSync('launchctl', ['print', `${launchd.domain}/agentz.recover`], { env: a.env }).status, 113)
})
