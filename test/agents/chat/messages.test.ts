import t from 'tap'
import { modelMessages } from '../../../src/agents/chat/messages.js'
import type { Outcome, Record } from '../../../src/agents/chat/records.js'

const call = (id: string) => ({ id, name: 'shell', input: { command: 'date' } })
const result = (id: string, text: string, outcome: Outcome = 'done'): Record => {
  return { type: 'result', id, name: 'shell', text, outcome }
}

t.test('the conversation in the words of the library', async (t) => {
  const messages = modelMessages([
    { type: 'message', text: 'Go' },
    { type: 'answer', text: '', calls: [call('a'), call('b'), call('c')] },
    result('a', 'ok'),
    result('b', 'bad', 'failed'),
    result('c', 'no', 'denied'),
    { type: 'answer', text: 'Done', calls: [] },
  ])
  const toolCall = (id: string) => ({
    type: 'tool-call',
    toolCallId: id,
    toolName: 'shell',
    input: { command: 'date' },
  })
  const tool = (id: string, output: object) => {
    return { role: 'tool', content: [{ type: 'tool-result', toolCallId: id, toolName: 'shell', output }] }
  }
  t.same(messages, [
    { role: 'user', content: 'Go' },
    { role: 'assistant', content: ['a', 'b', 'c'].map(toolCall) },
    tool('a', { type: 'text', value: 'ok' }),
    tool('b', { type: 'error-text', value: 'bad' }),
    tool('c', { type: 'execution-denied', reason: 'no' }),
    { role: 'assistant', content: [{ type: 'text', text: 'Done' }] },
  ])
})

t.test('a large result is shortened, and old ones more', async (t) => {
  const results = Array.from({ length: 20 }, (_, n) => result(`r${n}`, `${n} ${'x'.repeat(100_000)}`))
  const shown = modelMessages([...results, result('small', 'short')]).map((message) => JSON.stringify(message).length)
  t.ok(
    shown.slice(0, 16).every((length) => length < 1000),
    'old',
  )
  t.ok(
    shown.slice(17, 20).every((length) => length > 40_000 && length < 60_000),
    'new',
  )
  t.ok(shown.reduce((sum, length) => sum + length) < 300_000)
})
