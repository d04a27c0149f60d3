/**
 * The events of streams, for SSE. What has just come is made into bytes once, for all who read on at the same offset; who is far behind
 * reads the file into memory of its own. After each event with data comes one with where the client is, which is shared as well by all who get the same.
 */
import { isUtf8 } from 'node:buffer'
import { Memory } from '../../base/memory.js'
import { mediaType, pageOf, type Source } from '../../streams/source.js'
import { closeArray, surround } from './body.js'

/** Bytes of one event. */
const PAGE = 256 * 1024
/** Bytes that are kept for others who are just behind, of each stream that somebody follows; the last event is kept in any case. */
const KEPT = 1024 * 1024

const arrayHead = Buffer.from('event: data\ndata:[')
const nothing = Buffer.alloc(0)
const END = '\n\n'
const end = Buffer.from(END)
const [RETURN, SPACE] = [0x0d, 0x20]
/** Bytes of an event that says where the client is, at most. */
const CONTROL = 256

/** An event with data, or none if none of it is to be told; and behind it where those are who were sent it. */
export class Frame {
  readonly to: number
  readonly isEmpty: boolean
  /** Its memory is used again when it has been sent. */
  readonly isLent: boolean
  readonly #memory: Buffer
  readonly #length: number
  #control: string | undefined
  #whole: Buffer = nothing

  /** @param memory has so much room behind `length`, and is its own from here on */
  constructor(memory: Buffer, length: number, to: number, isLent = false) {
    this.#memory = memory
    this.#length = length
    this.isEmpty = length === 0
    this.to = to
    this.isLent = isLent
  }

  /** Bytes that it keeps, at most: what is told behind it may differ, and stand in a copy then. */
  get size(): number {
    return 2 * this.#memory.length
  }

  before(control: string): Buffer {
    if (this.#control === control) return this.#whole
    if (this.#control === undefined && this.#length + control.length <= this.#memory.length) {
      const written = this.#memory.write(control, this.#length, 'latin1')
      this.#whole = this.#memory.subarray(0, this.#length + written)
    } else {
      // The one before may be on its way to somebody.
      this.#whole = Buffer.concat([this.#memory.subarray(0, this.#length), Buffer.from(control)])
    }
    this.#control = control
    return this.#whole
  }
}

const frameOf = (bytes: Buffer, to: number) => new Frame(bytes, bytes.length, to)

/** The last events of a stream, by their offsets, and how many follow it. */
interface Recent {
  readonly frames: Map<number, Frame>
  bytes: number
  followers: number
}

const recent = new WeakMap<Source, Recent>()

/** Somebody follows a stream. @returns what tells that he does no longer: nothing is kept for nobody */
export function follow(source: Source): () => void {
  const known = recent.get(source) ?? { frames: new Map(), bytes: 0, followers: 0 }
  recent.set(source, known)
  known.followers++
  return () => {
    if (--known.followers === 0) recent.delete(source)
  }
}

export const isText = ({ json, contentType }: Source): boolean => json || mediaType(contentType).startsWith('text/')

/** What comes at an offset. @param memory of the client, whose bytes the frame is of if it is far behind */
export function frameAt(source: Source, at: number, memory: Memory): Frame {
  if (source.end - at > PAGE) return build(source, at, memory, true)
  const last = recent.get(source)
  const known = last?.frames.get(at)
  if (known !== undefined) return known
  const frame = build(source, at, new Memory(), false)
  if (last !== undefined) keep(last, at, frame)
  return frame
}

function keep(last: Recent, at: number, frame: Frame): void {
  last.frames.set(at, frame)
  last.bytes += frame.size
  for (const [from, { size }] of last.frames) {
    if (last.bytes <= KEPT || from === at) break
    last.frames.delete(from)
    last.bytes -= size
  }
}

/** A page that ends where the stream does may be longer when it is asked for again. */
function build(source: Source, at: number, memory: Memory, isLent: boolean): Frame {
  const { bytes, to } = pageOf(source, at, PAGE, memory)
  if (source.json) return arrayFrame(source.linesOf(bytes, at), bytes, to, isLent)
  if (!isText(source)) return frameOf(Buffer.from(`event: data\ndata:${bytes.toString('base64')}${END}`), to)
  const length = to < source.end ? wholeCharacters(bytes) : bytes.length
  const lines = bytes.toString('utf8', 0, length).split(/\r\n|\r|\n/)
  return frameOf(Buffer.from(`event: data\n${lines.map(dataLine).join('\n')}${END}`), at + length)
}

/** A bare CR ends a line of SSE too; between tokens a blank is as good. What is no UTF-8 becomes U+FFFD, since SSE is text. */
function arrayFrame(lines: Buffer, read: Buffer, to: number, isLent: boolean): Frame {
  if (lines.length === 0) return frameOf(lines, to)
  closeArray(lines)
  for (let at = lines.indexOf(RETURN); at >= 0; at = lines.indexOf(RETURN, at + 1)) lines[at] = SPACE
  if (!isUtf8(lines)) return frameOf(Buffer.concat([arrayHead, Buffer.from(lines.toString()), end]), to)
  const whole = surround(lines, read, arrayHead, end.length + CONTROL)
  const length = arrayHead.length + lines.length
  end.copy(whole, length)
  return new Frame(whole, length + end.length, to, isLent)
}

/** A blank behind the colon is no part of the data; there is none but where the data begin with one. */
const dataLine = (line: string): string => (line.startsWith(' ') ? `data: ${line}` : `data:${line}`)

/** How many bytes do not cut the last character in two; all of them if it is no UTF-8. */
function wholeCharacters(bytes: Buffer): number {
  let start = bytes.length - 1
  while (start > 0 && start > bytes.length - 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--
  return ((bytes[start] ?? 0) & 0xc0) === 0xc0 && start > 0 ? start : bytes.length
}
