/** A line of a shell that asks what an operation is for. */
import { shellWords } from '../../base/shell.js'
import type { Document, Json, Operation } from './document.js'

export function curlOf({ components }: Document, path: string, method: string, operation: Operation): string {
  const follows = Object.keys(operation.responses['200']?.content ?? {}).includes('text/event-stream')
  const media = operation.requestBody?.content['application/json'] as { schema: Json } | undefined
  const name =
    String(media?.schema.$ref ?? '')
      .split('/')
      .at(-1) ?? ''
  const body = operation.requestBody?.required ? sampleOf(components.schemas[name] ?? {}) : undefined
  const words = [
    ...['curl', ...(follows ? ['-N'] : [])],
    ...(method === 'GET' || (method === 'POST' && body !== undefined)
      ? []
      : method === 'HEAD'
        ? ['-I']
        : ['-X', method]),
  ]
  const sent = body === undefined ? [] : ['-H', 'content-type: application/json', '-d', JSON.stringify(body)]
  const url = `http://localhost${path.replace(/\{(\w+)\}/g, (_, part) => part.toUpperCase())}`
  return `${shellWords(words)} --unix-socket $S ${shellWords([url, ...sent])}`
}

/** The fields that must be there, and one that says what is wanted. */
function sampleOf(schema: Json): Json {
  const { properties = {}, required = [] } = schema as { properties?: Record<string, Json>; required?: string[] }
  const wanted = Object.keys(properties).filter(
    (name) => required.includes(name) || name === 'prompt' || name === 'agentType',
  )
  return Object.fromEntries(
    wanted.map((name) => [name, samples[name] ?? (properties[name]?.enum as unknown[] | undefined)?.[0] ?? '...']),
  )
}

const samples: Json = {
  agentType: 'claude',
  workingDir: '/home/me/src',
  prompt: 'fix the failing test',
  content: 'and now?',
}
