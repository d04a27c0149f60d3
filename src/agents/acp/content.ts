/** The content blocks of the protocol as text. */
import { type Json, object, objects, string, text } from '../json.js'

/** A block of a message. Pictures and sounds are named with their size: base64 is no text. */
export function blockText(block: Json): string {
  switch (block.type) {
    case 'text':
      return string(block.text) ?? ''
    case 'image':
    case 'audio': {
      const bytes = Buffer.byteLength(string(block.data) ?? '', 'base64')
      return `[${string(block.mimeType) ?? text(block.type)}, ${bytes} bytes]`
    }
    case 'resource_link':
      return `[${string(block.uri) ?? 'a resource'}]`
    case 'resource':
      return string(object(block.resource).text) ?? `[${string(object(block.resource).uri) ?? 'a resource'}]`
    default:
      return JSON.stringify(block)
  }
}

/** What a tool call carries beside its input: text, and diffs as a line each, since the files themselves have the rest. */
export function toolText(content: unknown): string {
  return objects(content).map(part).filter(Boolean).join('\n')
}

function part(block: Json): string {
  if (block.type === 'content') return blockText(object(block.content))
  if (block.type === 'diff') return diffText(block)
  // Its output is shown by whoever runs the terminal.
  if (block.type === 'terminal') return ''
  return JSON.stringify(block)
}

function diffText({ path, oldText, newText }: Json): string {
  const [before, after] = [countLines(oldText), countLines(newText)]
  return `[${string(path) ?? 'a file'}: ${before} lines before, ${after} after]`
}

const countLines = (text: unknown): number =>
  typeof text === 'string' && text !== '' ? text.replace(/\n$/, '').split('\n').length : 0

/** The files that diffs are about. */
export const diffPaths = (content: unknown): string[] =>
  objects(content).flatMap(({ type, path }) => (type === 'diff' && typeof path === 'string' ? [path] : []))
