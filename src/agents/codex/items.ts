/** The items of a thread that are actions: each as one tool call and its result. */
import type { EventOf, Unframed } from '../../session/events.js'
import { cut, cutJson, short, TEXT_BUDGET } from '../cut.js'
import { type Json, object, objects, string, text } from '../json.js'

type ToolUse = Unframed<EventOf<'tool_use'>>
type ToolResult = Unframed<EventOf<'tool_result'>>

/** Room for the exit code behind a long output. */
const EXIT_ROOM = 64
/** Their names take at most half of a log line; the changes themselves have the other half. */
const MOST_FILES = 500

interface Action {
  readonly tool: string
  readonly input: unknown
  readonly files?: string[]
  output(): string
}

export const toolIdOf = (item: Json): string => short(string(item.id) ?? '')

/** @returns undefined for an item that is no action */
export function toolUse(item: Json): ToolUse | undefined {
  const action = actionOf(item)
  if (action === undefined) return undefined
  const { value, missingBytes } = cutJson(action.input, action.files === undefined ? TEXT_BUDGET : TEXT_BUDGET / 2)
  return {
    type: 'tool_use',
    toolId: toolIdOf(item),
    tool: short(action.tool),
    input: value,
    ...(action.files !== undefined && { files: action.files }),
    ...(missingBytes !== undefined && { missingBytes }),
  }
}

export function toolResult(item: Json): ToolResult | undefined {
  const action = actionOf(item)
  if (action === undefined) return undefined
  const { status, exitCode } = item
  const output = status === 'declined' ? '[declined]' : action.output()
  const { content, missingBytes } = cut(output, TEXT_BUDGET - EXIT_ROOM)
  const exit = Number.isSafeInteger(exitCode) && exitCode !== 0 ? `[exit code ${exitCode}]` : ''
  return {
    type: 'tool_result',
    toolId: toolIdOf(item),
    content: content === '' || exit === '' || content.endsWith('\n') ? content + exit : `${content}\n${exit}`,
    isError: status === 'failed' || status === 'declined' || item.success === false,
    ...(missingBytes !== undefined && { missingBytes }),
  }
}

function actionOf(item: Json): Action | undefined {
  switch (item.type) {
    case 'commandExecution':
      return {
        tool: item.type,
        input: { command: item.command, cwd: item.cwd },
        output: () => string(item.aggregatedOutput) ?? '',
      }
    case 'fileChange': {
      const changes = objects(item.changes)
      return {
        tool: item.type,
        input: { changes },
        files: filesOf(changes),
        output: () => changes.map(told).join('\n'),
      }
    }
    case 'mcpToolCall': {
      const output = () => string(object(item.error).message) ?? partsOf(object(item.result).content)
      return { tool: `${text(item.server)}.${text(item.tool)}`, input: item.arguments ?? {}, output }
    }
    case 'dynamicToolCall':
      return { tool: text(item.tool), input: item.arguments ?? {}, output: () => partsOf(item.contentItems) }
    case 'collabAgentToolCall':
      return {
        tool: text(item.tool),
        input: { prompt: item.prompt, agents: item.receiverThreadIds },
        output: () => JSON.stringify(item.agentsStates ?? {}),
      }
    case 'webSearch': {
      const output = () => (item.results === null || item.results === undefined ? '' : JSON.stringify(item.results))
      return { tool: item.type, input: { query: item.query, action: item.action }, output }
    }
    case 'imageView':
      return { tool: item.type, input: { path: item.path }, output: () => '' }
    default:
      return undefined
  }
}

/** The files that changes touch; a renamed one is there under both names. */
function filesOf(changes: readonly Json[]): string[] {
  const files = changes.flatMap(({ path, kind }) => [path, object(kind).move_path])
  return [...new Set(files.filter((file) => typeof file === 'string'))].map(short).slice(0, MOST_FILES)
}

const told = ({ path, kind }: Json) => `${text(object(kind).type)} ${text(path)}`

/** A tool's answer as text. Pictures are named with their size: base64 is no text. */
function partsOf(content: unknown): string {
  return objects(content)
    .map((part) => {
      if (typeof part.text === 'string') return part.text
      if (typeof part.data !== 'string') return JSON.stringify(part)
      return `[${string(part.mimeType) ?? text(part.type)}, ${Buffer.byteLength(part.data, 'base64')} bytes]`
    })
    .join('\n')
}
