/** Reading a log in pieces of about one page, for those who send it on: none holds more of the file than that. */
import { Memory } from '../base/memory.js'
import { NEWLINE } from '../log/line.js'
import { readAt, splitLines } from '../log/read.js'

/** Bytes; what a reader that stands still costs is little more than one of these. */
export const PAGE = 256 * 1024

export interface Page {
  /** Whole lines. */
  readonly bytes: Buffer
  readonly from: number
  /** The offset after the last of them. */
  readonly to: number
}

/**
 * Whole lines at `from`: about a page of them, but at least one. Undefined if none ends before `to`.
 * @param memory where they are put, with so much `room` before and behind them
 */
export function readPage(fd: number, from: number, to: number, memory = new Memory(), room = 0): Page | undefined {
  for (let size = PAGE; from < to; size *= 2) {
    const wanted = Math.min(size, to - from)
    const bytes = readAt(fd, from, wanted, memory, room)
    const length = bytes.lastIndexOf(NEWLINE) + 1
    if (length > 0) return { bytes: bytes.subarray(0, length), from, to: from + length }
    if (wanted === to - from || bytes.length < wanted) return undefined
  }
  return undefined
}

/** The records among whole lines, byte for byte, each with its newline. A view where nothing has to be left out. */
export function recordsOf({ bytes, from }: Page): Buffer {
  const runs: Buffer[] = []
  let begin = 0
  let end = 0
  splitLines(bytes, from, (start, stop) => {
    if (start !== end) {
      runs.push(bytes.subarray(begin, end))
      begin = start
    }
    end = stop + 1
  })
  const last = bytes.subarray(begin, end)
  return runs.length === 0 ? last : Buffer.concat([...runs, last])
}
