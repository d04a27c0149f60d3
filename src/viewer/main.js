/** Which page: the path says it, so that a link to a session, or to an event in it, leads there again. */
import { at } from './dom.js'
import { openFleet } from './fleet.js'
import { openSession } from './session.js'

const [, id] = /^\/s\/([^/]+)$/.exec(location.pathname) ?? []
if (id === undefined) openFleet(at('page'))
else openSession(at('page'), decodeURIComponent(id))

// A page that comes back from the browser's memory has slept.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload()
})
