import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { History } from '../../../src/agents/chat/history.js'
import type { Record } from '../../../src/agents/chat/records.js'
import { tempDir } from '../../helpers/home.js'

const call = (id: string) => ({ id, name: 'shell', input: { command: 'date' } })
const answer = (...ids: string[]): Record => ({ type: 'answer', text: 'So.', calls: ids.map(call) })
const result = (id: string): Record => ({ type: 'result', id, name: 'shell', text: 'ok', outcome: 'done' })

/** The same conversation, as the next process finds it. */
function again(path: string, id = 'one'): History {
  const history = History.find(path, id)
  if (history === undefined) throw new Error('it is not there')
  return history
}

t.test('a conversation is found again, as it was', async (t) => {
  const path = join(tempDir(t), 'history')
  const history = History.begin(path, 'one')
  t.equal(statSync(path).mode & 0o777, 0o600)
  const said: Record[] = [{ type: 'message', messageId: 'm1', text: 'Go' }, answer('a', 'b'), result('a')]
  for (const record of said) history.add(record)
  history.add({ type: 'always', grant: 'shell date' })
  history.add({ type: 'message', messageId: 'm2' })
  const { records, messageIds, grants, open } = again(path)
  t.same(records, said, 'a word to go on is no part of what was said')
  t.same(messageIds, ['m1', 'm2'])
  t.same(grants, new Set(['shell date']))
  t.same(open, [{ ...call('b'), asked: false, started: false }])
  t.same(open, history.open)
})

t.test('what is open, and how far it came', async (t) => {
  const path = join(tempDir(t), 'history')
  const history = History.begin(path, 'one')
  history.add(answer('a', 'b', 'c'))
  history.add({ type: 'asked', id: 'a' })
  history.add({ type: 'started', id: 'b' })
  const states = again(path).open.map(({ asked, started }) => ({ asked, started }))
  t.same(states, [
    { asked: true, started: false },
    { asked: false, started: true },
    { asked: false, started: false },
  ])
  for (const id of ['a', 'b', 'c']) history.add(result(id))
  t.same(again(path).open, [])
})

t.test('a line that was torn is skipped, and the next one is not', async (t) => {
  const path = join(tempDir(t), 'history')
  const history = History.begin(path, 'one')
  history.add({ type: 'message', text: 'First' })
  history.add({ type: 'message', text: 'Torn' })
  history.close()
  truncateSync(path, statSync(path).size - 8)
  const next = again(path)
  t.same(next.records, [{ type: 'message', text: 'First' }])
  next.add({ type: 'message', text: 'Second' })
  t.same(
    again(path).records.map((record) => 'text' in record && record.text),
    ['First', 'Second'],
  )
})

t.test('garbage, and records of a later version, do no harm', async (t) => {
  const path = join(tempDir(t), 'history')
  const history = History.begin(path, 'one')
  appendFileSync(path, '{"type":"from the future"}\nnonsense\n{not json}\n[1]\n{}\n')
  history.add({ type: 'message', text: 'Hello' })
  t.same(again(path).records, [{ type: 'message', text: 'Hello' }])
})

t.test('only the last conversation of a file is known', async (t) => {
  const path = join(tempDir(t), 'history')
  History.begin(path, 'one').add({ type: 'message', text: 'Old' })
  History.begin(path, 'two').add({ type: 'message', text: 'New' })
  t.equal(History.find(path, 'one'), undefined)
  t.same(again(path, 'two').records, [{ type: 'message', text: 'New' }])
  t.match(readFileSync(path, 'utf8'), /Old/, 'nothing is taken away')
  t.equal(History.find(path, 'three'), undefined)
  t.equal(History.find(join(tempDir(t), 'missing'), 'one'), undefined)
})

t.test('what is too long is refused, and is no part of the conversation', async (t) => {
  const path = join(tempDir(t), 'history')
  const history = History.begin(path, 'one')
  const long: Record = { type: 'message', text: 'x'.repeat(1024 * 1024) }
  t.throws(() => history.add(long), { code: 'LOG_TOO_LONG' })
  t.same(history.records, [])
  history.add({ type: 'message', text: 'short' })
  t.same(again(path).records, [{ type: 'message', text: 'short' }])
})

t.test('a place where nothing can be written', async (t) => {
  const dir = tempDir(t)
  t.throws(() => History.begin(join(dir, 'missing/history'), 'one'), { code: 'LOG_WRITE' })
  writeFileSync(join(dir, 'empty'), '')
  t.equal(History.find(join(dir, 'empty'), 'one'), undefined)
})
