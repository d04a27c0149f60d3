/** The line of an event: type first (readers tell output by it, unparsed), then when and by whom. */
import type { RegistryEvent, SessionEvent, Unframed } from './events.js'

type AnyEvent = Unframed<SessionEvent | RegistryEvent>

/**
 * @param epoch the daemon's start, on lines of a daemon and its agent
 * @returns one line without its newline
 */
export function frame(
  event: AnyEvent,
  by: SessionEvent['by'],
  epoch?: number,
  timestamp = new Date().toISOString(),
): string {
  const { type, ...fields } = event
  return JSON.stringify({ type, timestamp, by, epoch, ...fields })
}

/** What JSON writes otherwise than it is: controls, quote, backslash, and surrogates, which may be alone. */
const escaped = /[\x00-\x1f"\\\ud800-\udfff]/

/**
 * The same for many events of one moment. A line of plain text, which is what a build prints a hundred thousand of, is put
 * together by hand: it takes half the time, and that is most of what the daemon does with it.
 */
export function framer(by: SessionEvent['by'], epoch: number, timestamp: string): (event: AnyEvent) => string {
  const head = `{"type":"text","timestamp":"${timestamp}","by":"${by}","epoch":${epoch}`
  return (event) => {
    if (event.type === 'text' && event.stream !== undefined && event.missingBytes === undefined && !event.partial) {
      const { stream, content = '' } = event
      return `${head},"stream":"${stream}","content":${escaped.test(content) ? JSON.stringify(content) : `"${content}"`}}`
    }
    return frame(event, by, epoch, timestamp)
  }
}
