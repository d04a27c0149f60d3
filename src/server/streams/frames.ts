/**
 * The events of streams, for SSE. Those of one page are made once, for all who read on at the same offset; who is late reads the
 * file. After each event with data comes one with where the client is.
 */
import { mediaType, pageOf, type Source } from '../../streams/source.js'
import { asArray } from './body.js'

/** Bytes of one event. */
const PAGE = 128 * 1024
/** Pages that are kept for others who are just behind. */
const KEPT = 8

export interface Frame {
  readonly text: string
  readonly to: number
}

const recent = new WeakMap<Source, Map<number, Promise<Frame>>>()

export const isText = ({ json, contentType }: Source): boolean => json || mediaType(contentType).startsWith('text/')

/** What comes at an offset; an empty text if nothing of it is to be told. */
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
    // A bare CR ends a line of SSE too; between tokens a blank is as good.
    const text = lines.length === 0 ? '' : `event: data\ndata:${asArray(lines).toString().replaceAll('\r', ' ')}`
    return { text, to }
  }
  if (!isText(source)) return { text: `event: data\ndata:${bytes.toString('base64')}`, to }
  const length = to < source.end ? wholeCharacters(bytes) : bytes.length
  const lines = bytes.toString('utf8', 0, length).split(/\r\n|\r|\n/)
  return { text: `event: data\n${lines.map(dataLine).join('\n')}`, to: at + length }
}

/** A blank behind the colon is no part of the data; there is none but where the data begin with one. */
const dataLine = (line: string): string => (line.startsWith(' ') ? `data: ${line}` : `data:${line}`)

/** How many bytes do not cut the last character in two; all of them if it is no UTF-8. */
function wholeCharacters(bytes: Buffer): number {
  let start = bytes.length - 1
  while (start > 0 && start > bytes.length - 4 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--
  return ((bytes[start] ?? 0) & 0xc0) === 0xc0 && start > 0 ? start : bytes.length
}
