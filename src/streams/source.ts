/** What can be read as a stream: those of clients, and the logs of sessions. */
import { setImmediate as otherWork } from 'node:timers/promises'
import { Memory } from '../base/memory.js'
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
  /** Up to `most` bytes from an offset on, in a memory that has ROOM on both sides of them. */
  read(from: number, most: number, memory: Memory): Buffer
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
export function pageOf(source: Source, from: number, most: number, memory: Memory): Page {
  const { end } = source
  for (let size = most; ; size *= 2) {
    const bytes = source.read(from, Math.max(0, Math.min(size, end - from)), memory)
    if (!source.json) return { bytes, to: from + bytes.length }
    const length = bytes.lastIndexOf(NEWLINE) + 1
    if (length > 0 || from + size >= end) return { bytes: bytes.subarray(0, length), to: from + length }
  }
}

/** Whether a message or byte begins at an offset that a client has sent. */
export function isPlace(source: Source, offset: number): boolean {
  if (offset === 0 || offset === source.end) return true
  if (offset > source.end) return false
  return !source.json || source.read(offset - 1, 1, new Memory())[0] === NEWLINE
}

/** Bytes that are read in one turn of the event loop by who has all of a stream to read. */
const PIECE = 1024 * 1024

/** All bytes between two offsets, in pieces that are overwritten by the next one, beside others who wait for their turn. */
export async function* piecesOf(source: Source, from: number, to: number): AsyncGenerator<Buffer, void> {
  const memory = new Memory()
  for (let at = from; at < to; ) {
    const bytes = source.read(at, Math.min(PIECE, to - at), memory)
    if (bytes.length === 0) return
    yield bytes
    at += bytes.length
    await otherWork()
  }
}

/** Where the message ends that is `count` messages after an offset; undefined if there are not so many. */
export async function skipMessages(source: Source, from: number, count: number): Promise<number | undefined> {
  let [at, left] = [from, count]
  if (left === 0) return at
  for await (const bytes of piecesOf(source, from, source.end)) {
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, end + 1)) {
      if (--left === 0) return at + end + 1
    }
    at += bytes.length
  }
  return undefined
}
