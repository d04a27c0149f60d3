/**
 * The rows of the registry by id, in order of creation. Those that came from the checkpoint stay text until somebody asks
 * for them: of 10,000 sessions nearly all have ended, and to list them takes their status and their text, no parsing.
 */
import { AgentzError } from '../base/errors.js'
import type { Row } from './registry.js'
import type { Status } from './status.js'

/** The text of a row begins with its id and its status, at fixed places: Rows.text writes them so. */
const ID_AT = '{"sessionId":"'.length
const STATUS_AT = ID_AT + 12 + '","status":"'.length
const rowText = /^\{"sessionId":"[0-9a-f]{12}","status":"[a-z_]+",/
const headText =
  /^\{"sessionId":"[0-9a-f]{12}","status":"(completed|cancelled)","agentType":"([^"\\]*)","createdAt":"([^"\\]*)","updatedAt":"([^"\\]*)","title":"([^"\\]*)"/

/** @throws HOME_UNUSABLE where somebody has made a checkpoint by hand, with the right hash and a row that is none */
function parseRow(id: string, text: string): Row {
  const refuse = (why: string, cause?: unknown) =>
    new AgentzError('HOME_UNUSABLE', `cannot use the checkpoint of the registry: the row of ${id} ${why}`, {
      hint: 'Remove cache/registry.json of AGENTZ_HOME: it is made again.',
      cause,
    })
  let row: Row
  try {
    row = JSON.parse(text)
  } catch (error) {
    throw refuse('is no JSON', error)
  }
  if (row.sessionId !== id) throw refuse('names another session')
  return row
}

/** What a list shows of a session. */
export type Head = Pick<
  Row,
  | 'sessionId'
  | 'status'
  | 'agentType'
  | 'createdAt'
  | 'updatedAt'
  | 'title'
  | 'cause'
  | 'stalled'
  | 'queuedAt'
  | 'place'
  | 'frozen'
>

export class Rows {
  readonly #rows = new Map<string, Row | string>()
  /** The one at the end, as long as that is known. */
  #last: string | undefined

  /** From texts, one a line, as `text` gave them. @throws if one looks otherwise */
  static parse(text: string): Rows {
    const rows = new Rows()
    let start = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const row = text.slice(start, end)
      if (!rowText.test(row) || !row.endsWith('}')) throw new Error('a line is not the text of a row')
      rows.#rows.set(row.slice(ID_AT, ID_AT + 12), row)
      start = end + 1
    }
    return rows
  }

  get size(): number {
    return this.#rows.size
  }

  has(id: string): boolean {
    return this.#rows.has(id)
  }

  ids(): IterableIterator<string> {
    return this.#rows.keys()
  }

  /** A row to read or to change. */
  get(id: string): Row | undefined {
    const row = this.#rows.get(id)
    if (typeof row !== 'string') return row
    const parsed = parseRow(id, row)
    this.#rows.set(id, parsed)
    return parsed
  }

  set(id: string, row: Row): void {
    if (!this.#rows.has(id)) this.#last = id
    this.#rows.set(id, row)
  }

  /** Puts a row where it was created: behind the last one that is not younger. */
  insert(id: string, row: Row): void {
    const isYounger = (other: string) => this.head(other)!.createdAt > row.createdAt
    if (this.#last === undefined || isYounger(this.#last)) {
      const ids = [...this.#rows.keys()]
      let at = ids.length
      while (at > 0 && isYounger(ids[at - 1]!)) at--
      const younger = ids.slice(at).map((each) => [each, this.#rows.get(each)!] as const)
      for (const [each] of younger) this.#rows.delete(each)
      this.#rows.set(id, row)
      for (const [each, its] of younger) this.#rows.set(each, its)
      this.#last = younger.at(-1)?.[0] ?? id
    } else this.set(id, row)
  }

  delete(id: string): void {
    this.#rows.delete(id)
    if (this.#last === id) this.#last = undefined
  }

  status(id: string): Status | undefined {
    const row = this.#rows.get(id)
    if (typeof row !== 'string') return row?.status
    return row.slice(STATUS_AT, row.indexOf('"', STATUS_AT)) as Status
  }

  /** The head of a row; of one that ended well it stands at the beginning of its text, and the rest is not parsed. */
  head(id: string): Head | undefined {
    const row = this.#rows.get(id)
    const found = typeof row === 'string' ? headText.exec(row) : null
    if (found === null) return this.get(id)
    const [, status, agentType = '', createdAt = '', updatedAt = '', title = ''] = found
    return { sessionId: id, status: status as Status, agentType, createdAt, updatedAt, title }
  }

  /** The sessions that wait for their turn, in the order in which they have come. */
  queue(): string[] {
    const since = (id: string) => this.get(id)?.queuedAt ?? ''
    const waiting = [...this.ids()].filter((id) => this.status(id) === 'pending' && since(id) !== '')
    return waiting.sort((a, b) => (since(a) < since(b) ? -1 : since(a) > since(b) ? 1 : 0))
  }

  /** A row as JSON text. */
  text(id: string): string {
    const row = this.#rows.get(id)
    if (row === undefined || typeof row === 'string') return row ?? ''
    const { sessionId, status, agentType, createdAt, updatedAt, title, ...rest } = row
    return JSON.stringify({ sessionId, status, agentType, createdAt, updatedAt, title, ...rest })
  }

  /** Every row, parsed. */
  *values(): IterableIterator<Row> {
    for (const id of this.#rows.keys()) yield this.get(id)!
  }
}
