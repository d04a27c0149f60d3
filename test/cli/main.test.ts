/** The command line from outside: verbs, help, bad input, exit statuses. What one verb does is in its own file. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { homePaths } from '../../src/base/paths.js'
import { Agentz, cliPath, lines, requireManager, root } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { tempDir, until } from '../helpers/home.js'

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
    /^systemd-run --user/m,
    'an alias from elsewhere',
  )
})

t.test('programs that were taken out of their package say so', async (t) => {
  const a = new Agentz(t)
  const lone = join(tempDir(t), 'dist')
  cpSync(join(root, 'dist'), lone, { recursive: true })
  const { status, stderr } = spawnSync(process.execPath, [join(lone, 'cli.cjs'), 'ls'], {
    env: a.env,
    encoding: 'utf8',
    timeout: 20_000,
  })
  t.equal(status, 1)
  t.match(stderr, /package\.json[\s\S]*install the whole package/)
})

t.test('slips of the fingers get a hint', async (t) => {
  const a = new Agentz(t)
  const slip = (args: string[], hint: RegExp) => t.match(a.do(...args), { status: 2, stderr: hint }, args.join(' '))
  slip(['shwo', 'x'], /no verb "shwo"[\s\S]*agentz show/)
  slip(['lgs'], /agentz logs|agentz ls/)
  slip(['fix the failing test'], /agentz run "fix the failing test"/)
  slip(['run', '-a', 'command', 'ls', '-la'], /behind two dashes/)
  slip(['run'], /prompt is empty[\s\S]*agentz run "your prompt"/)
  slip(['logs', 'latest', '-n', '1', '-n', '2'], /more than once/)
  slip(['show'], /<id> is missing: agentz show <id>/)
  slip(['append', 'latest'], /<event> is missing/)
  slip(['append'], /<id> and <event> are missing: agentz append <id> <event>/)
  slip(['show', 'x', 'y'], /"y" is one word too many: agentz show <id>/)
  slip(['ls', ''], /"" is one word too many/)
  slip(['ls', '--frobnicate=1'], /no option --frobnicate/)
  slip(['ls', '-qZ'], /no option -Z/)
  slip(['run', '-e'], /-e needs a value/)
  slip(['run', '--restart', 'later', 'x'], /--restart: "later" is not one of resume, mark, rerun/)
  slip(['run', '-d'], /`agentz run -` to read it from standard input/)
  slip(['run', '-f', '/nowhere', '-d'], /ENOENT[\s\S]*Name a file/)
  for (const odd of ['', '9999999']) slip(['cancel', 'latest', '-t', odd], /is not a number of seconds up to/)
  t.match(a.do('help').stdout, /agentz cancel.*\s.*\[aliases: stop\]/)
  t.match(a.do('-V').stdout, /^\d/)
})

t.test('called in a directory that was removed: what needs none works, run says so', async (t) => {
  const a = new Agentz(t)
  const gone = join(tempDir(t), 'gone')
  const inGone = (...args: string[]) =>
    spawnSync(
      'sh',
      [
        '-c',
        `unset NODE_OPTIONS; mkdir ${gone}; cd ${gone}; rmdir ${gone}; exec "$@"`,
        'sh',
        process.execPath,
        cliPath,
        ...args,
      ],
      { env: a.env, encoding: 'utf8' },
    )
  t.match(inGone('ls'), { status: 0, stderr: /no sessions yet/ })
  t.match(inGone('run', '-d', '-a', 'command', '--', 'true'), { status: 2, stderr: /it was removed/ })
  t.match(inGone('run', '-d', '-C', '/', '-a', 'command', '--', 'true'), { status: 0 })
})

t.test('without a user manager: said before anything is created; a cancel is written all the same', async (t) => {
  const a = new Agentz(t)
  const env = { XDG_RUNTIME_DIR: '/nonexistent', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' }
  t.match(a.with({ env }, 'run', '-d', '-a', 'command', '--', 'true'), { status: 1, stderr: /with-user-manager/ })
  t.strictSame(a.ls(), [])
  const { sessionId } = await a.ticking()
  a.with({ env }, 'cancel', '-t', '5', sessionId)
  await a.untilType(sessionId, 'session_cancelled')
})

t.test('without a user manager a message to a session that has ended is kept, and that is said', async (t) => {
  const a = new Talk(t)
  const id = await a.over('say one')
  const env = { XDG_RUNTIME_DIR: '/nonexistent', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' }
  t.match(a.with({ env }, 'send', id, 'say two'), {
    status: 1,
    stdout: '',
    stderr: /with-user-manager[\s\S]*is in the file/,
  })
  t.match(a.do('show', id).stdout, /waiting +1 message that the agent has not taken yet/)
  t.match(a.do('send', id, '--wait', 'say three'), { status: 0, stdout: 'three\n' })
  t.strictSame(a.said(id), ['one', 'two', 'three'])
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
  const nowhere = join(dir, 'no', 'where')
  const mistyped = new Agentz(t).with({ env: { AGENTZ_HOME: nowhere } }, 'ls')
  t.match(mistyped, { status: 1, stderr: /cannot make .*there is no [\s\S]*Correct AGENTZ_HOME/ })
  t.notOk(existsSync(join(dir, 'no')), 'and nothing is made')
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
  await until(() => a.registry().some(({ type }) => type === 'daemon_exited'), 'the registry has it all')
  const before = a.registry().length
  const how = a.do('run', '--how', '-a', 'command', '--', 'echo', 'by hand').stdout
  t.match(how, /^systemd-run --user(?!.*by hand)/m, 'argv has the id alone')
  t.match(a.do('ls', '--how').stdout, /systemctl --user list-units/)
  t.match(a.do('show', sessionId, '--how').stdout, `systemctl --user status ${unit}`)
  t.match(a.do('logs', sessionId, '--how').stdout, `tail -n +1 ${log}`)
  t.match(a.do('cancel', sessionId, '--how').stdout, /printf .*cancel_requested.* >> /)
  t.match(a.do('wait', sessionId, '--how').stdout, /grep -E/)
  t.match(a.do('append', sessionId, '{"type":"cancel_requested"}', '--how').stdout, />> /)
  t.match(a.do('serve', '--how').stdout, /curl --unix-socket/)
  t.match(a.do('token', '--how').stdout, /cat .*token/)
  t.equal(a.registry().length, before)
  // And what it prints does it.
  execFileSync('sh', ['-c', how], { env: a.env })
  const id = /sessions\/([0-9a-f]{12})/.exec(how)?.[1] ?? ''
  await a.untilType(id, 'session_completed')
  t.ok(a.events(id).some(({ content }) => content === 'by hand'))
  const running = await a.ticking()
  execFileSync('sh', ['-c', a.do('cancel', running.sessionId, '--how').stdout], { env: a.env })
  execFileSync('sh', ['-c', a.do('wait', running.sessionId, '--how').stdout], { env: a.env })
  t.equal(a.show(running.sessionId).status, 'cancelled')
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
