/**
 * The history as the model is shown it. All of it stays in the file; but a model takes only so much, and an answer of "too long" would
 * be the last that a conversation gets. So results of tools are shortened: large ones somewhat, and old ones to next to nothing.
 */
import type { ModelMessage } from 'ai'
import type { CallResult, Record } from './records.js'
import { shorten } from './tools/output.js'

/** Characters of one result. */
const RESULT = 48_000
/** Characters of all results, newest first. */
const RESULTS = 240_000
/** Characters of a result that is too old. */
const OLD_RESULT = 400

export function modelMessages(records: readonly Record[]): ModelMessage[] {
  const messages: ModelMessage[] = []
  const sizes = sizesOf(records)
  for (const [at, record] of records.entries()) {
    if (record.type === 'message') messages.push({ role: 'user', content: record.text ?? '' })
    if (record.type === 'answer') {
      const calls = record.calls.map(({ id, name, input }) => {
        return { type: 'tool-call' as const, toolCallId: id, toolName: name, input }
      })
      const text = record.text === '' ? [] : [{ type: 'text' as const, text: record.text }]
      messages.push({ role: 'assistant', content: [...text, ...calls] })
    }
    if (record.type === 'result') {
      const output = outputOf({ ...record, text: shorten(record.text, sizes.get(at) ?? OLD_RESULT) })
      const part = { type: 'tool-result' as const, toolCallId: record.id, toolName: record.name, output }
      messages.push({ role: 'tool', content: [part] })
    }
  }
  return messages
}

/** How much of each result is shown. */
function sizesOf(records: readonly Record[]): Map<number, number> {
  const sizes = new Map<number, number>()
  let left = RESULTS
  for (let at = records.length - 1; at >= 0; at--) {
    const record = records[at]
    if (record?.type !== 'result') continue
    const size = Math.min(record.text.length, RESULT)
    left -= size
    sizes.set(at, left >= 0 ? RESULT : OLD_RESULT)
  }
  return sizes
}

function outputOf({ outcome, text }: CallResult) {
  if (outcome === 'denied') return { type: 'execution-denied' as const, reason: text }
  return { type: outcome === 'done' ? ('text' as const) : ('error-text' as const), value: text }
}
