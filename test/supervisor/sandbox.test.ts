/** Sessions in a sandbox, under the real manager. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { homePaths } from '../../src/base/paths.js'
import { checkSandbox, sandboxProperties } from '../../src/supervisor/sandbox.js'
import type { Supervisor } from '../../src/supervisor/supervisor.js'
import { SystemdSupervisor, startArgv } from '../../src/supervisor/systemd.js'
import { Agentz, requireManager } from '../helpers/agentz.js'
import { newHome, tempDir, until } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'
import { AUTH, newApp } from '../server/helpers.js'

requireManager()
const strict = ['--sandbox', 'strict'] as const
const said = (a: Agentz, id: string) =>
  a.events(id).flatMap(({ type, content }) => (type === 'text' ? [String(content)] : []))

/** A directory whose name is all that systemd could take for syntax. */
function oddDirectory(t: Parameters<typeof tempDir>[0]): string {
  const directory = join(tempDir(t), 'a b:c%h $HOME "q" \\x')
  mkdirSync(directory)
  return directory
}

t.test('what a program in it cannot do, and what it can', async (t) => {
  const a = new Agentz(t)
  const directory = oddDirectory(t)
  const beside = join(tempDir(t), 'beside')
  writeFileSync(beside, 'as it was')
  a.do('token')
  const { root } = a.home
  const tries = {
    write: `echo x > '${beside}'`,
    etc: 'touch /etc/agentz-hole',
    token: `[ -s '${root}/token' ]`,
    unbind: `mv '${root}/token' '${root}/t2' || rm -f '${root}/token'`,
    config: `echo '{}' > '${root}/config.json'`,
    env: `echo A=b >> '${root}/env'`,
    replace: `mv '${root}/config.json' '${root}/c2'`,
    manager: 'systemctl --user is-system-running || systemd-run --user true',
    server: `curl -s --unix-socket "$XDG_RUNTIME_DIR"/agentz/server*.sock http://localhost/v1/sessions`,
    setuid: 'cp /bin/true ./su && chmod 4755 ./su',
    namespace: 'unshare --user true',
    mount: 'unshare --mount true',
    packet: `python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'`,
    trace: `cat /proc/${process.pid}/environ`,
    cgroup: 'd=$(find /sys/fs/cgroup -name "agentz-session-*" -type d | head -1); [ -n "$d" ] && mkdir "$d/hole"',
  }
  const script = Object.entries(tries).map(([name, line]) => `(${line}) >/dev/null 2>&1 && echo "hole ${name}"`)
  const good = ['echo fine > made && echo can write', 'node -e "console.log(6 * 7)"', 'touch /tmp/x && echo has tmp']
  const { sessionId } = a.run(
    ...strict,
    '-C',
    directory,
    '-a',
    'command',
    '--',
    'sh',
    '-c',
    [...script, ...good].join('\n'),
  )
  await a.untilType(sessionId, 'session_completed')
  t.same(said(a, sessionId), ['can write', '42', 'has tmp'])
  t.equal(readFileSync(beside, 'utf8'), 'as it was')
  t.equal(readFileSync(join(directory, 'made'), 'utf8'), 'fine\n')
  await until(() => a.events(sessionId).some(({ type }) => type === 'daemon_exited'), 'its reaper has written')
  t.match(a.do('token').stdout, /^[\w-]{40,}\n$/, 'the token is as it was')
})

t.test('approval, another message, a killed daemon, cancel', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = a.run(...strict, '-C', tempDir(t), '-a', 'demo', 'show me')
  const asked = () => a.events(sessionId).filter(({ type }) => type === 'approval_request').length
  await until(() => asked() === 1, 'it asks')
  t.equal(a.do('approve', sessionId).status, 0)
  await a.untilType(sessionId, 'session_completed')
  t.equal(a.do('send', sessionId, 'again').status, 0)
  await until(() => asked() === 2, 'it asks again')
  const starts = () => a.events(sessionId).filter(({ type }) => type === 'daemon_started').length
  const before = starts()
  const { pid } = a.show(sessionId)
  t.ok(pid, 'it runs')
  if (pid) process.kill(pid, 'SIGKILL')
  await until(() => starts() > before && a.show(sessionId).status === 'waiting_approval', 'it is back')
  t.equal(a.do('cancel', sessionId).status, 0)
  t.equal(a.show(sessionId).status, 'cancelled')
})

