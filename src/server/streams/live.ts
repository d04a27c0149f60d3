/** Waiting for more of a stream: as one answer (long poll), or as events. */
import { Memory } from '../../base/memory.js'
import type { Frame, Frames } from '../../delivery/pump.js'
import type { Source } from '../../streams/source.js'
import { cursorAfter } from './cursor.js'
import { follow, frameAt } from './frames.js'
import { spelled } from './headers.js'

/** A connection of events ends then, so that those who come meanwhile can share the next one. */
const LIFE_MS = 60_000

/** Resolves when there may be more behind an offset, or nothing will come; else after `ms`. */
export function grown(source: Source, at: number, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(late)
      signal.removeEventListener('abort', wake)
      leave()
      resolve()
    }
    const late = setTimeout(wake, ms)
    const leave = source.onGrowth(wake)
    signal.addEventListener('abort', wake, { once: true })
    const { end, closed, gone } = source
    // What came before anybody waited.
    if (end > at || closed || gone || signal.aborted) wake()
  })
}

/** Events from an offset on, until the stream is closed or gone, or the client, or a minute is over. */
export class Events implements Frames {
  readonly #source: Source
  readonly #signal: AbortSignal
  readonly #known: number | undefined
  readonly #memory = new Memory()
  #at: number
  /** The client knows where it is. */
  #isTold = false
  #isLate = false
  #isOver = false
  #leave = (): void => undefined

  /** @param known the last cursor of the client */
  constructor(source: Source, from: number, known: number | undefined, signal: AbortSignal) {
    this.#source = source
    this.#at = from
    this.#known = known
    this.#signal = signal
  }

  next(): Frame | 'wait' | 'end' {
    const source = this.#source
    while (!this.#isOver && !this.#signal.aborted && !source.gone) {
      if (this.#at >= source.end) {
        this.#memory.free()
        // Closed without another message: the event that says so stands alone.
        if (!this.#isTold || source.closed) return { bytes: Buffer.from(this.#tell()) }
        return this.#isLate ? 'end' : 'wait'
      }
      const frame = frameAt(source, this.#at, this.#memory)
      // Nothing but what is no message.
      if (frame.to === this.#at) break
      this.#at = frame.to
      if (!frame.isEmpty || this.#at >= source.end) return { bytes: frame.before(this.#tell()), isLent: frame.isLent }
    }
    return 'end'
  }

  onMore(wake: () => void): void {
    const late = setTimeout(() => {
      this.#isLate = true
      wake()
    }, LIFE_MS)
    const leave = this.#source.onGrowth(wake)
    const unfollow = follow(this.#source)
    this.#signal.addEventListener('abort', wake, { once: true })
    this.#leave = () => {
      clearTimeout(late)
      leave()
      unfollow()
      this.#signal.removeEventListener('abort', wake)
    }
  }

  leave(): void {
    this.#leave()
  }

  #tell(): string {
    const { closed, end } = this.#source
    this.#isTold = true
    this.#isOver = closed && this.#at >= end
    return controlOf(this.#source, this.#at, this.#known)
  }
}

/** Where the client is. Its text is put together by hand, since each of many readers has to ask for it before the one frame of all is sent. */
function controlOf({ end, closed }: Source, at: number, known: number | undefined): string {
  const isUpToDate = at >= end
  const cursor = isUpToDate && closed ? '' : `,"streamCursor":"${cursorAfter(known)}"`
  const upToDate = isUpToDate ? `,"upToDate":true${closed ? ',"streamClosed":true' : ''}` : ''
  return `event: control\ndata:{"streamNextOffset":"${spelled(at)}"${cursor}${upToDate}}\n\n`
}
