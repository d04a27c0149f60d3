/** Reading a log from any offset: whole lines only; an address is the offset after a record's newline. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { AgentzError, errno, reason } from '../base/errors.js'
import type { Memory } from '../base/memory.js'
import { lineKind, NEWLINE } from './line.js'

const CHUNK = 256 * 1024
/** The end of a file is looked for in pieces of so many bytes. */
const TAIL_BLOCK = 64 * 1024

export interface Line {
  /** Bytes of the record without its newline. A view into a shared buffer: copy it to keep it. */
  readonly bytes: Buffer
  /** The record's address: the byte offset after its newline. */
  readonly offset: number
}

export interface Damage {
  /** Where the damaged line begins. */
  readonly at: number
  readonly length: number
}

export interface ReadOptions {
  /** The offset to begin at, 0 or the address of a record. */
  from?: number
  /** The offset to end at; the end of the file if absent. */
  to?: number
  /** Told of each damaged line; the lines beside it are read all the same. */
  onDamage?: (damage: Damage) => void
}

/**
 * Opens a log for reading: a file of this user. No link is followed, and a FIFO in its place cannot hang us.
 * @throws ENOENT as the system does; HOME_UNUSABLE for whatever else is in its place
 */
export function openLog(path: string): number {
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY)
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.uid !== process.getuid?.()) throw new Error('it is not a regular file of this user')
    return fd
  } catch (error) {
    if (fd !== undefined) closeSync(fd)
    if (errno(error) === 'ENOENT') throw error
    const why = errno(error) === 'ELOOP' ? 'it is a symbolic link' : reason(error)
    throw new AgentzError('HOME_UNUSABLE', `cannot read ${path}: ${why}`, {
      hint: `See what is there: ls -l ${path}`,
      cause: error,
    })
  }
}

/** The same, where a log may not be there yet. @returns undefined if it is not. @throws HOME_UNUSABLE */
export function openIfThere(path: string): number | undefined {
  try {
    return openLog(path)
  } catch (error) {
    if (errno(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Splits whole lines out of `bytes`, which begin at file offset `base`. Calls `onRecord` with start, end (newline
 * excluded) and address of each record. Returns how many bytes were whole lines; the rest is not data yet.
 */
export function splitLines(
  bytes: Buffer,
  base: number,
  onRecord: (start: number, end: number, offset: number) => void,
  onDamage?: (damage: Damage) => void,
): number {
  let start = 0
  for (;;) {
    const end = bytes.indexOf(NEWLINE, start)
    if (end < 0) return start
    const kind = lineKind(bytes, start, end)
    if (kind === 'record') onRecord(start, end, base + end + 1)
    else if (kind === 'damaged') onDamage?.({ at: base + start, length: end - start })
    start = end + 1
  }
}

/**
 * Reads chunks that end at a newline, in order, synchronously. The buffer is reused: each chunk is valid until the
 * next. A line longer than the buffer grows it.
 */
export function* readChunks(fd: number, from: number, to: number): Generator<{ bytes: Buffer; base: number }> {
  let buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(to - from, 1)))
  let base = from
  let filled = 0
  while (base + filled < to) {
    const length = Math.min(buffer.length - filled, to - base - filled)
    const count = readSync(fd, buffer, filled, length, base + filled)
    if (count === 0) return
    filled += count
    const end = buffer.lastIndexOf(NEWLINE, filled - 1)
    if (end >= 0) {
      yield { bytes: buffer.subarray(0, end + 1), base }
      buffer.copyWithin(0, end + 1, filled)
      base += end + 1
      filled -= end + 1
    } else if (filled === buffer.length) {
      const larger = Buffer.allocUnsafe(buffer.length * 2)
      buffer.copy(larger, 0, 0, filled)
      buffer = larger
    }
  }
}

/**
 * Bytes of an open file from `from` on, `most` of them or fewer where it ends. What was written of late is in the kernel's memory, and is
 * quicker read than handed to another thread and back.
 * @param room so many bytes of the same memory are free before and behind them, for what goes around them
 */
export function readAt(fd: number, from: number, most: number, memory: Memory, room = 0): Buffer {
  const buffer = memory.take(most + 2 * room)
  let filled = 0
  while (filled < most) {
    const count = readSync(fd, buffer, room + filled, most - filled, from + filled)
    if (count === 0) break
    filled += count
  }
  return buffer.subarray(room, room + filled)
}

/** Calls `onRecord` for each record of an open log. Returns the offset after the last whole line. */
export function readRecords(fd: number, options: ReadOptions, onRecord: (line: Line) => void): number {
  const from = options.from ?? 0
  let end = from
  for (const { bytes, base } of readChunks(fd, from, options.to ?? fstatSync(fd).size)) {
    splitLines(
      bytes,
      base,
      (start, stop, offset) => onRecord({ bytes: bytes.subarray(start, stop), offset }),
      options.onDamage,
    )
    end = base + bytes.length
  }
  return end
}

/** The same by path. @returns the offset after the last whole line */
export function readLog(path: string, options: ReadOptions, onRecord: (line: Line) => void): number {
  const fd = openLog(path)
  try {
    return readRecords(fd, options, onRecord)
  } finally {
    closeSync(fd)
  }
}

/** The offset after the last newline of an open file, read from its end; 0 if there is none. */
export function linesEnd(fd: number): number {
  const block = Buffer.allocUnsafe(TAIL_BLOCK)
  for (let end = fstatSync(fd).size; end > 0; end -= TAIL_BLOCK) {
    const from = Math.max(0, end - TAIL_BLOCK)
    const count = readSync(fd, block, 0, end - from, from)
    const at = block.subarray(0, count).lastIndexOf(NEWLINE)
    if (at >= 0) return from + at + 1
  }
  return 0
}

/** Whether `offset` is a place to begin reading: 0, or just after a newline. A client may send any number. */
export function isAddress(fd: number, offset: number): boolean {
  if (!Number.isSafeInteger(offset) || offset < 0) return false
  if (offset === 0) return true
  const byte = Buffer.alloc(1)
  return readSync(fd, byte, 0, 1, offset - 1) === 1 && byte[0] === NEWLINE
}
