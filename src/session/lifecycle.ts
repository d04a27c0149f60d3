/** Life-cycle events written by those who are not the daemon: in the session's file first, then in the registry. */
import { type Home, sessionLog } from '../base/paths.js'
import { appendOnce } from '../log/append.js'
import { withLock } from '../log/lock.js'
import type { RegistryEvent, SessionEvent, Unframed } from './events.js'
import { frame } from './frame.js'
import { appendRegistry } from './registry.js'

export type LifeEvent = Extract<Unframed<SessionEvent>, Unframed<RegistryEvent>>

/**
 * Appends `event` to both files, synced.
 * @param check looked at under the session's lock; false means that the event is no longer true and is not written
 * @returns whether it was written
 */
export async function appendLifecycle(
  home: Home,
  event: LifeEvent,
  by: SessionEvent['by'],
  options: { epoch?: number; check?: () => boolean } = {},
): Promise<boolean> {
  const timestamp = new Date().toISOString()
  const path = sessionLog(home, event.sessionId)
  const wanted = await withLock(path, () => {
    if (options.check?.() === false) return false
    appendOnce(path, frame(event, by, options.epoch, timestamp))
    return true
  })
  if (wanted) await appendRegistry(home, JSON.parse(frame(event, by, options.epoch, timestamp)) as RegistryEvent)
  return wanted
}
