/**
 * Streamed pieces on their way to the log. A model streams a hundred pieces a second; one event for each would be most
 * of the file. So they are gathered for a moment, and dropped if the whole block overtakes them: a fast answer leaves
 * the whole event only.
 *
 * No piece holds more than one word. JSON then never has two neighbouring words of the answer beside each other, and
 * `grep 'a sentence' file` finds the whole event alone.
 */
import type { AgentEvent, EventOf, Unframed } from '../session/events.js'
import { TEXT_BUDGET } from './cut.js'

const INTERVAL_MS = 50

/** A word with the white space after it. Its length is bounded, so that a bounded number of them fits into a line. */
const WORD = /\s{1,4096}|\S{1,4096}\s{0,4096}/gu

/** JSON escaping makes at most 6 bytes of a UTF-16 unit; a separator and quotes are 3. */
const sizeAtMost = (piece: string) => piece.length * 6 + 3

type Partial = Unframed<EventOf<'text'> | EventOf<'thinking'>> & { partial: true; delta: string[] }

/** Stands between an adapter and the log; all events pass in order, but for the partial ones. */
export class Coalescer {
  readonly #emit: (events: readonly AgentEvent[]) => void
  #waiting: Partial[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(emit: (events: readonly AgentEvent[]) => void) {
    this.#emit = emit
  }

  /** A `text` or `thinking` event with `content` is the whole of the block that was streamed before it. */
  emit(events: readonly AgentEvent[]): void {
    const through: AgentEvent[] = []
    for (const event of events) {
      if (isPartial(event)) {
        this.#add(event)
        continue
      }
      if (event.type === 'text' || event.type === 'thinking') this.#drop(event.type)
      through.push(event)
    }
    if (through.length > 0) this.#emit(through)
  }

  /** Lets go what waits: after the agent's end no whole block will follow. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length > 0) this.#emit(waiting.flatMap(portions))
  }

  #add(event: Partial): void {
    const words = event.delta.flatMap((piece) => piece.match(WORD) ?? [])
    if (words.length === 0) return
    const last = this.#waiting.at(-1)
    if (last?.type === event.type) last.delta.push(...words)
    else this.#waiting.push({ ...event, delta: words })
    this.#timer ??= setTimeout(() => this.flush(), INTERVAL_MS)
  }

  #drop(type: 'text' | 'thinking'): void {
    this.#waiting = this.#waiting.filter((event) => event.type !== type)
    if (this.#waiting.length > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

function isPartial(event: AgentEvent): event is Partial {
  return (event.type === 'text' || event.type === 'thinking') && event.partial === true && event.delta !== undefined
}

/** One event, unless its pieces are too many for a line. */
function portions(event: Partial): Partial[] {
  const events: Partial[] = []
  let delta: string[] = []
  let size = 0
  for (const piece of event.delta) {
    size += sizeAtMost(piece)
    if (size > TEXT_BUDGET && delta.length > 0) {
      events.push({ ...event, delta })
      delta = []
      size = sizeAtMost(piece)
    }
    delta.push(piece)
  }
  events.push({ ...event, delta })
  return events
}
