/** What is done to all sessions that live, as `--all` does: each for itself, so that one that fails keeps no other from its turn. */
import { someAtOnce } from '../../base/crowd.js'
import { toAgentzError } from '../../base/errors.js'
import { errorBody } from '../../base/hints.js'
import { cancelSession } from '../../supervisor/cancel.js'
import { allLive, leftOver } from '../../supervisor/choice.js'
import { readFleet } from '../../supervisor/fleet.js'
import { freezeSession, thawSession } from '../../supervisor/freeze.js'
import type { Context } from '../context.js'
import type { Part } from '../lazy.js'

/** A session costs a process or two while it is asked. */
const AT_ONCE = 16

const acts = { '/v1/cancel': cancelSession, '/v1/freeze': freezeSession, '/v1/thaw': thawSession }

export function open({ home, supervisor }: Context): Part {
  return {
    handle: async ({ routeOptions: { url } }) => {
      const act = acts[url as keyof typeof acts]
      const live = allLive(await readFleet(home, supervisor))
      const ids = act === cancelSession ? [...live, ...(await leftOver(home, supervisor, live))] : live
      const results = new Map<string, object>()
      await someAtOnce(ids, AT_ONCE, async (sessionId) => {
        try {
          results.set(sessionId, { sessionId, ...(await act(home, supervisor, sessionId, 'http')) })
        } catch (error) {
          results.set(sessionId, { sessionId, done: false, ...errorBody(toAgentzError(error)) })
        }
      })
      return { sessions: ids.map((id) => results.get(id)) }
    },
  }
}
