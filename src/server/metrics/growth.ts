/**
 * What is appended to the registry and to the logs of sessions, counted in the files themselves: whoever wrote it. Of a log, only what came
 * since it was first looked at; it is read once, and not parsed.
 */
import { closeSync, fstatSync } from 'node:fs'
import { setImmediate as otherWork } from 'node:timers/promises'
import { asText } from '../../base/field.js'
import type { Home } from '../../base/paths.js'
import { readPage } from '../../delivery/page.js'
import { parseRecord } from '../../log/line.js'
import { linesEnd, openIfThere, splitLines } from '../../log/read.js'
import { meaningOf } from '../../session/cause.js'
import { RegistryEvent } from '../../session/events.js'
import { isId } from '../../session/id.js'
import type { Loose } from '../../session/life.js'
import { openCounted } from './log.js'

const known: ReadonlySet<string> = new Set(
  RegistryEvent.def.options.flatMap(({ def }) => [...def.shape.type.def.values]),
)
const ends = new Set(['session_failed', 'session_cancelled', 'session_interrupted'])

export class Growth {
  /** Lines of the registry; the key is type and cause. */
  readonly lifecycle = new Map<string, { type: string; cause: string; count: number }>()
  events = 0
  bytes = 0
  /** Of the logs that were looked at last. */
  readonly sizes = new Map<string, number>()
  readonly #home: Home
  /** How far each log was counted. */
  readonly #logs = new Map<string, number>()
  #registry = { ino: 0, at: 0 }

  constructor(home: Home) {
    this.#home = home
  }

  /** @param live the sessions that may be written to */
  async look(live: readonly string[]): Promise<void> {
    await this.#lookAtRegistry()
    this.sizes.clear()
    for (const id of new Set([...this.#logs.keys(), ...live])) await this.#lookAtLog(id)
    // What has ended was counted to its end.
    const lives = new Set(live)
    for (const id of this.#logs.keys()) if (!lives.has(id)) this.#logs.delete(id)
  }

  async #lookAtRegistry(): Promise<void> {
    const fd = openIfThere(this.#home.registry)
    if (fd === undefined) return
    try {
      const { ino, size } = fstatSync(fd)
      const isFirst = this.#registry.ino === 0
      // Another file than before: all is counted anew, as after a start of the server.
      if (ino !== this.#registry.ino || size < this.#registry.at) {
        this.#registry = { ino, at: 0 }
        this.lifecycle.clear()
      }
      this.#registry.at = await pages(fd, this.#registry.at, size, (bytes) => this.#count(bytes, isFirst))
    } finally {
      closeSync(fd)
    }
  }

  #count(bytes: Buffer, isFirst: boolean): void {
    const record = parseRecord(bytes)
    if (record === undefined) return
    const named = asText(record.type)
    const type = known.has(named) ? named : 'other'
    const cause = ends.has(type) ? causeIn(record) : ''
    const key = `${type} ${cause}`
    const counted = this.lifecycle.get(key) ?? { type, cause, count: 0 }
    this.lifecycle.set(key, { ...counted, count: counted.count + 1 })
    const { sessionId } = record
    if (!isFirst && type === 'session_created' && isId(sessionId)) this.#logs.set(sessionId, 0)
  }

  async #lookAtLog(id: string): Promise<void> {
    const fd = openCounted(this.#home, id)
    if (fd === undefined) return
    try {
      const { size } = fstatSync(fd)
      this.sizes.set(id, size)
      const from = Math.min(this.#logs.get(id) ?? linesEnd(fd), size)
      const to = await pages(fd, from, size, () => this.events++)
      this.bytes += to - from
      this.#logs.set(id, to)
    } finally {
      closeSync(fd)
    }
  }
}

function causeIn({ cause }: Loose): string {
  const result = typeof cause === 'object' && cause !== null ? (cause as Loose).result : undefined
  return meaningOf(result) === undefined ? 'unknown' : String(result)
}

/** Reads records page by page, with other work between them. @returns the offset after the last whole line */
async function pages(fd: number, from: number, to: number, onRecord: (bytes: Buffer) => void): Promise<number> {
  let at = from
  for (let page = readPage(fd, at, to); page !== undefined; page = readPage(fd, at, to)) {
    const { bytes } = page
    splitLines(bytes, at, (start, end) => onRecord(bytes.subarray(start, end)))
    at = page.to
    await otherWork()
  }
  return at
}
