/** The checker of the soak sees what it is there to see: each promise, broken by hand. */
import t from 'tap'
import { broken, delays, type Evidence } from './soak/check.js'
import { newHistory } from './soak/history.js'

const started = { type: 'daemon_started', epoch: 1, timestamp: '2026-01-01T00:00:00.000Z' }
const ended = { type: 'daemon_exited', epoch: 1, result: 'success', timestamp: '2026-01-01T00:00:09.000Z' }
const completed = { type: 'session_completed', timestamp: '2026-01-01T00:00:08.000Z' }
const interrupted = { type: 'session_interrupted', cause: { result: 'agent' } }
const asked = { type: 'user_message', messageId: 'm-a-1' }
const second = { type: 'user_message', messageId: 'm-a-2' }
const accepted = ['m-a-1', 'm-a-2'].map((messageId) => ({ type: 'message_accepted', messageId }))
const answered = { type: 'approval_response', requestId: 'r1' }
const said = { type: 'text', content: 'hello' }
const good = [started, asked, second, ...accepted, answered, said, completed, ended]

const fileOf = (records: object[]) => Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''))

function shownOf(file: Buffer) {
  let offset = 0
  return file
    .toString()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => {
      offset = file.indexOf(line, offset) + Buffer.byteLength(line) + 1
      return { offset, line }
    })
}

function evidence(records: object[] = good, more: Partial<Evidence> = {}): Evidence {
  const history = newHistory('4f1c9a0b7e2d')
  history.messages.push({ writer: 'a', messageId: 'm-a-1' }, { writer: 'a', messageId: 'm-a-2' })
  history.answers.push('r1')
  const file = fileOf(records)
  return {
    history,
    file,
    notes: [
      { pid: 1, got: 'u1' },
      { pid: 1, said: 'hello' },
    ],
    shown: [{ reader: 'r', sessionId: history.sessionId, lines: shownOf(file), damaged: [] }],
    statuses: { ls: 'completed', http: 'completed' },
    ...more,
  }
}

const without = (record: object) => good.filter((each) => each !== record)

t.test('what is whole is called whole', async (t) => {
  t.strictSame(broken(evidence()), [])
})

t.test('each broken promise is named', async (t) => {
  const rows: [string, Evidence, RegExp][] = [
    ['a message lost', evidence(without(asked)), /m-a-1 was acknowledged and stands there 0 times/],
    ['a message twice', evidence([...good, asked]), /m-a-1 was acknowledged and stands there 2 times/],
    [
      'two messages in another order',
      evidence([started, second, asked, ...good.slice(3)]),
      /the order of a is not kept/,
    ],
    ['an answer lost', evidence(without(answered)), /answer to r1 stands there 0 times/],
    ['words that nobody said', evidence([said, ...good]), /"hello" is told 2 times and was said 1 times/],
    [
      'a message given twice',
      evidence(good, { notes: [...evidence().notes, { pid: 2, got: 'u1' }] }),
      /given u1 2 times/,
    ],
    ['an end lost', evidence([...good.slice(0, -1)]), /start 1 has 0 ends/],
    ['an end without a cause', evidence([...good.slice(0, -1), { ...ended, result: 'unknown' }]), /end 1 has no cause/],
    ['something left behind', evidence(good, { leftovers: ['a process'] }), /it has left a process/],
    [
      'an end that nobody has asked for',
      evidence([...good.slice(0, -2), interrupted, ended], { statuses: { ls: 'interrupted' } }),
      /it is interrupted \({"result":"agent"}\)/,
    ],
    [
      'no last word',
      evidence(without(completed), { statuses: { ls: 'interrupted' } }),
      /the last word in its file is undefined/,
    ],
    ['two statuses', evidence(good, { statuses: { ls: 'running', http: 'completed' } }), /its status is \{"ls"/],
    ['a status that lives', evidence(good, { statuses: { ls: 'running' } }), /its status is running at the end/],
    [
      'another last word',
      evidence(good, { statuses: { ls: 'failed' } }),
      /the last word in its file is session_completed/,
    ],
    ['an open message', evidence(without(accepted[1]!)), /has not answered m-a-2/],
    ['work of nobody', evidence(without(said), { notes: [] }), /its agent was given nothing/],
  ]
  for (const [name, seen, why] of rows) t.match(broken(seen).join('\n'), why, name)
})

t.test('a program is run once, and has ended as it was killed', async (t) => {
  const notes = [1, 2].map((pid) => ({ pid, said: 'hello' }))
  const of = (more: Partial<Evidence>): string => {
    const { history, ...rest } = evidence([started, said, interrupted, ended], {
      statuses: { ls: 'interrupted' },
      ...more,
    })
    const own = { ...history, isProgram: true, messages: [], answers: [] }
    if (more.history !== undefined) own.kills.push({ what: 'daemon', at: 0, midTurn: false })
    return broken({ ...rest, history: own }).join()
  }
  t.match(of({ notes }), /its program was run 2 times/)
  t.match(of({}), /it is interrupted/)
  t.equal(of({ history: newHistory('4f1c9a0b7e2d') }), '')
})

t.test('a unit that is stopped between two starts of a killed daemon: its exit is the last word', async (t) => {
  const cut = (leftovers: string[], fate?: 'stopped') => {
    const seen = evidence([...good.slice(0, -2), { ...ended, result: 'signal' }], {
      leftovers,
      statuses: { ls: 'interrupted' },
    })
    seen.history.kills.push({ what: 'daemon', at: 0, midTurn: true })
    if (fate !== undefined) seen.history.fate = fate
    return broken(seen).join()
  }
  t.equal(cut(['the file x'], 'stopped'), '')
  t.match(cut(['the process 1'], 'stopped'), /it has left the process 1/)
  t.match(cut(['the file x']), /the last word in its file is daemon_exited/)
})

t.test('readers', async (t) => {
  const [whole] = evidence().shown
  const shown = (lines: NonNullable<typeof whole>['lines']) => evidence(good, { shown: [{ ...whole!, lines }] })
  const { lines } = whole!
  t.match(broken(shown(lines.slice(0, -1))), [/r missed 1 lines/])
  t.match(broken(shown([...lines.slice(0, 3), ...lines.slice(2)])), [/r was shown another line 3/])
  t.match(broken(shown(lines.map((line) => ({ ...line, offset: line.offset + 1 })))), [/r was shown another line 0/])
})

t.test('damage: no more than crashes, and told', async (t) => {
  const whole = fileOf(good)
  const file = Buffer.concat([Buffer.from('{"type":"te\x18\n'), whole])
  const lines = shownOf(file)
  const seen = (damaged: number[]) => [{ reader: 'r', sessionId: '4f1c9a0b7e2d', lines, damaged }]
  t.match(broken(evidence(good, { file, shown: seen([0]) })), [/1 damaged lines after 0 crashes/])
  const crashed = evidence(good, { file, shown: seen([]) })
  crashed.history.kills.push({ what: 'daemon', at: 0, midTurn: true })
  t.match(broken(crashed), [/r was not told of the damage at 0/])
})

t.test('delays are measured from the kill, and from the last end', async (t) => {
  const { history, file } = evidence([...good, { type: 'session_interrupted', timestamp: '2026-01-01T00:00:09.500Z' }])
  history.kills.push({ what: 'daemon', at: Date.parse('2026-01-01T00:00:08.750Z'), midTurn: true })
  history.kills.push({ what: 'agent', at: Date.parse('2026-01-01T00:00:01.000Z'), midTurn: true })
  t.strictSame(delays({ history, file }), { exit: [250], ending: [500] })
})
