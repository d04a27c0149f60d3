/** The unit that recovers at login: a new manager over one home runs it by itself. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import t from 'tap'
import { homePaths } from '../../src/base/paths.js'
import { dropIn } from '../../src/supervisor/drop-in.js'
import { requireManager } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { newHome, tempDir } from '../helpers/home.js'
import { Manager } from '../helpers/manager.js'

requireManager()

t.test('the drop-in quotes what a path may hold', async (t) => {
  const text = dropIn(homePaths('/a "b" %h $c'), { node: '/n', cli: '/c' })
  t.match(text, 'Environment="AGENTZ_HOME=/a \\"b\\" %%h $c"\n')
})

t.test('after the next start of the manager, what was interrupted goes on', async (t) => {
  const manager = new Manager(t)
  const home = tempDir(t)
  await manager.start({ home })
  const talk = new Talk(t)
  Object.assign(talk.env, manager.env)
  for (const _ of ['first', 'again']) t.equal(talk.do('install').status, 0)
  const where = JSON.parse(talk.do('install', '--json').stdout).settings as string
  t.ok(where.startsWith(join(home, '.config/systemd/user')))
  const before = readFileSync(where, 'utf8')
  const other = newHome(t)
  mkdirSync(other.root, { recursive: true })
  const refused = talk.with({ env: { AGENTZ_HOME: other.root } }, 'install')
  t.match(refused, { status: 3, stderr: /another AGENTZ_HOME/ })
  t.equal(readFileSync(where, 'utf8'), before)
  const { id } = await talk.busy()
  await manager.end()
  await manager.start({ home })
  await talk.untilType(id, 'session_recovery')
  t.match(
    talk.events(id).find(({ type }) => type === 'session_recovery'),
    { action: 'resumed' },
  )
  t.match(talk.do('uninstall').stdout, /is gone/)
  t.match(talk.do('uninstall').stdout, /nothing was installed/)
})

t.test('lingering is asked of loginctl, and a refusal is told', async (t) => {
  const manager = new Manager(t)
  await manager.start({ home: tempDir(t) })
  const talk = new Talk(t)
  Object.assign(talk.env, manager.env)
  const program = join(dirname(talk.dir), 'bin', 'loginctl')
  const said = join(talk.dir, 'said')
  const loginctl = (script: string) => writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 })
  loginctl(`echo "$@" > '${said}'`)
  t.match(talk.do('install', '--linger'), { status: 0, stdout: /is enabled/, stderr: '' })
  t.equal(readFileSync(said, 'utf8'), `enable-linger -- ${userInfo().username}\n`)
  t.match(talk.do('install', '--linger', '--how').stdout, `loginctl enable-linger ${userInfo().username}\n`)
  loginctl('echo "Could not enable linger: Access denied" >&2; exit 1')
  t.match(talk.do('install', '--linger'), {
    status: 1,
    stdout: /is enabled/,
    stderr: /outlive log-out: .*Access denied/s,
  })
  t.equal(talk.do('uninstall').status, 0)
})
