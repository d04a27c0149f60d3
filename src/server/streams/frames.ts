/**
 * The events of streams, for SSE. Those of one page are made once, as bytes, for all who read on at the same offset; who is late reads
 * the file. After each event with data comes one with where the client is, which is shared as well by all who get the same.
 */
import { isUtf8 } from 'node:buffer'
import { mediaType, pageOf, type Source } from '../../streams/source.js'
import { asArray } from './body.js'

/** Bytes of one event. */
const PAGE = 128 * 1024
/** Pages that are kept for others who are just behind. */
const KEPT = 8

/** Bytes of "event: data", and of what ends an event. */
const dataHead = Buffer.from('event: data\ndata:')
const END = '\n\n'
const RETURN = 0x0d
const SPACE = 0x20

/** An event with data, or none of it is to be told; and the events of those who were sent one with it. */
export class Frame {
  readonly to: number
  readonly isEmpty: boolean
  readonly #data: Buffer
  #with: { readonly control: string; readonly bytes: Buffer } | undefined

  constructor(data: Buffer, to: number) {
    this.#data = data
    this.isEmpty = data.length === 0
    this.to = to
  }

  before(control: string): Buffer {
    if (this.#with?.control !== control) {
      this.#with = { control, bytes: Buffer.concat([this.#data, Buffer.from(control)]) }
    }
    return this.#with.bytes
  }
}

const recent = new WeakMap<Source, Map<number, Promise<Frame>>>()

export const isText = ({ json, contentType }: Source): boolean => json || mediaType(contentType).startsWith('text/')

/** What comes at an offset. */
export function frameAt(source: Source, at: number): Promise<Frame> {
  const frames = recent.get(source) ?? new Map<number, Promise<Frame>>()
  recent.set(source, frames)
  const known = frames.get(at)
  if (known !== undefined) return known
  const frame = build(source, at)
  frames.set(at, frame)
  for (const from of frames.keys()) {
    if (frames.size <= KEPT) break
    frames.delete(from)
  }
  // The next one may have more luck.
  frame.catch(() => frames.delete(at))
  return frame
}

/** A page that ends where the stream does may be longer when it is asked for again. */
async function build(source: Source, at: number): Promise<Frame> {
  const { bytes, to } = await pageOf(source, at, PAGE)
  if (source.json) {
    const lines = source.linesOf(bytes, at)
    return new Frame(
      lines.length === 0 ? lines : Buffer.concat([dataHead, inLine(asArray(lines)), Buffer.from(END)]),
      to,
    )
  }
  if (!isText(source)) return new Frame(Buffer.from(`event: data\ndata:${bytes.toString('base64')}${END}`), to)
  const length = to < source.end ? wholeCharacters(bytes) : bytes.length
  const lines = bytes.toString('utf8', 0, length).split(/\r\n|\r|\n/)
  return new Frame(Buffer.from(`event: data\n${lines.map(dataLine).join('\n')}${END}`), at + length)
}

/** A bare CR ends a line of SSE too; between tokens a blank is as good. What is no UTF-8 becomes U+FFFD, since SSE is text. */
function inLine(array: Buffer): Buffer {
  for (let at = array.indexOf(RETURN); at >= 0; at = array.indexOf(RETURN, at + 1)) array[at] = SPACE
  return isUtf8(array) ? array : Buffer.from(array.toString())
}

/** A blank behind the colon is no part of the data; there is none but where the data begin with one. */
const dataLine = (line: string): string => (line.startsWith(' ') ? `data: ${line}` : `data:${line}`)

/** How many bytes do not cut the last character in two; all of them if it is no UTF-8. */
function wholeCharacters(bytes: Buffer): number {
  let start = bytes.length - 1
  while (start > 0 && start > bytes.length - 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--
  return ((bytes[start] ?? 0) & 0xc0) === 0xc0 && start > 0 ? start : bytes.length
}
