/** The conversation so far as text: for an agent that has lost its own history and has to begin anew. */
import { parseRecord } from '../log/line.js'
import { readLog } from '../log/read.js'
import type { Loose } from './life.js'
import { isOwn, PROMPT } from './message.js'
import type { Spec } from './spec.js'

/** Characters; the end of a long conversation counts for more than its beginning. */
const MOST = 32 * 1024
const LONGEST = 4 * 1024

/**
 * Who said what, and what was done, in order. The prompt is always in it.
 * @param next the message that is about to be said, and stands below the conversation
 */
export function transcriptOf(path: string, next: string): string {
  const parts: string[] = []
  let size = 0
  let prompt = ''
  readLog(path, {}, ({ bytes }) => {
    if (bytes.includes('"partial":true')) return
    const record = parseRecord(bytes)
    if (record === undefined) return
    if (record.type === 'session_created' && next !== PROMPT)
      prompt = `User: ${textIn((record.spec as Partial<Spec> | null | undefined)?.prompt)}`
    const part = record.messageId === next ? undefined : partOf(record)
    if (part === undefined) return
    parts.push(part)
    size += part.length
    while (size > MOST && parts.length > 1) size -= parts.shift()!.length
  })
  return [...(prompt === '' ? [] : [prompt]), ...parts].join('\n\n')
}

function partOf(record: Loose): string | undefined {
  const [messageId, tool] = [textIn(record.messageId), textIn(record.tool)]
  const content = textIn(record.content).slice(0, LONGEST)
  switch (record.type) {
    case 'user_message':
      return messageId === '' || isOwn(messageId) ? undefined : `User: ${content}`
    case 'text':
      return content === '' ? undefined : `You: ${content}`
    case 'tool_use':
      return `(You used the tool ${tool}: ${JSON.stringify(record.input)?.slice(0, 500)})`
    case 'tool_result':
      return `(It gave: ${content.slice(0, 500)})`
    default:
      return undefined
  }
}

/** A line may have been written by hand. */
const textIn = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A message that carries the conversation before it. */
export const withTranscript = (transcript: string, content: string): string =>
  `The conversation below was interrupted and its history is lost. This is what was said and done before:\n\n<conversation>\n${transcript}\n</conversation>\n\n${content}`
