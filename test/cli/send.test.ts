/** `agentz send`: to sessions that run, have ended or wait; what is refused; what `--wait` prints and returns. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { lines, requireManager, systemctl } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'

requireManager()

t.test('to a session that has ended: it is taken up again, and is seen to run at once', async (t) => {
  const a = new Talk(t)
  const id = await a.over('--title', 'talk', 'say one')
  t.match(a.do('send', 'talk', 'say two'), { status: 0, stdout: '', stderr: `${id} is taken up again with it\n` })
  t.equal(a.do('wait', id).status, 0)
  t.strictSame(a.said(id), ['one', 'two'], 'wait right after send has waited')
  t.match(a.do('send', 'latest', '--wait', 'say', 'three', '--', '--and-more'), {
    status: 0,
    stdout: 'three --and-more\n',
  })
  const json = a.with({ input: 'say four\n' }, 'send', id, '-', '-w', '--json')
  t.match(JSON.parse(json.stdout), {
    sessionId: id,
    messageId: /^m-/,
    status: /running|idle|completed/,
    answer: 'four',
  })
  const file = join(a.dir, 'message')
  writeFileSync(file, 'say ünï 🙂')
  t.match(a.do('send', id, '-f', file, '-w'), { status: 0, stdout: 'ünï 🙂\n' })
  t.match(a.show(id), { epoch: 5, restarts: 0, turns: 5 })
  const detached = JSON.parse(a.do('send', id, 'say six', '--json').stdout)
  t.match(detached, { sessionId: id, messageId: /^m-/, offset: Number, reopened: true })
})

t.test('to a session that runs: the answer waited for is its own', async (t) => {
  const a = new Talk(t)
  const { id, release } = await a.busy()
  t.match(a.do('send', id, 'say queued'), { status: 0, stderr: `${id} has it\n` })
  t.match(a.do('send', id, 'say late', '-w', '-t', '0.3'), { status: 124, stdout: '', stderr: /timed out/ })
  const waiting = a.spawn(['send', id, 'say mine', '--wait'])
  let out = ''
  waiting.stdout.on('data', (data) => {
    out += data
  })
  await until(() => a.events(id).filter(({ type }) => type === 'message_sent').length === 4, 'it has all of them')
  release()
  const code = await new Promise((resolve) => waiting.once('exit', resolve))
  t.equal(code, 0)
  t.match(out, /mine\n/)
  t.equal(a.do('wait', id).status, 0)
  t.strictSame(a.said(id), ['held', 'queued', 'late', 'mine'])
  t.equal(a.show(id).epoch, 1, 'one daemon')
})

t.test('--interrupt ends the turn first', async (t) => {
  const a = new Talk(t)
  const { id } = await a.busy()
  t.match(a.do('send', id, '--interrupt', '--wait', 'say instead'), { status: 0, stdout: 'instead\n' })
  t.match(
    a.events(id).find(({ type }) => type === 'turn_ended'),
    { reason: 'interrupted' },
  )
  t.match(a.do('logs', id).stdout, /✗ the turn was interrupted\n/)
})

t.test('to a session that asks: it needs an answer, and the line that gives it is printed', async (t) => {
  const a = new Talk(t)
  const { id } = await a.asking('make')
  t.match(a.do('send', id, 'say more'), { status: 0, stderr: `agentz approve ${id}\n` })
  const waited = a.do('send', id, 'say still more', '--wait')
  t.match(waited, { status: 4, stdout: '', stderr: `  agentz approve ${id}\n` })
  t.equal(a.do('approve', id).status, 0)
  t.equal(a.do('wait', id).status, 0)
  t.strictSame(a.said(id), ['make: allow', 'more', 'still more'])
})

t.test('two at once to a session that has ended: both are answered, by one daemon', async (t) => {
  const a = new Talk(t)
  const id = await a.over('say one')
  const both = ['say two', 'say three'].map((text) => a.spawn(['send', id, '--wait', text]))
  const codes = await Promise.all(both.map((each) => new Promise((resolve) => each.once('exit', resolve))))
  t.strictSame(codes, [0, 0])
  await until(() => a.show(id).status === 'completed', 'it is over')
  t.strictSame(a.said(id).sort(), ['one', 'three', 'two'])
  const starts = a.events(id).filter(({ type }) => type === 'daemon_started')
  t.ok(starts.length <= 3, 'never two daemons at a time')
  t.strictSame(
    starts.map(({ epoch }) => epoch),
    starts.map((_, at) => at + 1),
  )
})

t.test('while the unit is still ending: it is started again once it is gone', async (t) => {
  const a = new Talk(t)
  for (const text of ['say two', 'say three']) {
    const id = a.begin('say one')
    // The terminal event stands in the file, the daemon and its reaper still run.
    await a.untilType(id, 'session_completed')
    t.match(a.do('send', id, '--wait', text), { status: 0, stdout: `${text.slice(4)}\n` })
    const types = a.events(id).map(({ type }) => type)
    t.ok(types.indexOf('daemon_exited') < types.lastIndexOf('daemon_started'), 'one after the other')
    t.equal(types.filter((type) => type === 'daemon_started').length, 2)
  }
})

t.test('to a session whose daemon was killed, and to one that was cancelled', async (t) => {
  const a = new Talk(t)
  const { id, release } = await a.busy()
  systemctl('kill', '-s', 'KILL', '--kill-whom=main', `agentz-session-${id}.service`)
  release()
  t.match(a.do('send', id, '--wait', 'say after the crash'), { status: 0, stdout: /after the crash\n$/ })
  t.equal(a.do('wait', id).status, 0)
  const held = await a.busy()
  t.equal(a.do('cancel', held.id).status, 0)
  t.match(a.do('send', held.id, '-w', 'say again'), { status: 0, stdout: 'again\n' })
  t.equal(a.show(held.id).status, 'completed')
})

t.test('what is refused changes nothing', async (t) => {
  const a = new Talk(t)
  const id = await a.over('say one')
  const program = await a.ticking()
  const before = a.events(id).length
  const rows: [string[], number, RegExp, (string | Buffer)?][] = [
    [[id], 2, /message is empty/],
    [[id, ' \n'], 2, /message is empty/],
    [[id, '-'], 2, /message is empty/, ''],
    [[id, '-'], 2, /holds a NUL/, 'a\0b'],
    [[id, '-'], 2, /not UTF-8/, Buffer.from([0x61, 0xff])],
    [[id, '-'], 2, /longer than 1048576/, 'x'.repeat(1_100_000)],
    [[id, '-f', '/no/such/file'], 2, /cannot read the message/],
    [[id, 'text', '-f', '/etc/hostname'], 2, /which one/],
    [[id, 'text', '-t', '5'], 2, /needs --wait/],
    [[id, 'text', '-w', '-t', 'x'], 2, /"x" is not a number of seconds/],
    [[id, 'text', '-w', '-t', '-1'], 2, /is not a number of seconds/],
    [[], 2, /send --help/],
    [['ffffffffffff', 'text'], 3, /no session/],
    [['no such title', 'text'], 3, /no session/],
    [[program.sessionId, 'text'], 2, /runs a program, which takes no messages/],
  ]
  for (const [args, status, said, input] of rows) {
    const result = a.with({ input }, 'send', ...args)
    t.match(result, { status, stdout: '', stderr: said }, args.join(' '))
  }
  t.equal(a.events(id).length, before)
  const how = a.do('send', id, '--how', "it's me")
  t.match(lines(how.stdout), [/^printf .*it'\\''s me.* >> /, /^systemd-run --user .* [0-9a-f]{12}$/])
  t.equal(a.events(id).length, before, '--how does nothing')
})
