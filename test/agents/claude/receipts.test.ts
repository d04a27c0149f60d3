import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Receipts } from '../../../src/agents/claude/receipts.js'

const never = () => {
  throw new Error('nothing is odd here')
}

t.test('the history tells, long before claude repeats the message', async (t) => {
  const dir = t.testdir({ projects: { '-p': { 'native.jsonl': '' } } })
  const where = { env: { CLAUDE_CONFIG_DIR: dir }, workingDir: '/p', nativeId: 'native' }
  const receipts = new Receipts(() => where, never)
  const first = receipts.of('one')
  void receipts.turnBegan()
  appendFileSync(join(dir, 'projects/-p/native.jsonl'), '{"type":"user","uuid":"one"}\n')
  // The next look may be a tenth of a second away, and it must not keep a process alive that has nothing else to do.
  const alive = setInterval(() => undefined, 1000)
  await first
  clearInterval(alive)
  t.equal(receipts.waiting, false)
})

t.test('the repeated message tells, once', async (t) => {
  const receipts = new Receipts(() => ({ env: {}, workingDir: '/p', nativeId: 'native' }), never)
  const one = receipts.of('one')
  t.equal(receipts.waiting, true)
  t.equal(receipts.taken('two'), false)
  t.equal(receipts.taken('one'), true)
  t.equal(receipts.taken('one'), false)
  await one
})

t.test('the end of a turn tells of the message that it began with, and of no other', async (t) => {
  const receipts = new Receipts(() => ({ env: { HOME: '/nowhere' }, workingDir: '/p', nativeId: 'native' }), never)
  const one = receipts.of('one')
  void receipts.turnBegan()
  void receipts.of('two')
  t.equal(receipts.turnEnded(), true)
  await one
  t.equal(receipts.turnEnded(), false)
  t.equal(receipts.waiting, true)
})

t.test('a history that cannot be read is odd, and no more', async (t) => {
  const dir = t.testdir({ projects: { '-p': { 'native.jsonl': {} } } })
  const warnings: string[] = []
  const where = { env: { CLAUDE_CONFIG_DIR: dir }, workingDir: '/p', nativeId: 'native' }
  const receipts = new Receipts(
    () => where,
    (message) => warnings.push(message),
  )
  void receipts.of('one')
  const alive = setInterval(() => undefined, 1000)
  await receipts.turnBegan()
  clearInterval(alive)
  t.same(warnings, ['reading the history of claude'])
})
