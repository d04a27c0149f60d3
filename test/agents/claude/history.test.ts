import { join } from 'node:path'
import t from 'tap'
import { historyHolds } from '../../../src/agents/claude/history.js'

const workingDir = '/home/me/my.project'
const text = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }))
const user = (uuid: string, ...texts: string[]) => ({ type: 'user', uuid, message: { content: text(...texts) } })
const lines = [
  { type: 'queue-operation', operation: 'enqueue' },
  user('one', 'first'),
  { type: 'assistant', uuid: 'a', message: { content: text('a word on uuid two and "second"') } },
  { type: 'attachment', uuid: 'b', attachment: { type: 'queued_command', source_uuid: 'folded', prompt: text('x') } },
  user('last', 'say "hello"\n', 'third'),
]
const content = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"type":"user","uuid":"cut`

t.test('what the history holds is certain, and all else unknown', async (t) => {
  const dir = t.testdir({ '.claude': { projects: { '-home-me-my-project': { 'native.jsonl': content } } } })
  const where = { env: { HOME: dir }, workingDir, nativeId: 'native' }
  t.equal(await historyHolds(where, 'one'), true)
  t.equal(await historyHolds(where, 'folded'), true, 'it came while a tool ran')
  t.equal(await historyHolds(where, 'last'), true)
  t.equal(await historyHolds(where, 'two'), undefined, 'the answer only speaks of it')
  t.equal(await historyHolds(where, 'cut'), undefined)
  t.equal(await historyHolds(where, 'other', 'say "hello"\n'), true, 'two that waited stand there as one')
  t.equal(await historyHolds(where, 'other', 'first'), undefined, 'the same words were said before')
  t.equal(await historyHolds(where, 'other', 'second'), undefined)
  t.equal(await historyHolds({ ...where, nativeId: 'another' }, 'one'), undefined)
  t.equal(await historyHolds({ ...where, env: { HOME: join(dir, 'nowhere') } }, 'one'), undefined)
})

t.test('it is found where CLAUDE_CONFIG_DIR says, and under a name that claude shortened', async (t) => {
  const dir = t.testdir({ projects: { '-a-path-that-was-shortened': { 'native.jsonl': content } } })
  t.equal(await historyHolds({ env: { CLAUDE_CONFIG_DIR: dir }, workingDir, nativeId: 'native' }, 'one'), true)
})
