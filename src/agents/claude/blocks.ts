/** The blocks of claude's messages, each finished one as one event. */
import type { AgentEvent } from '../../session/events.js'
import { cut, cutJson, short } from '../cut.js'
import { isObject, type Json, string, text } from '../json.js'

/** Empty thinking is what a model sends that hides it; there is nothing to tell then. */
export function blockEvents(block: Json): AgentEvent[] {
  switch (block.type) {
    case 'text':
      return whole('text', block.text)
    case 'thinking':
      return whole('thinking', block.thinking)
    case 'redacted_thinking':
      return []
    case 'tool_use':
    case 'server_tool_use': {
      const { value, missingBytes } = cutJson(block.input ?? {})
      const event = {
        type: 'tool_use' as const,
        toolId: short(string(block.id) ?? ''),
        tool: short(string(block.name) ?? ''),
        input: value,
      }
      return [missingBytes === undefined ? event : { ...event, missingBytes }]
    }
    default: {
      const { value, missingBytes } = cutJson(block)
      return [missingBytes === undefined ? { type: 'raw', raw: value } : { type: 'raw', raw: value, missingBytes }]
    }
  }
}

/** A tool's result as text. Pictures are named with their size: base64 is no text. */
export function resultText(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return content === undefined ? '' : JSON.stringify(content)
  return content.map(part).join('\n')
}

function part(block: unknown): string {
  if (!isObject(block)) return text(block)
  if (block.type === 'text') return string(block.text) ?? ''
  if (block.type !== 'image' || !isObject(block.source)) return JSON.stringify(block)
  const data = string(block.source.data) ?? ''
  return `[${string(block.source.media_type) ?? 'image'}, ${Buffer.byteLength(data, 'base64')} bytes]`
}

function whole(type: 'text' | 'thinking', content: unknown): AgentEvent[] {
  return typeof content === 'string' && content !== '' ? [{ type, ...cut(content) }] : []
}
