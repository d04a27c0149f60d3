/** The line of an event: type first (readers tell output by it, unparsed), then when and by whom. */
import type { RegistryEvent, SessionEvent, Unframed } from './events.js'

/** @param epoch the daemon's start, on lines of a daemon and its agent */
export function frame(
  event: Unframed<SessionEvent | RegistryEvent>,
  by: SessionEvent['by'],
  epoch?: number,
  timestamp = new Date().toISOString(),
): string {
  const { type, ...fields } = event
  return JSON.stringify({ type, timestamp, by, ...(epoch === undefined ? {} : { epoch }), ...fields })
}
