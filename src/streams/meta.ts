/**
 * What a stream needs beside its bytes, as records of its sidecar log, and their fold (FORMAT.md). Pure.
 *
 * An `append` record is written before the bytes that it is about, and says where they stand. It counts once the file is that
 * long; else it is as if it had never been, and the next record, which begins where it began, says so to later folds.
 */
import * as z from 'zod/mini'

const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/
/** Whether it is a time as RFC 3339 writes it. */
export const isTime = (text: string): boolean => rfc3339.test(text) && !Number.isNaN(Date.parse(text))

const Count = z.int().check(z.gte(0))
/** An id, and two numbers: epoch and sequence number. No object with ids as keys, since some ids are no good as those. */
const Tuple = z.tuple([z.string(), Count, Count])
const Fork = z.object({
  from: z.string(),
  /** Of the source: another stream may get its name. */
  id: z.string(),
  /** As it was asked for. */
  offset: z.optional(Count),
  sub: z.optional(Count),
})

export const Head = z.object({
  type: z.literal('stream'),
  id: z.string(),
  name: z.string(),
  /** It becomes a header, which takes no line ends. */
  contentType: z.string().check(z.regex(/^[\t\x20-\x7e\x80-\xff]*$/)),
  ttl: z.optional(Count),
  /** A header as well. */
  expiresAt: z.optional(z.string().check(z.refine(isTime))),
  fork: z.optional(Fork),
  /** How long it was when this was written, at least. */
  to: Count,
  closed: z.optional(z.literal(true)),
  closedBy: z.optional(Tuple),
  seq: z.optional(z.string()),
  /** As lines of their own by now: they may be more than a line has room for. */
  forks: z.optional(z.array(z.tuple([z.string(), z.string()]))),
  deleted: z.optional(z.literal(true)),
})

export const Append = z.object({
  type: z.literal('append'),
  from: Count,
  to: Count,
  seq: z.optional(z.string()),
  /** Of each producer the epoch, and the sequence number that came last. */
  producers: z.optional(z.array(Tuple)),
  closed: z.optional(z.literal(true)),
  closedBy: z.optional(Tuple),
})

const Void = z.object({ type: z.literal('void'), from: Count })
const Forked = z.object({ type: z.literal('forked'), name: z.string(), id: z.string() })
const Deleted = z.object({ type: z.literal('deleted') })

const Line = z.discriminatedUnion('type', [Append, Void, Forked, Deleted])

export type Fork = z.infer<typeof Fork>
export type Append = z.infer<typeof Append>
export type Line = z.infer<typeof Head> | z.infer<typeof Line>
export type Claim = readonly [epoch: number, seq: number]
export type Tuple = z.infer<typeof Tuple>

export interface Meta {
  readonly id: string
  readonly name: string
  readonly contentType: string
  readonly ttl?: number | undefined
  readonly expiresAt?: string | undefined
  readonly fork?: Fork | undefined
  to: number
  closed: boolean
  closedBy: Tuple | undefined
  seq: string | undefined
  readonly producers: Map<string, Claim>
  /** Names of the streams that were forked from this one, by their ids; they may be gone. */
  readonly forks: Map<string, string>
  deleted: boolean
}

/** Counts an append in. */
export function apply(meta: Meta, { to, seq, producers, closed, closedBy }: Omit<Append, 'type' | 'from'>): void {
  meta.to = to
  if (seq !== undefined) meta.seq = seq
  for (const [producer, epoch, last] of producers ?? []) meta.producers.set(producer, [epoch, last])
  if (closed) meta.closed = true
  if (closedBy) meta.closedBy = closedBy
}

/** Folds the records of a sidecar. */
export class MetaFold {
  meta: Meta | undefined
  /** The last append, which only the length of the file can tell to have happened. */
  pending: Append | undefined

  add(record: unknown): void {
    const { meta } = this
    if (meta === undefined) {
      const head = Head.safeParse(record)
      if (head.success) this.meta = begin(head.data)
      return
    }
    const line = Line.safeParse(record)
    // Of a later version, or damaged: what it says is not known, and the rest counts all the same.
    if (!line.success) return
    const { data } = line
    // To what was deleted nothing is appended: it was told to nobody.
    if (data.type === 'append' || data.type === 'void') meta.deleted = false
    if (data.type === 'append') {
      this.#settle(meta, data.from)
      this.pending = data
    } else if (data.type === 'void') this.#settle(meta, data.from)
    else if (data.type === 'forked') meta.forks.set(data.id, data.name)
    else meta.deleted = true
  }

  /** @param size how long the file is. @returns whether the last append has not happened */
  end(size: number): boolean {
    if (this.meta === undefined || this.pending === undefined) return false
    const lost = size < this.pending.to
    if (!lost) apply(this.meta, this.pending)
    this.pending = undefined
    return lost
  }

  #settle(meta: Meta, from: number): void {
    if (this.pending !== undefined && this.pending.to <= from) apply(meta, this.pending)
    this.pending = undefined
  }
}

function begin(head: z.infer<typeof Head>): Meta {
  const { id, name, contentType, ttl, expiresAt, fork, to, closedBy, seq } = head
  const forks = new Map(head.forks)
  const flags = { closed: head.closed === true, deleted: head.deleted === true }
  return { id, name, contentType, ttl, expiresAt, fork, to, closedBy, seq, producers: new Map(), forks, ...flags }
}

/** So many producers in one line, which has a longest length. */
const PRODUCERS_A_LINE = 500

/** The records that say the same as all records so far. */
export function snapshot(meta: Meta): Line[] {
  const { producers, forks, closed, deleted, closedBy, ...rest } = meta
  const head: Line = {
    type: 'stream',
    ...rest,
    ...(closed && { closed }),
    ...(closedBy && { closedBy }),
    ...(deleted && { deleted }),
  }
  // One line has a longest length.
  const lines: Line[] = [head, ...[...forks].map(([id, name]): Line => ({ type: 'forked', id, name }))]
  const all = [...producers]
  for (let at = 0; at < all.length; at += PRODUCERS_A_LINE) {
    const some = all.slice(at, at + PRODUCERS_A_LINE)
    const producers = some.map(([id, [epoch, seq]]) => [id, epoch, seq] as Tuple)
    lines.push({ type: 'append', from: meta.to, to: meta.to, producers })
  }
  return lines
}
