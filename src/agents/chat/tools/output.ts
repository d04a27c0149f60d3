/** The output of a process, bounded: what is too much goes missing in the middle, since both ends say most. */

/** Bytes kept of each end. */
const HALF = 400 * 1024

export class Output {
  readonly #head: Buffer[] = []
  readonly #tail: Buffer[] = []
  #headSize = 0
  #tailSize = 0
  #missing = 0

  add(chunk: Buffer): void {
    const room = HALF - this.#headSize
    if (room > 0) {
      const part = chunk.subarray(0, room)
      this.#head.push(part)
      this.#headSize += part.length
    }
    const rest = chunk.subarray(Math.max(0, room))
    if (rest.length === 0) return
    this.#tail.push(rest)
    this.#tailSize += rest.length
    while (this.#tailSize > HALF) {
      const [first = Buffer.alloc(0)] = this.#tail
      const much = Math.min(first.length, this.#tailSize - HALF)
      this.#missing += much
      this.#tailSize -= much
      if (much === first.length) this.#tail.shift()
      else this.#tail[0] = first.subarray(much)
    }
  }

  get text(): string {
    const [head, tail] = [Buffer.concat(this.#head).toString(), Buffer.concat(this.#tail).toString()]
    return this.#missing === 0 ? toText(this.#head, this.#tail) : `${head}${gap(this.#missing)}${tail}`
  }
}

/** A character may lie across both parts. */
const toText = (head: Buffer[], tail: Buffer[]): string => Buffer.concat([...head, ...tail]).toString()

const gap = (bytes: number): string => `\n[… ${bytes} bytes are missing here]\n`

/** A text in at most about `most` characters, the middle left out. */
export function shorten(text: string, most: number): string {
  if (text.length <= most) return text
  const [head, tail] = [text.slice(0, most / 2), text.slice(-most / 2)]
  const missing = Buffer.byteLength(text) - Buffer.byteLength(head) - Buffer.byteLength(tail)
  return `${wellFormed(head)}${gap(missing)}${wellFormed(tail)}`
}

/** The beginning of a text, for titles and the like. */
export const clip = (text: string, most: number): string =>
  text.length > most ? `${wellFormed(text.slice(0, most))}…` : text

/** Without the halves of characters that cutting leaves. */
const wellFormed = (text: string): string => Buffer.from(text).toString()
