/**
 * Streamed pieces on their way to the log. A model streams a hundred pieces a second; one event for each would be most
 * of the file. So they are gathered for a moment, and dropped if the whole block overtakes them: a fast answer leaves
 * the whole event only.
 *
 * A piece is one whole word, however it was streamed. No piece is less, so that whoever looks for secrets sees a key as one;
 * and none is more: JSON then never has two neighbouring words of the answer beside each other, and `grep 'a sentence' file`
 * finds the whole event alone.
 */
import type { AgentEvent, EventOf, Unframed } from '../session/events.js'
import { TEXT_BUDGET } from './cut.js'

const INTERVAL_MS = 50

/** The longest word; what is longer is parted, so that a bounded number of pieces fits into a line. */
const LONGEST = 4096
/** A word with the white space after it. */
const WORD = new RegExp(`\\s{1,${LONGEST}}|\\S{1,${LONGEST}}\\s{0,${LONGEST}}`, 'gu')

/** JSON escaping makes at most 6 bytes of a UTF-16 unit; a separator and quotes are 3. */
const sizeAtMost = (piece: string) => piece.length * 6 + 3

type Kind = 'text' | 'thinking'
type Partial = Unframed<EventOf<Kind>> & { partial: true; delta: string[] }

/** Stands between an adapter and the log; all events pass in order, but for the partial ones. */
export class Coalescer {
  readonly #emit: (events: readonly AgentEvent[]) => void
  #waiting: Partial[] = []
  /** The last word of each stream, while more of it may come. */
  readonly #begun = new Map<Kind, string>()
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
      // No whole block follows then, and the next turn's first word is not the rest of this one's last.
      if (event.type === 'turn_ended') {
        if (through.length > 0) this.#emit(through.splice(0))
        this.flush()
      }
      through.push(event)
    }
    if (through.length > 0) this.#emit(through)
  }

  /** Lets go all that waits: no more of it will come. */
  flush(): void {
    for (const [type, word] of this.#begun) this.#wait({ type, partial: true, delta: [word] })
    this.#begun.clear()
    this.#letGo()
  }

  #letGo(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = this.#waiting
    this.#waiting = []
    if (waiting.length > 0) this.#emit(waiting.flatMap(portions))
  }

  #add(event: Partial): void {
    const { type } = event
    const words = ((this.#begun.get(type) ?? '') + event.delta.join('')).match(WORD) ?? []
    this.#begun.delete(type)
    const last = words.at(-1) ?? ''
    if (/\S$/.test(last) && last.length < LONGEST) {
      words.pop()
      this.#begun.set(type, last)
    }
    if (words.length > 0) this.#wait({ ...event, delta: words })
  }

  #wait(event: Partial): void {
    const last = this.#waiting.at(-1)
    if (last?.type === event.type) last.delta.push(...event.delta)
    else this.#waiting.push(event)
    this.#timer ??= setTimeout(() => this.#letGo(), INTERVAL_MS)
  }

  #drop(type: Kind): void {
    this.#begun.delete(type)
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
