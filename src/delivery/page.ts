/** Reading a log in pieces of about one page, for those who send it on: none holds more of the file than that. */
import { NEWLINE } from '../log/line.js'
import { readChunks, splitLines } from '../log/read.js'

/** Bytes; what a reader that stands still costs is a few of these. */
export const PAGE = 64 * 1024

export interface Page {
  /** Whole lines. */
  readonly bytes: Buffer
  readonly from: number
  /** The offset after the last of them. */
  readonly to: number
}

/** Whole lines at `from`: about a page of them, but at least one. Undefined if none ends before `to`. */
export function readPage(fd: number, from: number, to: number): Page | undefined {
  for (let size = PAGE; ; size *= 2) {
    const end = Math.min(from + size, to)
    for (const { bytes } of readChunks(fd, from, end)) return { bytes, from, to: from + bytes.length }
    if (end === to || from >= to) return undefined
  }
}

/** Where to cut whole lines that are longer than a page: after the last line that fits, else after the first. */
export function cutPage(bytes: Buffer, start: number): number {
  if (bytes.length - start <= PAGE) return bytes.length
  const fits = bytes.lastIndexOf(NEWLINE, start + PAGE - 1)
  return (fits < start ? bytes.indexOf(NEWLINE, start) : fits) + 1
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
