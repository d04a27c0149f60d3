/** Frames on their way into a response, at the pace of its client. Those that many get are the same bytes for all of them. */
import type { ServerResponse } from 'node:http'

export interface Frame {
  readonly bytes: Buffer
  /** The memory of its bytes is used again for the next frame, which is asked for only when they have left. */
  readonly isLent?: boolean
}

/** What a response is made of. */
export interface Frames {
  /** @returns `wait` while there is none, `end` when there will be none. May throw. */
  next(): Frame | 'wait' | 'end'
  /** @param wake is to be called when there may be one again, or the end */
  onMore(wake: () => void): void
  /** Nobody asks any more. */
  leave(): void
}

/** Proxies and clients give up on silent connections after 30 s and more. */
const HEARTBEAT_MS = 15_000
/** Nothing is new: they shall not think that nobody is there. */
const heartbeat = Buffer.from(': nothing new\n\n')

/**
 * Asks for the next frame when the one before has left: who takes nothing is kept no more than one, and the file has the rest.
 * @param told what came instead of a frame; the response ends with it
 * @param beat how long it may be silent, in milliseconds; 0 for an answer that has no heartbeats
 */
export function pump(raw: ServerResponse, frames: Frames, told: (thrown: unknown) => void, beat = HEARTBEAT_MS): void {
  new Pump(raw, frames, told, beat).start()
}

class Pump {
  readonly #raw: ServerResponse
  readonly #frames: Frames
  readonly #told: (thrown: unknown) => void
  readonly #silence: NodeJS.Timeout | undefined
  /** The client takes no more just now. */
  #isFull = false
  #isOver = false

  constructor(raw: ServerResponse, frames: Frames, told: (thrown: unknown) => void, beat: number) {
    this.#raw = raw
    this.#frames = frames
    this.#told = told
    if (beat > 0) this.#silence = setInterval(() => this.#isFull || this.#send(heartbeat), beat).unref()
  }

  start(): void {
    this.#raw.once('close', () => this.#end())
    this.#frames.onMore(() => this.#step())
    this.#step()
  }

  #step(): void {
    try {
      while (!this.#isFull && !this.#isOver) {
        const frame = this.#frames.next()
        if (frame === 'wait') return
        if (frame === 'end') this.#end()
        else if (frame.isLent) this.#lend(frame.bytes)
        else this.#send(frame.bytes)
      }
    } catch (error) {
      this.#told(error)
      this.#end()
    }
  }

  #send(bytes: Buffer): void {
    this.#silence?.refresh()
    if (this.#raw.write(bytes)) return
    this.#isFull = true
    this.#raw.once('drain', this.#free)
  }

  #lend(bytes: Buffer): void {
    this.#silence?.refresh()
    this.#isFull = true
    // There is a long way to go, beside others who wait for their turn.
    this.#raw.write(bytes, () => setImmediate(this.#free))
  }

  readonly #free = (): void => {
    this.#isFull = false
    this.#step()
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    clearInterval(this.#silence)
    this.#frames.leave()
    this.#raw.end()
  }
}
