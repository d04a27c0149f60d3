/**
 * Tool calls, put together from the pieces in which agents tell of them: a first word without input, updates of single fields,
 * a request for permission, an end. Each becomes one `tool_use` and one `tool_result`.
 */
import type { AgentEvent } from '../../session/events.js'
import type { Book } from '../book.js'
import { cut, cutJson, short, TEXT_BUDGET } from '../cut.js'
import { isObject, type Json, object, objects, string, text } from '../json.js'
import { diffPaths, toolText } from './content.js'
import type { Profile } from './profile.js'

const EDITS = new Set(['edit', 'delete', 'move'])
/** Files that are listed in an event. */
const MOST_FILES = 100
const HALF = TEXT_BUDGET / 2

/** What is known of a call so far. */
export interface Call {
  readonly toolId: string
  readonly firstTitle: string
  /** A field of an update takes the place of an earlier one. */
  readonly fields: Record<string, unknown>
  /** What a request for permission shows; it is no part of the result. */
  shown: unknown
  told: boolean
}

export class Tools<Q> {
  readonly #profile: Profile
  readonly #book: Book<Q>
  /** Calls that an earlier process has told of, and that wait for an answer since. */
  #known: ReadonlySet<string>
  #calls = new Map<string, Call>()
  /** Calls of this turn that have ended. */
  #over = new Set<string>()

  constructor(profile: Profile, book: Book<Q>, known: ReadonlySet<string>) {
    this.#profile = profile
    this.#book = book
    this.#known = known
  }

  /** A `tool_call` or `tool_call_update`. */
  update(update: Json): AgentEvent[] {
    const toolId = idOf(update)
    if (this.#over.has(toolId)) return []
    const isFirst = !this.#calls.has(toolId)
    const call = this.#merge(toolId, update)
    const { status } = call.fields
    if (status === 'completed' || status === 'failed') {
      return [...this.#tell(call), ...this.#end(toolId, resultText(call), status === 'failed')]
    }
    const isSketch = isFirst && status === 'pending' && this.#profile.sketchesTools === true
    return !isSketch && (hasInput(update.rawInput) || status === 'in_progress') ? this.#tell(call) : []
  }

  /** The call that a request for permission is about, told before the request. */
  asked(update: Json): { call: Call; events: AgentEvent[] } {
    const { content, status: _, ...fields } = update
    const call = this.#merge(idOf(update), fields)
    call.shown = content
    return { call, events: this.#tell(call) }
  }

  /** A call that was denied, where the agent says nothing more about it. */
  denied(toolId: string): AgentEvent[] {
    return this.#profile.silentDenial === true ? this.#end(toolId, '[denied]', true) : []
  }

  /** The turn ends: calls that were announced and not begun are told, so that nothing goes missing. */
  close(): AgentEvent[] {
    const events = [...this.#calls.values()].flatMap((call) => this.#tell(call))
    this.#calls = new Map()
    this.#over = new Set()
    this.#known = new Set()
    return events
  }

  nameOf({ toolId, firstTitle, fields }: Call): string {
    const [, inId] = this.#profile.toolInId?.exec(toolId) ?? []
    const kind = string(fields.kind) ?? 'other'
    const name = inId ?? string(fields.name) ?? (/^[\w.-]+$/.test(firstTitle) ? firstTitle : undefined)
    return short(name ?? (kind === 'other' ? firstTitle || 'tool' : kind))
  }

  #merge(toolId: string, update: Json): Call {
    const firstTitle = string(update.title) ?? ''
    const call = this.#calls.get(toolId) ?? { toolId, firstTitle, fields: {}, shown: undefined, told: false }
    for (const [key, value] of Object.entries(update)) {
      // The files of an edit may be named in one update and not in the next.
      const isEmpty = value === undefined || value === null || (Array.isArray(value) && value.length === 0)
      if (!isEmpty && (key !== 'rawInput' || hasInput(value))) call.fields[key] = value
    }
    this.#calls.set(toolId, call)
    return call
  }

  #tell(call: Call): AgentEvent[] {
    if (call.told) return []
    call.told = true
    this.#book.toolUse(call.toolId)
    if (this.#known.has(call.toolId)) return []
    const { value: input, missingBytes } = inputOf(call)
    const files = filesOf(call)
    return [
      {
        type: 'tool_use',
        toolId: call.toolId,
        tool: this.nameOf(call),
        input,
        ...(files.length === 0 ? {} : { files }),
        ...(missingBytes === undefined ? {} : { missingBytes }),
      },
    ]
  }

  #end(toolId: string, text: string, isError: boolean): AgentEvent[] {
    this.#calls.delete(toolId)
    this.#over.add(toolId)
    if (!this.#book.toolResult(toolId)) return []
    return [{ type: 'tool_result', toolId, ...cut(text), isError }]
  }
}

const idOf = ({ toolCallId }: Json): string => short(string(toolCallId) ?? '')

const hasInput = (input: unknown): boolean =>
  isObject(input) ? Object.keys(input).length > 0 : input !== undefined && input !== null

/** What it is to do. Some agents give no input; what they show to people has to stand for it. */
export function inputOf({ fields, shown }: Call): { value: unknown; missingBytes?: number } {
  return cutJson(hasInput(fields.rawInput) ? fields.rawInput : described(fields.title, shown ?? fields.content), HALF)
}

function described(title: unknown, content: unknown): Json {
  const diffs = objects(content).filter(({ type }) => type === 'diff')
  const text = toolText(objects(content).filter(({ type }) => type !== 'diff'))
  return {
    ...(typeof title === 'string' ? { title } : {}),
    ...(text === '' ? {} : { text }),
    ...(diffs.length === 0 ? {} : { changes: diffs.map(({ path, oldText, newText }) => ({ path, oldText, newText })) }),
  }
}

function filesOf({ fields: { kind, locations, content }, shown }: Call): string[] {
  if (!EDITS.has(text(kind))) return []
  const named = objects(locations).flatMap(({ path }) => (typeof path === 'string' ? [path] : []))
  const files = named.length > 0 ? named : [...diffPaths(shown), ...diffPaths(content)]
  return [...new Set(files)].slice(0, MOST_FILES).map(short)
}

function resultText({ fields: { content, rawOutput } }: Call): string {
  const text = toolText(content)
  if (text !== '' || rawOutput === undefined) return text
  if (typeof rawOutput === 'string') return rawOutput
  const { output, error } = object(rawOutput)
  return string(output) ?? string(error) ?? JSON.stringify(rawOutput)
}
