/** The line of an event: type first (readers tell output by it, unparsed), then when and by whom. */
import type { RegistryEvent, SessionEvent, Unframed } from './events.js'

/**
 * @param epoch the daemon's start, on lines of a daemon and its agent
 * @returns one line without its newline
 */
export function frame(
  event: Unframed<SessionEvent | RegistryEvent>,
  by: SessionEvent['by'],
  epoch?: number,
  timestamp = new Date().toISOString(),
): string {
  const head = `{"type":"${event.type}"`
  const own = `,"timestamp":"${timestamp}","by":"${by}"${epoch === undefined ? '' : `,"epoch":${epoch}`}`
  // Splicing text is several times cheaper than building a further object for each line of output.
  const body = JSON.stringify(event)
  if (body.startsWith(head)) return head + own + body.slice(head.length)
  const { type, ...fields } = event
  return `${head}${own}${Object.keys(fields).length === 0 ? '' : ','}${JSON.stringify(fields).slice(1)}`
}
