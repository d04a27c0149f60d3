/** Waiting for more of a stream: as one answer (long poll), or as events. */
import { pageOf, type Source } from '../../streams/source.js'
import { cursorAfter } from './cursor.js'
import { frameAt } from './frames.js'
import { spelled } from './headers.js'

/** Proxies give up on silent connections after 30 s and more. */
const HEARTBEAT_MS = 15_000
/** A connection of events ends then, so that those who come meanwhile can share the next one. */
const LIFE_MS = 60_000
const nothing = Buffer.alloc(0)

/** Resolves when there may be more behind an offset, or nothing will come; else after `ms`. */
export async function grown(source: Source, at: number, ms: number, signal: AbortSignal): Promise<void> {
  const growth = new Growth(source, signal)
  await growth.behind(at, ms).finally(() => growth.end())
}

/** For who waits again and again: with hundreds of readers, a listener and a timer anew for each event cost more than the event. */
class Growth {
  readonly #source: Source
  readonly #signal: AbortSignal
  readonly #leave: () => void
  #timer: NodeJS.Timeout | undefined
  #ms = 0
  #resolve: (() => void) | undefined

  constructor(source: Source, signal: AbortSignal) {
    this.#source = source
    this.#signal = signal
    this.#leave = source.onGrowth(this.#wake)
    signal.addEventListener('abort', this.#wake, { once: true })
  }

  behind(at: number, ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#resolve = resolve
      if (this.#ms === ms) this.#timer?.refresh()
      else {
        clearTimeout(this.#timer)
        this.#timer = setTimeout(this.#wake, ms)
        this.#ms = ms
      }
      const { end, closed, gone } = this.#source
      // What came before anybody waited.
      if (end > at || closed || gone || this.#signal.aborted) this.#wake()
    })
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#signal.removeEventListener('abort', this.#wake)
    this.#leave()
  }

  readonly #wake = (): void => {
    this.#resolve?.()
    this.#resolve = undefined
  }
}

/** Events from an offset on, until the stream is closed or gone, or the client, or a minute is over. An empty one is a heartbeat. */
export async function* eventsOf(
  source: Source,
  from: number,
  known: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const end = performance.now() + LIFE_MS
  let at = from
  let told = false
  const growth = new Growth(source, signal)
  try {
    while (!signal.aborted && !source.gone) {
      if (at < source.end) {
        const frame = await frameAt(source, at)
        // Nothing but what is no message.
        if (frame.to === at) return
        at = frame.to
        if (frame.isEmpty && at < source.end) continue
        told = true
        yield frame.before(controlOf(source, at, known))
      } else if (!told) {
        told = true
        yield Buffer.from(controlOf(source, at, known))
      } else if (source.closed) {
        // Closed without another message: the control event that says so stands alone.
        yield Buffer.from(controlOf(source, at, known))
      }
      if (source.closed && at >= source.end) return
      if (at < source.end) continue
      const left = end - performance.now()
      if (left <= 0) return
      await growth.behind(at, Math.min(HEARTBEAT_MS, left))
      if (at === source.end && !source.closed && !source.gone && !signal.aborted) yield nothing
    }
  } finally {
    growth.end()
  }
}

function controlOf(source: Source, at: number, known: number | undefined): string {
  const upToDate = at >= source.end
  const rest = !upToDate
    ? { streamCursor: String(cursorAfter(known)) }
    : source.closed
      ? { upToDate, streamClosed: true }
      : { streamCursor: String(cursorAfter(known)), upToDate }
  return `event: control\ndata:${JSON.stringify({ streamNextOffset: spelled(at), ...rest })}\n\n`
}

/** @returns whole messages, or bytes, at an offset, and whether they go up to the end */
export async function readOn(source: Source, at: number, most: number) {
  const { bytes: read, to } = await pageOf(source, at, most)
  return { bytes: source.json ? source.linesOf(read, at) : read, read, to, upToDate: to >= source.end }
}
