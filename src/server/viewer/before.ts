/** What stands in a log before or behind an address, a page of it: for who begins at the end and goes up. */
import { fstatSync, readSync } from 'node:fs'
import { type Page, readPage } from '../../delivery/page.js'
import { NEWLINE } from '../../log/line.js'
import { type Damage, linesEnd, splitLines } from '../../log/read.js'

/** Bytes of a page that is read backwards. */
const PIECE = 256 * 1024

export interface Addressed {
  /** Whole lines stand between these two addresses. */
  readonly from: number
  readonly to: number
  /** Where the log ends now. */
  readonly end: number
  readonly records: readonly { readonly offset: number; readonly line: string }[]
  readonly damaged: readonly Damage[]
}

/** @param at addresses of the open log; `before` wins, and with neither it is the end */
export function pageAt(fd: number, { before, after }: { before?: number; after?: number }): Addressed {
  const end = linesEnd(fd)
  const page = before === undefined && after !== undefined ? pageAfter(fd, after, end) : pageBefore(fd, before ?? end)
  const records: { offset: number; line: string }[] = []
  const damaged: Damage[] = []
  splitLines(
    page.bytes,
    page.from,
    (start, stop, offset) => {
      const line = page.bytes.subarray(start, stop)
      // What was streamed stands in a whole line too.
      if (!isPiece(line)) records.push({ offset, line: line.toString('utf8') })
    },
    (damage) => damaged.push(damage),
  )
  return { from: page.from, to: page.to, end, records, damaged }
}

/** Whole lines that end at `before`: about a piece of them, and at least one. */
function pageBefore(fd: number, before: number): Page {
  for (let size = PIECE; ; size *= 2) {
    const start = Math.max(0, before - size)
    const bytes = Buffer.allocUnsafe(before - start)
    const count = readSync(fd, bytes, 0, bytes.length, start)
    // Of the first line the beginning may be missing.
    const first = start === 0 ? 0 : bytes.indexOf(NEWLINE) + 1
    const isWhole = start === 0 || (first > 0 && first < count)
    if (isWhole) return { bytes: bytes.subarray(first, count), from: start + first, to: start + count }
  }
}

const pageAfter = (fd: number, after: number, end: number): Page =>
  readPage(fd, after, Math.min(end, fstatSync(fd).size)) ?? { bytes: Buffer.alloc(0), from: after, to: after }

const heads = ['text', 'thinking'].map((type) => Buffer.from(`{"type":"${type}"`))
const isPiece = (line: Buffer): boolean =>
  heads.some((head) => line.subarray(0, head.length).equals(head)) && line.includes('"partial":true')
