/** What can be read as a stream: those of clients, and the logs of sessions. */
import { NEWLINE } from '../log/line.js'

export interface Source {
  /** Another one after each deletion. */
  readonly id: string
  readonly contentType: string
  /** Lines, one for each message; else bytes. */
  readonly json: boolean
  /** The offset that comes next. */
  readonly end: number
  /** Nothing comes any more. */
  readonly closed: boolean
  /** It was deleted. */
  readonly gone: boolean
  /** Up to `most` bytes from an offset on, with ROOM on both sides. */
  read(from: number, most: number): Promise<Buffer>
  /** The messages among whole lines that begin at an offset. */
  linesOf(bytes: Buffer, from: number): Buffer
  /** Tells of more bytes, of closure and of deletion. @returns what ends that */
  onGrowth(listener: () => void): () => void
}

/** Bytes of the same memory that are free before and behind what was read. */
export const ROOM = 512

export interface Page {
  readonly bytes: Buffer
  readonly to: number
}

/** The type itself, without its parameters. */
export const mediaType = (contentType: string): string => (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()

export const isJson = (contentType: string): boolean => mediaType(contentType) === 'application/json'

/** About `most` bytes from an offset on; of messages only whole ones, and at least one if there is one. */
export async function pageOf(source: Source, from: number, most: number): Promise<Page> {
  const { end } = source
  for (let size = most; ; size *= 2) {
    const bytes = await source.read(from, Math.max(0, Math.min(size, end - from)))
    if (!source.json) return { bytes, to: from + bytes.length }
    const length = bytes.lastIndexOf(NEWLINE) + 1
    if (length > 0 || from + size >= end) return { bytes: bytes.subarray(0, length), to: from + length }
  }
}

/** Whether a message or byte begins at an offset that a client has sent. */
export async function isPlace(source: Source, offset: number): Promise<boolean> {
  if (offset === 0 || offset === source.end) return true
  if (offset > source.end) return false
  return !source.json || (await source.read(offset - 1, 1))[0] === NEWLINE
}

/** Where the message ends that is `count` messages after an offset; undefined if there are not so many. */
export async function skipMessages(source: Source, from: number, count: number): Promise<number | undefined> {
  let [at, left] = [from, count]
  while (left > 0) {
    const { bytes, to } = await pageOf(source, at, 1024 * 1024)
    if (to === at) return undefined
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, end + 1)) {
      if (--left === 0) return at + end + 1
    }
    at = to
  }
  return at
}
