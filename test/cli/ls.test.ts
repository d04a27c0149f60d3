/** `agentz ls` and `show`: order, truth, forms. */
import { appendFileSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import type { RegistryEvent } from '../../src/session/events.js'
import { Agentz, lines, requireManager, systemctl } from '../helpers/agentz.js'
import { until } from '../helpers/home.js'

requireManager()

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString()

/** Writes registry lines as the daemon of a session would have. */
function history(a: Agentz, sessionId: string, minute: number, ...more: object[]): void {
  const created: RegistryEvent = {
    type: 'session_created',
    timestamp: at(minute),
    by: 'user',
    sessionId,
    agentType: 'command',
    prompt: 'p',
    title: `title ${sessionId}`,
    workingDir: '/tmp',
  }
  const events = [created, ...more.map((event) => ({ timestamp: at(minute), by: 'daemon', sessionId, ...event }))]
  appendFileSync(a.home.registry, events.map((event) => `${JSON.stringify(event)}\n`).join(''), { mode: 0o600 })
}

const started = { type: 'daemon_started', epoch: 1, unit: 'u', pid: 1, bootId: 'another-boot' }

t.test('those that need an answer first, then what lives, then the finished; newest first', async (t) => {
  const a = new Agentz(t)
  const done = a.run('-a', 'command', '--', 'true')
  await a.untilType(done.sessionId, 'daemon_exited')
  const asking = await a.ticking()
  appendFileSync(
    a.home.registry,
    `${JSON.stringify({ type: 'session_updated', timestamp: at(1), by: 'daemon', epoch: 1, sessionId: asking.sessionId, status: 'waiting_approval' })}\n`,
  )
  const running = await a.ticking()
  t.strictSame(
    a.ls().map(({ sessionId, status }) => [sessionId, status]),
    [
      [asking.sessionId, 'waiting_approval'],
      [running.sessionId, 'running'],
      [done.sessionId, 'completed'],
    ],
  )
  for (const row of a.ls()) {
    t.match(row, {
      agentType: 'command',
      title: String,
      workingDir: String,
      prompt: '',
      unit: /^agentz-session-/,
      createdAt: String,
      updatedAt: String,
      restarts: 0,
      log: String,
    })
  }
  t.equal(a.ls()[1]?.pid, a.show(running.sessionId).pid)
  const columns = lines(a.do('ls').stdout).map((line) => line.split('\t'))
  t.match(columns[0], [asking.sessionId, 'waiting_approval', 'command', /^\d{4}-/, /^\d{4}-/, '', /tick/])
  t.strictSame(lines(a.do('ls', '-q', '--status', 'running').stdout), [running.sessionId])
  t.strictSame(lines(a.do('ls', '-q', '--agent', 'claude').stdout), [])
  t.strictSame(lines(a.do('ls', '-q', '--status', 'running,completed').stdout), [running.sessionId, done.sessionId])
  t.match(a.do('ls', '--status', 'running,gone'), {
    status: 2,
    stderr: /"gone" is not a status[\s\S]*waiting_approval/,
  })
  t.match(a.do('ls', '-l'), { status: 2, stdout: '', stderr: /--label needs a value/ })
  t.match(a.do('ls', '-l', '=x'), { status: 2, stderr: /"=x" is not KEY=VALUE or KEY/ })
  t.match(a.do('ls', '--agent', 'claud'), { status: 2, stdout: '', stderr: /no agent "claud"[\s\S]*claude, codex/ })
  t.notMatch(a.do('ls').stdout, '\x1b', 'no colour into a pipe')
})

t.test('what the log calls live and nothing carries is shown as interrupted, with the cause', async (t) => {
  const a = new Agentz(t)
  history(a, '00000000000a', 1, started)
  history(a, '00000000000b', 2, { ...started, bootId: (await import('../../src/supervisor/boot.js')).bootId() })
  history(a, '00000000000c', 3)
  t.match(a.ls(), [
    { sessionId: '00000000000c', status: 'interrupted', cause: { result: 'lost' } },
    { sessionId: '00000000000b', status: 'interrupted', cause: { result: 'lost' } },
    { sessionId: '00000000000a', status: 'interrupted', cause: { result: 'reboot' } },
  ])
  t.strictSame(lines(a.do('ls', '-q', '--status', 'interrupted').stdout).length, 3)
  t.equal(a.registry().length, 5, 'looking changes nothing')
})

t.test('what the registry missed, the session file tells; odd lines harm nobody', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = a.run('-a', 'command', '--', 'true')
  await a.untilType(sessionId, 'daemon_exited')
  await until(() => a.registry().some(({ type }) => type === 'daemon_exited'), 'the registry has it all')
  const kept = a.registry().filter(({ type }) => type === 'session_created' || type === 'daemon_started')
  writeFileSync(a.home.registry, kept.map((event) => `${JSON.stringify(event)}\n`).join(''))
  // The reaper that has written the end is a part of the unit, which is gone a moment later.
  const isTold = () => a.ls()[0]?.status === 'completed'
  await until(isTold, `its own file is asked once nothing carries it: ${systemctl('list-units', '--all')}`, 60_000)
  writeFileSync(sessionLog(a.home, '00000000000d'), '{"type":"session_created","spec":{}}\n')
  appendFileSync(
    a.home.registry,
    '{"type":"session_created","sessionId":"00000000000d"}\n{"type":"session_failed","sessionId":"00000000000d","cause":null}\n',
  )
  t.match(a.do('ls', '--json', '--status', 'failed'), { status: 0, stdout: /00000000000d/ })
  t.match(a.do('ls'), { status: 0, stdout: /00000000000d\tfailed\t/ })
})

t.test('show: the whole of one session, by prefix, title and latest', async (t) => {
  const a = new Agentz(t)
  const { sessionId, unit, log } = a.run('--title', 'my title', '-a', 'command', '--', 'true')
  await a.untilType(sessionId, 'daemon_exited')
  const view = a.show(sessionId)
  t.match(view, {
    sessionId,
    unit,
    log,
    status: 'completed',
    title: 'my title',
    epoch: 1,
    restarts: 0,
    approvals: [],
    offset: Number,
  })
  for (const name of [sessionId.slice(0, 5), 'my title', 'latest']) t.strictSame(a.show(name), view, name)
  const page = a.do('show', sessionId).stdout
  for (const part of [sessionId, 'completed', 'my title', unit, log]) t.match(page, part)
  history(a, `${sessionId.slice(0, 4)}00000000`, 1)
  t.match(a.do('show', sessionId.slice(0, 4)), { status: 2, stderr: /fits 2 sessions[\s\S]*my title/ })
})

t.test('nothing yet, and nobody to ask', async (t) => {
  const a = new Agentz(t)
  t.match(a.do('ls'), { status: 0, stdout: '', stderr: /no sessions yet/ })
  t.match(a.do('ls', '--json'), { status: 0, stdout: '' })
  const running = await a.ticking()
  const blind = a.with(
    { env: { XDG_RUNTIME_DIR: '/nonexistent', DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent' } },
    'ls',
    '--json',
  )
  t.match(JSON.parse(blind.stdout), { sessionId: running.sessionId, status: 'running' })
  t.match(blind.stderr, /processes were looked at instead/)
})
