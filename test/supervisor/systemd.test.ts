/** The supervisor as it is shipped: from the packed tarball, in a directory with an awkward name, as an ordinary user. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { SystemdSupervisor, unitName } from '../../src/supervisor/systemd.js'
import { Agentz, lines, requireManager, root, systemctl } from '../helpers/agentz.js'
import { isRoot, newHome, tempDir, until } from '../helpers/home.js'

requireManager()

t.test('list and show speak of what is loaded, and of nothing else', async (t) => {
  const a = new Agentz(t)
  const supervisor = new SystemdSupervisor(a.home)
  const { sessionId } = await a.ticking()
  t.match((await supervisor.list()).get(sessionId), { active: 'active', sub: 'running' })
  t.match(await supervisor.show(sessionId), { active: 'active', pid: a.show(sessionId).pid, tasks: Number })
  await supervisor.stop(sessionId)
  t.equal((await supervisor.list()).has(sessionId), false)
  t.equal(await supervisor.show(sessionId), undefined, 'collected: its properties would look like success')
  await supervisor.stop(sessionId)
  t.equal(unitName(sessionId), supervisor.unitName(sessionId))
})

t.test('two of one id cannot run: the unit name is the lock', async (t) => {
  const a = new Agentz(t)
  const { sessionId, unit } = await a.ticking()
  const second = spawnSync('systemd-run', ['--user', '--quiet', `--unit=${unit}`, 'true'], { encoding: 'utf8' })
  t.not(second.status, 0)
  t.match(second.stderr, /already (loaded|exists)/)
  t.equal(a.show(sessionId).status, 'running')
})

t.test('a start that is not confirmed, and happened: the session lives, and is not called failed', async (t) => {
  const a = new Agentz(t)
  const bin = tempDir(t)
  writeFileSync(
    join(bin, 'systemd-run'),
    '#!/bin/sh\n/usr/bin/systemd-run "$@"\necho "Connection timed out" >&2\nexit 1\n',
    { mode: 0o755 },
  )
  const result = a.with(
    { env: { PATH: `${bin}:${process.env.PATH}` } },
    'run',
    '--json',
    '-a',
    'command',
    '--',
    'sleep',
    '1000',
  )
  t.equal(result.status, 0, result.stderr)
  const { sessionId } = JSON.parse(result.stdout)
  await a.untilType(sessionId, 'daemon_started')
  t.equal(a.show(sessionId).status, 'running')
  t.equal(a.do('cancel', sessionId).status, 0)
})

t.test('50 sessions at once from 10 processes: all complete, nothing is lost', async (t) => {
  const a = new Agentz(t)
  const start = () =>
    new Promise((resolve) =>
      a.spawn(['run', '-d', '-a', 'command', '--', 'seq', '-f', 'line %g', '1000']).once('exit', resolve),
    )
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (let i = 0; i < 5; i++) t.equal(await start(), 0)
    }),
  )
  const ids = lines(a.do('ls', '-q').stdout)
  t.equal(ids.length, 50)
  const expected = Array.from({ length: 1000 }, (_, i) => `line ${i + 1}`)
  for (const id of ids) {
    const events = await a.until(id, (all) => all.some(({ type }) => type === 'daemon_exited'), 'it has ended', 90_000)
    t.strictSame(
      events.filter(({ type }) => type === 'text').map(({ content }) => content),
      expected,
    )
    // The reaper tells the registry after the session's file.
    await until(() => a.registry(id).some(({ type }) => type === 'daemon_exited'), 'the registry has it all')
    t.strictSame(
      a.registry(id).map(({ type }) => type),
      ['session_created', 'daemon_started', 'session_completed', 'daemon_exited'],
    )
  }
})

const unprivileged = !isRoot && 'needs root, to become another user'
t.test(
  'the packed tarball, outside the clone, as an ordinary user with a manager of their own',
  { skip: unprivileged },
  async (t) => {
    const dir = tempDir(t)
    chmodSync(dir, 0o755)
    execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', dir], { cwd: root })
    const tarball = readdirSync(dir).find((name) => name.endsWith('.tgz'))!
    const place = join(dir, 'a place with $HOME, %h and spaces')
    mkdirSync(place)
    execFileSync('tar', ['-xzf', join(dir, tarball), '-C', place])
    const home = join(dir, 'home')
    mkdirSync(home, { mode: 0o700 })
    const uid = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' }))
    const gid = Number(execFileSync('id', ['-g', 'nobody'], { encoding: 'utf8' }))
    chownSync(home, uid, gid)
    const story = `
    set -eu
    export HOME='${home}' AGENTZ_HOME='${home}/agentz'
    agentz() { node '${place}/package/dist/cli.cjs' "$@"; }
    [ "$(id -un)" = nobody ]
    agentz run -a command -C / -- echo hello
    id=$(agentz run -d -a command -C / -- sh -c 'while :; do echo tick; sleep 0.05; done')
    until grep -q '"content":"tick"' "$AGENTZ_HOME/sessions/$id.ndjson"; do sleep 0.05; done
    kill -9 "$(agentz show "$id" --json | jq .pid)"
    until grep -q daemon_exited "$AGENTZ_HOME/registry.ndjson" && grep -q session_interrupted "$AGENTZ_HOME/registry.ndjson"; do sleep 0.05; done
    agentz ls --json | jq -c '[.status, .cause.result, .restarts]'
    stop=$(agentz run -d -a command -C / -- sleep 1000)
    until agentz ls -q --status running | grep -q "$stop"; do sleep 0.05; done
    systemctl --user stop "agentz-session-$stop"
    agentz show "$stop" --json | jq -c '[.status, .cause.result]'
    mkdir "$HOME/strict"
    agentz run --sandbox strict -C "$HOME/strict" -a command -- sh -c 'touch in ../out; [ ! -s "$1" ] && echo kept' - "$AGENTZ_HOME/token"
    [ -s "$AGENTZ_HOME/token" ] && [ -e "$HOME/strict/in" ] && [ ! -e "$HOME/out" ]
    find "$AGENTZ_HOME" -perm /077
    node '${place}/package/dist/cli.cjs' serve --port 0 --json > "$HOME/serve.json" & server=$!
    until [ -s "$HOME/serve.json" ]; do sleep 0.05; done
    curl -s --unix-socket "$(jq -r .socketPath "$HOME/serve.json")" http://localhost/v1/sessions | jq -c '.sessions | length'
    kill "$server"
    wait "$server"
  `
    const { status, stdout, stderr } = spawnSync(
      join(root, 'scripts/with-user-manager'),
      ['--as', 'nobody', 'sh', '-c', story],
      {
        cwd: '/',
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '', AGENTZ_SESSION_ID: '', PATH: '/usr/local/bin:/usr/bin:/bin' },
        timeout: 100_000,
      },
    )
    t.equal(status, 0, stderr)
    t.strictSame(lines(stdout), [
      'hello',
      '["interrupted","signal",1]',
      '["completed",null,0]',
      '["interrupted","stopped"]',
      'kept',
      '4',
    ])
  },
)

t.test('the manager ends: every session has its cause', { skip: unprivileged }, async (t) => {
  const home = newHome(t)
  const story = `
    set -eu
    id=$(node '${root}dist/cli.cjs' run -d -a command -- sh -c 'while :; do echo tick; sleep 0.05; done')
    until grep -q '"content":"tick"' "$AGENTZ_HOME/sessions/$id.ndjson"; do sleep 0.05; done
  `
  // systemctl finds the manager of this run by this variable: without it, with-user-manager starts another one.
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    AGENTZ_SESSION_ID: '',
    AGENTZ_HOME: home.root,
    XDG_RUNTIME_DIR: '',
    DBUS_SESSION_BUS_ADDRESS: '',
  }
  const { status, stderr } = spawnSync(join(root, 'scripts/with-user-manager'), ['sh', '-c', story], {
    encoding: 'utf8',
    env,
    timeout: 60_000,
  })
  t.equal(status, 0, stderr)
  const a = new Agentz(t, home)
  await until(() => a.registry().some(({ type }) => type === 'session_interrupted'), 'the terminal event is there')
  t.match(
    a.registry().find(({ type }) => type === 'daemon_exited'),
    { manager: 'stopping' },
  )
  t.match(a.ls()[0], { status: 'interrupted', cause: { result: 'log-out' } })
  t.match(systemctl('is-system-running'), /running|degraded/, 'and it was not the manager of these tests')
})