t.test('a stopped unit, and the queue, which go on outside', async (t) => {
  const a = new Agentz(t)
  writeFileSync(a.home.config, JSON.stringify({ fleet: { sessions: 1 }, sandbox: 'strict' }), { mode: 0o600 })
  const first = a.run('-C', tempDir(t), '-a', 'command', '--', 'sh', '-c', 'echo in; sleep 60')
  await a.until(first.sessionId, (events) => events.some(({ content }) => content === 'in'), 'it runs')
  const second = a.run('-C', tempDir(t), '-a', 'command', '--', 'true')
  await new SystemdSupervisor(a.home).stop(first.sessionId)
  await a.untilType(second.sessionId, 'session_completed')
  t.match(a.show(first.sessionId), { status: 'interrupted', cause: { result: 'stopped' } })
})

t.test('refused, and nothing is made', async (t) => {
  const a = new Agentz(t)
  const refused = (directory: string, ...flags: string[]) => {
    const { status, stderr } = a.do('run', ...flags, '-C', directory, '-a', 'command', '--', 'true')
    t.not(status, 0)
    t.notOk(existsSync(a.home.registry), 'no session')
    return stderr
  }
  for (const directory of ['/', '/tmp', a.home.root, join(a.home.root, '..')]) {
    t.match(refused(directory, ...strict), /--sandbox strict closes/)
  }
  t.match(refused(tempDir(t), '--sandbox', 'loose'), /strict/)
  const unable: Supervisor = Object.create(new SystemdSupervisor(a.home), { proveSandbox: { value: undefined } })
  const spec = await newSession(newHome(t), { sandbox: 'strict' })
  await t.rejects(checkSandbox(unable, spec), { code: 'UNSUPPORTED' })
})

/** A manager that drops what it does not know: it runs the command alone. */
const forgetful = `#!/bin/sh
while [ "$1" != -- ]; do case "$1" in --setenv=*) export "\${1#--setenv=}";; esac; shift; done
exec "$2" "$3" "$(printf %s "$4" | sed 's/[$][$]/$/g')"
`

t.test('where the system does not keep it in, it is refused with what is open', async (t) => {
  const a = new Agentz(t)
  const directory = tempDir(t)
  writeFileSync(join(directory, 'systemd-run'), forgetful, { mode: 0o755 })
  const PATH = `${directory}:${process.env.PATH}`
  const result = a.with({ env: { PATH } }, 'run', ...strict, '-C', tempDir(t), '-a', 'command', '--', 'true')
  t.equal(result.status, 1)
  t.match(result.stderr, /does not keep it in: .*the token of the server can be read/)
  t.match(result.stderr, /config.json can be written; .*privileges can be gained; .*files beside AGENTZ_HOME/)
  t.same(readdirSync(a.home.sessions), [], 'no session')
  t.notOk(
    readdirSync(join(a.home.root, '..')).some((name) => name.includes('hole')),
    'and nothing is left of the trial',
  )
})

t.test('over HTTP', async (t) => {
  const a = new Agentz(t)
  const { app } = await newApp(t, { home: a.home, supervisor: new SystemdSupervisor(a.home) })
  const workingDir = tempDir(t)
  const post = (sandbox: string, at = workingDir) =>
    app.inject({
      ...{ method: 'POST', url: '/v1/sessions', headers: AUTH },
      payload: {
        agentType: 'command',
        command: ['sh', '-c', `[ -s '${a.home.token}' ] || echo kept in`],
        workingDir: at,
        sandbox,
      },
    })
  t.match((await post('loose')).json(), {
    error: { code: 'BAD_INPUT', message: /sandbox: must be one of strict, none/ },
  })
  t.match((await post('strict', '/')).json(), { error: { code: 'BAD_INPUT', message: /--sandbox strict closes/ } })
  t.same(readdirSync(a.home.sessions), [], 'no session')
  const { sessionId } = (await post('strict')).json()
  await a.untilType(sessionId, 'session_completed')
  t.same(said(a, sessionId), ['kept in'])
  t.match(a.events(sessionId)[0], { spec: { sandbox: 'strict' } })
})

t.test('the unit', async (t) => {
  const home = homePaths('/h')
  const spec = await newSession(newHome(t))
  t.notMatch(startArgv(spec, home).join('\n'), /Private|Protect|Restrict[A-Z]|SANDBOX/, 'only where asked for')
  const argv = startArgv({ ...spec, sandbox: 'strict' }, home)
  for (const property of sandboxProperties(spec, home)) t.ok(argv.includes(`--property=${property}`), property)
})
