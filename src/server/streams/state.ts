/**
 * All sessions as a live table: the registry as change messages of the state protocol, at the offsets of the registry itself. What is told
 * of a line is the row of its session as it is now. So a client that has read to the end has each row as it is there, wherever it began and
 * however often it came again; and the server keeps nothing but one fold for as long as somebody reads.
 */
import type { Memory } from '../../base/memory.js'
import type { Home } from '../../base/paths.js'
import { parseRecord } from '../../log/line.js'
import { splitLines } from '../../log/read.js'
import { isId } from '../../session/id.js'
import { type Registry, readRegistry } from '../../session/registry.js'
import type { Source } from '../../streams/source.js'

const views = new WeakMap<Source, StateView>()

/** The one view of an open registry, so that its readers share what is made of it. */
export function stateOf(home: Home, log: Source): Source {
  const view = views.get(log) ?? new StateView(home, log)
  views.set(log, view)
  return view
}

class StateView implements Source {
  readonly contentType = 'application/json'
  readonly json = true
  readonly #home: Home
  readonly #log: Source
  #registry: Registry | undefined

  constructor(home: Home, log: Source) {
    this.#home = home
    this.#log = log
  }

  get id(): string {
    return this.#log.id
  }
  get end(): number {
    return this.#log.end
  }
  get closed(): boolean {
    return this.#log.closed
  }
  get gone(): boolean {
    return this.#log.gone
  }
  read(from: number, most: number, memory: Memory): Buffer {
    return this.#log.read(from, most, memory)
  }
  onGrowth(listener: () => void): () => void {
    return this.#log.onGrowth(listener)
  }

  /** One message for each session that is spoken of. */
  linesOf(bytes: Buffer, from: number): Buffer {
    const named = new Set<string>()
    splitLines(bytes, from, (start, end) => {
      const id = parseRecord(bytes.subarray(start, end))?.sessionId
      if (isId(id)) named.add(id)
    })
    if (named.size === 0) return Buffer.alloc(0)
    this.#registry = readRegistry(this.#home, this.#registry)
    const { rows } = this.#registry
    const messages = [...named].map((id) =>
      rows.has(id) ? message(id, 'update', rows.text(id)) : message(id, 'delete'),
    )
    return Buffer.from(messages.join(''))
  }
}

/** Never an insert: a registry may say twice that a session was created, and a client may know it already. An update replaces what is there. */
const message = (id: string, operation: 'update' | 'delete', value?: string): string =>
  `{"type":"session","key":"${id}",${value === undefined ? '' : `"value":${value},`}"headers":{"operation":"${operation}"}}\n`
