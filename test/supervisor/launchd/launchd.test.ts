/** The order of what launchctl is asked, by a script of one job that answers as published; a full stand-in is still to come. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { launchdPlist } from '../../../src/base/paths.js'
import { LaunchdSupervisor } from '../../../src/supervisor/launchd/launchd.js'
import { newHome, tempDir } from '../../helpers/home.js'
import { newSession } from '../../helpers/session.js'

/** `job`, while it is there, is the text of the loaded job; `refuse`, while it has lines, makes bootstrap answer 5. */
const script = `#!/bin/sh
cd "$SCRIPT_DIR"; echo "$*" >> calls
case "$1 $2" in
"print gui"*) echo 'Could not find domain' >&2; exit 112 ;;
"bootstrap gui"*) echo 'Bootstrap failed: 125: Domain does not support specified action' >&2; exit 125 ;;
"print user/501") printf 'user/501 = {\\n\\tservices = {\\n'; [ -e job ] && printf '\\t\\t       0      - \\tagentz.session.%s\\n' "$SCRIPT_ID"; printf '\\t}\\n}\\n' ;;
"print user/501/"*) [ -e job ] && exec cat job; echo 'Could not find service' >&2; exit 113 ;;
"bootstrap user/501") if [ -s refuse ]; then sed -i 1d refuse; echo 'Bootstrap failed: 5: Input/output error' >&2; exit 5; fi; cp next job ;;
"bootout user/501/"*) [ -e job ] || exit 3; rm job ;;
*) exit 64 ;;
esac
`
const job = (...lines: string[]) => `user/501/x = {\n${lines.map((line) => `\t${line}\n`).join('')}}\n`

t.test('start, look, and end, where nobody is logged in at the screen', async (t) => {
  const [home, dir] = [newHome(t), tempDir(t)]
  const spec = await newSession(home)
  const id = spec.sessionId
  writeFileSync(join(dir, 'launchctl'), script, { mode: 0o755 })
  const before = { ...process.env }
  Object.assign(process.env, { PATH: `${dir}:${process.env.PATH}`, SCRIPT_DIR: dir, SCRIPT_ID: id })
  t.teardown(() => Object.assign(process.env, { PATH: before.PATH }))
  const put = (name: string, text: string) => writeFileSync(join(dir, name), text)
  const supervisor = new LaunchdSupervisor(home, 501)

  await supervisor.prepare()
  t.equal(await supervisor.show(id), undefined)
  put('refuse', 'once\ntwice\n')
  put('next', job('state = running', 'runs = 1', 'pid = 4711'))
  await supervisor.start(spec)
  t.equal(statSync(launchdPlist(home, id)).mode & 0o777, 0o600)
  t.match(await supervisor.show(id), { active: 'active', sub: 'running' })
  await t.rejects(supervisor.start(spec), { code: 'UNIT_FAILED', message: /it is running already/ })

  await t.rejects(supervisor.freezer(id), { code: 'UNSUPPORTED' })

  put('job', job('state = spawn scheduled', 'runs = 1', 'last terminating signal = Killed: 9'))
  t.match((await supervisor.list()).get(id), { active: 'activating', sub: 'auto-restart' })
  t.match(await supervisor.lastExit(id), { result: 'signal', status: 'KILL' })

  put('job', job('state = not running', 'runs = 2', 'last exit code = 0'))
  t.equal(await supervisor.show(id), undefined, 'it has ended, and is only still loaded')
  t.equal((await supervisor.list()).size, 0)
  await supervisor.start(spec)
  t.match(await supervisor.show(id), { active: 'active' }, 'taken out, and started again')

  put('job', job('state = not running', 'runs = 2', 'last exit code = 0'))
  await supervisor.prepare()
  t.equal(existsSync(join(dir, 'job')), false, 'what has ended is collected')
  t.equal(existsSync(launchdPlist(home, id)), false)
  await supervisor.stop(id)
  t.match(readFileSync(join(dir, 'calls'), 'utf8'), new RegExp(`bootout user/501/agentz.session.${id}`))
})

t.test('a machine without launchctl has no manager', async (t) => {
  const before = process.env.PATH
  process.env.PATH = tempDir(t)
  t.teardown(() => Object.assign(process.env, { PATH: before }))
  await t.rejects(new LaunchdSupervisor(newHome(t)).prepare(), { code: 'NO_MANAGER' })
})
