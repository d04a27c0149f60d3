/** The command line from outside: verbs, help, bad input, exit statuses. What one verb does is in its own file. */
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { homePaths } from '../../src/base/paths.js'
import { Agentz, lines, requireManager } from '../helpers/agentz.js'
import { tempDir } from '../helpers/home.js'

requireManager()

t.test('help, version, and words that are no verbs', async (t) => {
  const a = new Agentz(t)
  const help = a.do('--help')
  t.equal(help.status, 0)
  for (const verb of ['run', 'ls', 'show', 'logs', 'cancel', 'wait', 'append', 'serve', 'token', 'version'])
    t.match(help.stdout, new RegExp(`agentz ${verb}`), verb)
  t.match(a.do('run', '--help').stdout, /--detach/)
  t.match(a.do('version').stdout, /^\d+\.\d+\.\d+\n$/)
  t.match(JSON.parse(a.do('version', '--json').stdout), { version: /^\d/ })
  for (const args of [[], ['frobnicate'], ['ls', '--frobnicate'], ['show'], ['ls', '--status', 'gone']]) {
    const { status, stdout, stderr } = a.do(...args)
    t.equal(status, 2, args.join(' '))
    t.equal(stdout, '', 'stdout is for data')
    t.match(stderr, /^agentz: /)
  }
  t.match(
    a.do('spawn', '--how', '-a', 'command', '--', 'true').stdout,
    /^systemd-run --user/,
    'an alias from elsewhere',
  )
})

t.test('ids that are none: a clear error, nothing created, nothing read', async (t) => {
  const a = new Agentz(t)
  const hostile = ['../../etc/passwd', 'a/b', '..', '.x', 'x'.repeat(65), 'a\nb', '..%2f..', '0123456789ab', 'latest']
  for (const verb of [['show'], ['logs'], ['cancel'], ['wait'], ['append']]) {
    for (const id of hostile) {
      const { status, stdout, stderr } = a.do(
        ...verb,
        id,
        ...(verb[0] === 'append' ? ['{"type":"cancel_requested"}'] : []),
      )
      t.equal(status, 3, `${verb} ${JSON.stringify(id)}`)
      t.equal(stdout, '')
      t.match(stderr, /^agentz: there is no session/)
    }
    t.equal(a.do(...verb, '-rf').status, 2, `${verb} -rf`)
  }
})

t.test('a home that cannot be used', async (t) => {
  const dir = tempDir(t)
  const file = join(dir, 'file')
  writeFileSync(file, '')
  const link = join(dir, 'link')
  mkdirSync(join(dir, 'real'))
  symlinkSync(join(dir, 'real'), link)
  const at = (home: string) => new Agentz(t, homePaths(home)).do('ls')
  t.match(at(file), { status: 1, stderr: /private directory: it is not a directory[\s\S]*AGENTZ_HOME/ })
  t.match(at(link), { status: 1, stderr: /symbolic link/ })
  const open = join(dir, 'open')
  mkdirSync(open)
  chmodSync(open, 0o755)
  t.match(at(open), { status: 1, stderr: /others may enter it; chmod 700/ })
  t.equal(statSync(open).mode & 0o777, 0o755, 'it may be anything: it is not touched')
})

t.test('--how prints what does the same, and does nothing', async (t) => {
  const a = new Agentz(t)
  const { sessionId, unit, log } = a.run('-a', 'command', '--', 'true')
  await a.untilType(sessionId, 'daemon_exited')
  const before = a.registry().length
  t.match(a.do('run', '--how', '-a', 'command', '--', 'secret-word').stdout, /^systemd-run --user(?!.*secret-word)/)
  t.match(a.do('ls', '--how').stdout, /systemctl --user list-units/)
  t.match(a.do('show', sessionId, '--how').stdout, `systemctl --user status ${unit}`)
  t.match(a.do('logs', sessionId, '--how').stdout, `tail -n +1 ${log}`)
  t.match(a.do('cancel', sessionId, '--how').stdout, `systemctl --user stop ${unit}`)
  t.match(a.do('wait', sessionId, '--how').stdout, /is-active/)
  t.match(a.do('append', sessionId, '{"type":"cancel_requested"}', '--how').stdout, />> /)
  t.match(a.do('serve', '--how').stdout, /curl --unix-socket/)
  t.match(a.do('token', '--how').stdout, /cat .*token/)
  t.equal(a.registry().length, before)
})

t.test('a damaged registry: said, counted, and everything else is there', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = a.run('-a', 'command', '--', 'true')
  await a.untilType(sessionId, 'daemon_exited')
  writeFileSync(
    a.home.registry,
    '{"type":"session_created","sess\x18\nnot json\n{"type":"daemon_exited","sessionId":"../../etc/passwd"}\n',
    { flag: 'a' },
  )
  const { status, stdout, stderr } = a.do('ls')
  t.equal(status, 0)
  t.match(lines(stdout)[0], `${sessionId}\tcompleted`)
  t.match(stderr, /2 damaged lines/)
})
