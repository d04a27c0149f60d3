import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { mendHistory } from '../../../src/agents/acp/gemini-store.js'

const id = '6f36dbf2-d7da-4493-95b5-75eea9bc59e1'
const now = new Date('2026-11-25T02:47:30Z')
const header = (sessionId: string) => JSON.stringify({ sessionId })
const context = JSON.stringify({ $set: { messages: [{ type: 'user', content: [{ text: '<session_context>\nx' }] }] } })
const message = JSON.stringify({ type: 'user', content: [{ text: 'hello' }] })
const [full, empty] = [`${header(id)}\n${context}\n${message}\n`, `${header(id)}\n${context}\n`]

function mended(t: Test, files: Record<string, string>): string[] {
  const home = t.testdir({})
  const chats = join(home, '.gemini', 'tmp', 'project', 'chats')
  mkdirSync(chats, { recursive: true })
  mkdirSync(join(home, '.gemini', 'tmp', 'bin'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(chats, name), content)
  mendHistory(id, { HOME: home }, now)
  return readdirSync(chats).sort()
}

t.test('a history of this minute is moved to a name that is free', async (t) => {
  t.same(mended(t, { 'session-2026-11-25T02-47-6f36dbf2.jsonl': full }), ['session-2026-11-25T02-46-6f36dbf2.jsonl'])
  const both = { 'session-2026-11-25T02-46-6f36dbf2.jsonl': full, 'session-2026-11-25T02-47-6f36dbf2.jsonl': full }
  t.same(mended(t, both), ['session-2026-11-25T02-45-6f36dbf2.jsonl', 'session-2026-11-25T02-46-6f36dbf2.jsonl'])
  const old = { 'session-2026-11-25T02-40-6f36dbf2.jsonl': full }
  t.same(mended(t, old), Object.keys(old))
})

t.test('what a load has left over goes, if the history is there', async (t) => {
  const left = { 'session-2026-11-25T02-40-6f36dbf2.jsonl': full, 'session-2026-11-25T02-44-6f36dbf2.jsonl': empty }
  t.same(mended(t, left), ['session-2026-11-25T02-40-6f36dbf2.jsonl'])
  const alone = { 'session-2026-11-25T02-47-6f36dbf2.jsonl': empty }
  t.same(mended(t, alone), Object.keys(alone))
})

t.test('nothing else is touched', async (t) => {
  const others = {
    'logs.json': '{}',
    'session-2026-11-25T02-47-12345678.jsonl': full,
    'session-2026-11-25T02-47-6f36dbf2.jsonl': `${header('6f36dbf2-another')}\n${message}\n`,
  }
  t.same(mended(t, others), Object.keys(others))
  t.doesNotThrow(() => mendHistory(id, { HOME: join(t.testdirName, 'nowhere') }, now))
  t.doesNotThrow(() => mended(t, { 'session-2026-11-25T02-47-6f36dbf2.jsonl': 'no JSON' }))
})
