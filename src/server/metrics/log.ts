/** The logs of sessions, for whoever only counts them. */
import { AgentzError } from '../../base/errors.js'
import { type Home, sessionLog } from '../../base/paths.js'
import { openIfThere } from '../../log/read.js'

/** @returns undefined if there is none, or something else in its place: that is told to whoever asks for this session */
export function openCounted(home: Home, id: string): number | undefined {
  try {
    return openIfThere(sessionLog(home, id))
  } catch (error) {
    if (!(error instanceof AgentzError)) throw error
    return undefined
  }
}
