/** `agentz logs`, `wait` and `append`: what scripts do with a session. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { Agentz, lines, requireManager } from '../helpers/agentz.js'
import { until } from '../helpers/home.js'

requireManager()

t.test('logs: for people, -n, --json, --raw byte for byte', async (t) => {
  const a = new Agentz(t)
  const { sessionId, log } = a.run(
    '-a',
    'command',
    '--',
    'sh',
    '-c',
    'echo one; echo two; printf "\\033]0;title\\007three\\n"',
  )
  await a.untilType(sessionId, 'daemon_exited')
  t.equal(
    a.do('logs', sessionId).stdout.split('\n').slice(0, 3).join(),
    'one,two,three',
    'no escape reaches the terminal',
  )
  t.equal(a.do('logs', sessionId, '--raw').stdout, readFileSync(log, 'utf8'))
  t.equal(lines(a.do('logs', sessionId, '--json').stdout).length, a.events(sessionId).length)
  t.match(
    lines(a.do('logs', sessionId, '--json', '-n', '2').stdout).map((line) => JSON.parse(line).type),
    ['session_completed', 'daemon_exited'],
  )
  t.equal(a.do('logs', sessionId, '-n', '0', '--raw').stdout, '')
  t.equal(a.do('logs', sessionId, '-n', 'x').status, 2)
})

t.test('logs: what to do about the end of a program is for a program', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = a.run('-a', 'command', '--', 'sh', '-c', 'kill -9 $$')
  await a.untilType(sessionId, 'daemon_exited')
  const told = /failed: `sh` was ended by SIGKILL\n {2}Run it again\.\n/
  t.match(a.do('logs', sessionId).stdout, told)
  const { stderr } = a.do('logs', '-f', sessionId)
  t.match(stderr, told)
})

t.test('logs -f: goes on until the session ends, and misses nothing', async (t) => {
  const a = new Agentz(t)
  const { sessionId, log } = await a.ticking()
  const outputs = [
    ['logs', '-f', sessionId],
    ['logs', '-f', '--raw', sessionId],
  ].map((args) => {
    const child = a.spawn(args)
    const seen = { text: '', ended: new Promise((resolve) => child.once('close', resolve)) }
    child.stdout.on('data', (data) => {
      seen.text += data
    })
    return seen
  })
  await until(() => outputs.every(({ text }) => text.split('tick').length > 6), 'both follow')
  a.do('cancel', sessionId)
  t.strictSame(await Promise.all(outputs.map(({ ended }) => ended)), [11, 0])
  const ticks = a.events(sessionId).filter(({ content }) => content === 'tick').length
  t.equal(lines(outputs[0]?.text ?? '').filter((line) => line === 'tick').length, ticks)
  t.ok(readFileSync(log, 'utf8').startsWith(outputs[1]?.text ?? 'x'))
  t.match(outputs[1]?.text, /session_cancelled/)
})

t.test('wait: each outcome has its exit status', async (t) => {
  const a = new Agentz(t)
  const ok = a.run('-a', 'command', '--', 'true')
  const bad = a.run('-a', 'command', '--', 'false')
  t.match(a.do('wait', ok.sessionId), { status: 0, stdout: `${ok.sessionId} completed\n` })
  t.equal(a.do('wait', bad.sessionId).status, 10)
  t.equal(a.do('wait', ok.sessionId, bad.sessionId).status, 10)
  const long = await a.ticking()
  t.match(a.do('wait', long.sessionId, '-t', '0.3005'), { status: 124, stderr: /timed out/ })
  t.equal(a.do('wait', '--any', long.sessionId, ok.sessionId).status, 0)
  a.do('cancel', long.sessionId)
  t.match(a.do('wait', long.sessionId, '--json'), { status: 11, stdout: /"status":"cancelled"/ })
  const killed = await a.ticking()
  process.kill(a.show(killed.sessionId).pid as number, 'SIGKILL')
  t.equal(a.do('wait', killed.sessionId).status, 12)
  t.equal(a.do('wait', ok.sessionId, '-t', 'soon').status, 2)
})

t.test('append: what others may say, checked; all else refused', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = await a.ticking()
  const refused = (event: string, status: number, said: RegExp) => {
    const before = a.events(sessionId).filter(({ by }) => by === 'user').length
    t.match(a.do('append', sessionId, event), { status, stderr: said }, event)
    t.equal(a.events(sessionId).filter(({ by }) => by === 'user').length, before)
  }
  refused('{"type":"session_completed"}', 2, /not for others/)
  refused('not json', 2, /not JSON/)
  refused('null', 2, /has no type/)
  refused('[]', 2, /has no type/)
  refused('{"type":"approval_response"}', 2, /does not fit: requestId: must be of type string/)
  refused('{"type":"approval_response","requestId":"r1","decision":"allow"}', 3, /no request/)
  const done = a.do('append', sessionId, '{"type":"cancel_requested"}')
  t.equal(done.status, 0)
  const end = readFileSync(`${a.home.sessions}/${sessionId}.ndjson`).subarray(0, Number(done.stdout)).toString()
  t.match(JSON.parse(lines(end).at(-1) ?? ''), { type: 'cancel_requested', by: 'user' }, 'the offset is its address')
  await a.untilType(sessionId, 'session_cancelled')
  t.match(a.do('append', sessionId, '{"type":"cancel_requested"}'), { status: 0, stderr: /nothing to do/ })
})
