/** One run of a session, whole: what the agent gets, what reaches the file, how others are heard. */
import { execFileSync, spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { homePaths, sessionEnv, sessionLog } from '../../src/base/paths.js'
import { Agentz, lines, requireManager, systemctl } from '../helpers/agentz.js'
import { holdLock } from '../helpers/held-lock.js'
import { isRoot, tempDir, until } from '../helpers/home.js'

requireManager()

t.test("the agent gets the caller's directory, umask and environment, not the daemon's", async (t) => {
  const a = new Agentz(t)
  const dir = join(tempDir(t), 'a dir with $HOME and %h')
  mkdirSync(dir)
  writeFileSync(a.home.env, '# keys\nCEREBRAS_API_KEY=from-the-file\nPATH=/extra/bin:$PATH\n')
  // Beside the log, which shows no secret.
  const seen = join(tempDir(t), 'seen')
  const code = 'pwd; umask; env; env > "$0"'
  const { stdout } = spawnSync(
    'sh',
    [
      '-c',
      `umask 0027; exec "$@"`,
      'sh',
      process.execPath,
      join(import.meta.dirname, '../../dist/cli.cjs'),
      'run',
      '--json',
      '-C',
      dir,
      '-e',
      'OWN=own',
      '-a',
      'command',
      '--',
      'sh',
      '-c',
      code,
      seen,
    ],
    {
      env: {
        ...a.env,
        ANTHROPIC_API_KEY: 'captured',
        UNLISTED: 'no',
        NOTIFY_SOCKET: '/nowhere',
        CEREBRAS_API_KEY: 'from-the-caller',
      },
      encoding: 'utf8',
    },
  )
  const { sessionId, unit } = JSON.parse(stdout)
  await a.untilType(sessionId, 'session_completed')
  const said = a.events(sessionId).flatMap(({ content }) => (typeof content === 'string' ? [content] : []))
  t.equal(said[0], dir)
  t.equal(said[1], '0027')
  const pairs = lines(readFileSync(seen, 'utf8'))
  const env = new Map(pairs.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  t.match(Object.fromEntries(env), {
    OWN: 'own',
    ANTHROPIC_API_KEY: 'captured',
    CEREBRAS_API_KEY: 'from-the-file',
    AGENTZ_SESSION_ID: sessionId,
    AGENTZ_HOME: a.home.root,
    PATH: `/extra/bin:${process.env.PATH}`,
  })
  for (const name of [
    'UNLISTED',
    'NOTIFY_SOCKET',
    'WATCHDOG_USEC',
    'WATCHDOG_PID',
    'INVOCATION_ID',
    'JOURNAL_STREAM',
    'MAINPID',
  ])
    t.notOk(env.has(name), name)
  t.equal(statSync(sessionEnv(a.home, sessionId)).mode & 0o777, 0o600)
  const log = readFileSync(sessionLog(a.home, sessionId), 'utf8')
  t.notMatch(log, /captured|from-the/, 'no secret in the log, though the agent has printed them all')
  for (const line of ['ANTHROPIC_API_KEY=[masked]', 'OWN=own']) t.ok(said.includes(line), line)
  t.notMatch(readFileSync(a.home.registry, 'utf8'), /captured|from-the/)
  t.ok(unit)
})

t.test('only the id is on argv, and the unit shows no secret and no prompt', async (t) => {
  const a = new Agentz(t, undefined, { ANTHROPIC_API_KEY: 'secret-canary' })
  const { sessionId, unit } = await a.ticking('--title', 'title-canary', '-e', 'MINE=env-canary')
  const argv = readFileSync(`/proc/${a.show(sessionId).pid}/cmdline`, 'utf8').split('\0')
  t.equal(argv.length, 4)
  t.equal(argv[2], sessionId)
  t.notMatch(systemctl('show', unit), /canary|tick/)
  const properties = Object.fromEntries(lines(systemctl('show', unit)).map((line) => line.split(/=(.*)/s).slice(0, 2)))
  t.match(properties, {
    Type: 'notify',
    NotifyAccess: 'all',
    Restart: 'on-failure',
    CollectMode: 'inactive-or-failed',
    KillMode: 'mixed',
    OOMPolicy: 'continue',
    UMask: '0077',
    Slice: 'agentz.slice',
    WatchdogUSec: '2min',
    OnFailure: `agentz-failed@${sessionId}.service`,
  })
})

t.test('output arrives as it was: invalid UTF-8, a 5 MB line, NUL and control characters', async (t) => {
  const a = new Agentz(t)
  const code = String.raw`printf 'bad \377\376 bytes\n'; printf 'nul \0 tab \t esc \033[1m\n'; head -c 5000000 /dev/zero | tr '\0' x; printf '\nlast'`
  const { sessionId, log } = a.run('-a', 'command', '--', 'sh', '-c', code)
  await a.untilType(sessionId, 'session_completed')
  const texts = a.events(sessionId).filter(({ type }) => type === 'text')
  t.equal(texts[0]?.content, 'bad \ufffd\ufffd bytes')
  t.equal(texts[1]?.content, 'nul \0 tab \t esc \x1b[1m')
  t.match(texts[2], { content: /^x{1000}.*bytes are missing/s, missingBytes: Number })
  t.ok(String(texts[2]?.content).length < 1024 * 1024)
  t.equal(texts[3]?.content, 'last', 'a last line needs no newline')
  t.ok(lines(readFileSync(log, 'utf8')).every((line) => Buffer.byteLength(line) < 1024 * 1024))
  execFileSync('jq', ['-c', '.', log], { maxBuffer: 1 << 26 })
})

t.test('a cancel is an event: by the CLI, and by a bare >> with nobody ringing', async (t) => {
  const a = new Agentz(t)
  const first = await a.ticking()
  t.equal(a.do('cancel', first.sessionId).status, 0)
  t.match(a.show(first.sessionId), { status: 'cancelled', cause: { result: 'cancelled' } })
  t.match(
    a.events(first.sessionId).find(({ type }) => type === 'cancel_requested'),
    { by: 'user', via: 'cli' },
  )
  const again = a.do('cancel', first.sessionId)
  t.equal(again.status, 0)
  t.match(again.stderr, /was cancelled already/)

  const second = await a.ticking()
  const asked = Date.now()
  appendFileSync(
    second.log,
    `\n${JSON.stringify({ type: 'cancel_requested', timestamp: new Date().toISOString(), by: 'user' })}\n`,
  )
  const end = await a.untilType(second.sessionId, 'session_cancelled')
  t.ok(Date.parse(end.timestamp as string) - asked < 2500, `${Date.parse(end.timestamp as string) - asked} ms`)
})

t.test('a cancel that comes before the end is written is a cancel, though the work was done', async (t) => {
  const a = new Agentz(t)
  const go = join(tempDir(t), 'go')
  const { sessionId, log } = a.run('-a', 'command', '--', 'sh', '-c', `until [ -e ${go} ]; do sleep 0.02; done`)
  await a.untilType(sessionId, 'daemon_started')
  const { pid } = a.show(sessionId)
  const release = holdLock(t, log)
  writeFileSync(go, '')
  // From now on it waits for the lock, to write that it has completed.
  const isDone = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim() === ''
  await until(isDone, 'the program has ended')
  const asked = { type: 'cancel_requested', timestamp: new Date().toISOString(), by: 'user' }
  appendFileSync(log, `\n${JSON.stringify(asked)}\n`)
  release()
  t.match(await a.untilType(sessionId, 'session_cancelled'), { by: 'daemon', cause: { result: 'cancelled' } })
  t.notOk(a.events(sessionId).some(({ type }) => type === 'session_completed'))
  t.match(a.show(sessionId), { status: 'cancelled' })
  t.match(a.do('cancel', sessionId).stderr, /was cancelled already/)
})

const unmountable = !isRoot && 'needs root, to mount a small file system'
t.test('a full disk: the agent waits, nothing is lost or doubled', { skip: unmountable }, async (t) => {
  const mount = tempDir(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=700', 'none', mount])
  t.teardown(() => execFileSync('umount', ['-l', mount]))
  const a = new Agentz(t, homePaths(join(mount, 'home')))
  const filler = join(mount, 'filler')
  // A go-ahead, so that the disk is full before the session writes its lines.
  const go = join(tempDir(t), 'go')
  const code = `echo ready; until [ -e ${go} ]; do sleep 0.05; done; seq -f 'line %g' 500`
  const { sessionId, log } = a.run('-a', 'command', '--', 'sh', '-c', code)
  await a.until(sessionId, (events) => events.some(({ content }) => content === 'ready'), 'it is ready')
  spawnSync('sh', ['-c', `cat /dev/zero > ${filler}`])
  const full = statSync(log).size
  writeFileSync(go, '')
  await until(
    () => /blocked/.test(systemctl('show', '-p', 'StatusText', `agentz-session-${sessionId}`)),
    'the unit says that the log is blocked',
  )
  t.equal(a.show(sessionId).status, 'running')
  t.ok(statSync(log).size < full + 8192)
  spawnSync('rm', [filler])
  await a.untilType(sessionId, 'session_completed')
  const content = a
    .events(sessionId)
    .filter(({ stream }) => stream === 'stdout')
    .map((event) => event.content)
  t.strictSame(content, ['ready', ...Array.from({ length: 500 }, (_, i) => `line ${i + 1}`)])
  // The word about it may come behind the end, which waited for space too.
  const word = await a.untilType(sessionId, 'system')
  t.match(word.content, /could not be written for \d+ s; nothing is missing/)
})

t.test('a fold of the file, the registry and the unit agree on who ran where', async (t) => {
  const a = new Agentz(t)
  const { sessionId, unit } = await a.ticking()
  const started = a.registry(sessionId).find(({ type }) => type === 'daemon_started')
  const invocation = systemctl('show', '-p', 'InvocationID', '--value', unit).trim()
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  t.match(started, { unit, pid: a.show(sessionId).pid, bootId, invocationId: invocation, epoch: 1 })
  t.match(execFileSync('grep', ['daemon_', a.home.registry], { encoding: 'utf8' }), bootId)
})
