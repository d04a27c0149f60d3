/** Text and thinking that codex streams, until it says the whole: it never does where a turn is interrupted or steered. */
import type { AgentEvent } from '../../session/events.js'
import { cut, TEXT_BUDGET } from '../cut.js'

type Kind = 'text' | 'thinking'

export class Stream {
  #kind: Kind = 'text'
  #itemId: unknown
  #content = ''
  #missing = 0

  /** A streamed piece. */
  piece(kind: Kind, itemId: unknown, delta: string): AgentEvent[] {
    const before = itemId === this.#itemId ? [] : this.close()
    this.#kind = kind
    this.#itemId = itemId
    // What a log line cannot hold is counted only.
    if (this.#content.length < TEXT_BUDGET) this.#content += delta
    else this.#missing += Buffer.byteLength(delta)
    return [...before, { type: kind, partial: true, delta: [delta] }]
  }

  /** The whole of an item takes the place of its pieces. */
  whole(kind: Kind, itemId: unknown, content: string): AgentEvent[] {
    const before = itemId === this.#itemId ? this.drop() : this.close()
    return content === '' ? before : [...before, { type: kind, ...cut(content) }]
  }

  /** No whole will follow: what was streamed is told as it is. */
  close(): AgentEvent[] {
    const content = this.#content
    const missing = this.#missing
    this.drop()
    return content === '' ? [] : [{ type: this.#kind, ...cut(content, undefined, missing) }]
  }

  /** The model begins this answer again. */
  drop(): AgentEvent[] {
    this.#itemId = undefined
    this.#content = ''
    this.#missing = 0
    return []
  }
}
