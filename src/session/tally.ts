/** What an agent did, counted over the whole session: for `metadata`, and to close what a dead daemon left open. */
import { parseRecord } from '../log/line.js'
import { readLog } from '../log/read.js'
import type { AgentEvent, Metadata } from './events.js'
import type { Loose } from './life.js'
import type { SessionState } from './state.js'

const heads = ['tool_use', 'tool_result'].map((type) => Buffer.from(`{"type":"${type}"`))

/** A person may have appended it, with anything in its fields. */
const isCountable = ({ type, toolId, tool, files = [] }: Loose): boolean =>
  typeof toolId === 'string' &&
  (type !== 'tool_use' ||
    (typeof tool === 'string' && Array.isArray(files) && files.every((file) => typeof file === 'string')))

export class Tally {
  readonly #byTool = new Map<string, number>()
  readonly #edited = new Set<string>()
  /** Calls without a result, and the files that they would change. */
  readonly #open = new Map<string, readonly string[]>()
  #calls = 0

  /** Counts what stands in a session's file. */
  static of(path: string): Tally {
    const tally = new Tally()
    readLog(path, {}, ({ bytes }) => {
      if (!heads.some((head) => bytes.subarray(0, head.length).equals(head))) return
      const record = parseRecord(bytes)
      if (record !== undefined && isCountable(record)) tally.count(record as unknown as AgentEvent)
    })
    return tally
  }

  count(event: AgentEvent): void {
    if (event.type === 'tool_use') {
      this.#calls++
      this.#byTool.set(event.tool, (this.#byTool.get(event.tool) ?? 0) + 1)
      this.#open.set(event.toolId, event.files ?? [])
    } else if (event.type === 'tool_result') {
      if (event.isError !== true) for (const file of this.#open.get(event.toolId) ?? []) this.#edited.add(file)
      this.#open.delete(event.toolId)
    }
  }

  /** The results that will never come. */
  close(why: string): AgentEvent[] {
    const events = [...this.#open.keys()].map(
      (toolId): AgentEvent => ({ type: 'tool_result', toolId, content: `[no result: ${why}]`, isError: true }),
    )
    this.#open.clear()
    return events
  }

  metadata({ turns, usage, activeMs }: SessionState): Metadata {
    const { costUsd, ...tokens } = usage
    return {
      durationMs: Math.round(activeMs),
      turns,
      usage: tokens,
      ...(costUsd === undefined ? {} : { costUsd }),
      toolStats: { totalCalls: this.#calls, byTool: Object.fromEntries(this.#byTool) },
      editedFiles: [...this.#edited],
    }
  }
}
