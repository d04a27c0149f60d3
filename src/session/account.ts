/** What a session's own file tells of its life, in the words of the registry: the registry can be made from it. */
import { closeSync } from 'node:fs'
import { type Home, sessionLog } from '../base/paths.js'
import { openIfThere } from '../log/read.js'
import { creationOf } from './creation.js'
import type { Loose } from './life.js'
import { applyRegistry, type Row } from './registry.js'
import { Rows } from './rows.js'
import { SessionFold } from './state.js'

/** Between the file of a new session and its line in the registry. */
const CREATION_MS = 10_000

const isLife = (type: unknown): boolean =>
  typeof type === 'string' && /^(session|daemon)_/.test(type) && type !== 'session_created'

export class Account {
  readonly id: string
  readonly #path: string
  readonly #fold: SessionFold
  readonly #events: Loose[] = []

  constructor(home: Home, id: string) {
    this.id = id
    this.#path = sessionLog(home, id)
    this.#fold = new SessionFold(id)
  }

  /** Reads what is new in the file. @returns whether there is a session in it */
  read(): boolean {
    const fd = openIfThere(this.#path)
    if (fd === undefined) return false
    try {
      this.#fold.read(fd, (record) => {
        if (isLife(record.type)) this.#events.push({ type: record.type, ...record, sessionId: this.id })
      })
    } finally {
      closeSync(fd)
    }
    return this.#fold.hasBegun
  }

  /** Whoever creates it is about to tell the registry; nobody else was told of it yet. */
  isBeingCreated(now: number): boolean {
    const { status, createdAt } = this.#fold.state
    const age = now - Date.parse(createdAt)
    return status === 'pending' && this.#events.length === 0 && age >= 0 && age < CREATION_MS
  }

  /** What the registry has to be told, so that its row is what this file says; nothing, if it is. */
  lacking(row: Row | undefined): Loose[] {
    const whole = this.#whole()
    if (row === undefined) return whole
    const truth = applied(undefined, whole)
    if (agree(row, truth)) return []
    // The fewest that lead there from where the row stands.
    for (let from = this.#events.length; from >= 0; from--) {
      const events = this.#upToNow(row, this.#events.slice(from))
      if (agree(applied(row, events), truth)) return events
    }
    const { updatedAt: timestamp } = this.#fold.state
    return [{ type: 'session_deleted', timestamp, by: 'supervisor', sessionId: this.id }, ...whole]
  }

  #whole(): Loose[] {
    const { spec, creator } = this.#fold.state
    return this.#upToNow(undefined, [{ ...creationOf(spec, 'supervisor', creator) }, ...this.#events])
  }

  /** With what follows from the rest of the file. */
  #upToNow(row: Row | undefined, events: Loose[]): Loose[] {
    const { status, stalled, usage, epoch, updatedAt: timestamp } = this.#fold.state
    const told = applied(row, events)
    if (told?.status === status && told.stalled === stalled && usage.output === (told.usage?.output ?? 0)) return events
    const frame = { type: 'session_updated', timestamp, by: 'supervisor', ...(epoch > 0 && { epoch }) }
    return [...events, { ...frame, sessionId: this.id, status, ...(stalled !== undefined && { stalled }), usage }]
  }
}

function applied(row: Row | undefined, events: Loose[]): Row | undefined {
  const rows = new Rows()
  if (row !== undefined) rows.set(row.sessionId, structuredClone(row))
  for (const event of events) applyRegistry({ rows, damaged: 0, ignored: 0 }, event)
  return rows.values().next().value
}

/** What is used is told now and then, and a file knows nothing of an archive. */
const untold: ReadonlySet<string> = new Set<keyof Row>(['updatedAt', 'usage', 'archived'])

function agree(one: Row | undefined, other: Row | undefined): boolean {
  const text = (row: object) =>
    JSON.stringify(
      Object.entries(row)
        .filter(([key]) => !untold.has(key))
        // By the names alone: a value that was read may be what cannot be compared.
        .sort(([one], [other]) => (one < other ? -1 : 1)),
    )
  return one !== undefined && other !== undefined && text(one) === text(other)
}
