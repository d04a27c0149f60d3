/** Trades the one-time code behind "#" for a cookie, takes it out of the address and the history at once, and leads into the viewer. */
import { ask, HOW, Refused } from './api.js'
import { at, withCode } from './dom.js'
import { sentence } from './text.js'

const [code, session] = location.hash.slice(1).split('/')
history.replaceState(null, '', location.pathname)
// The same page with another code is no new page to a browser.
addEventListener('hashchange', () => location.reload())

/** @param {string} state @param {string} hint */
function refuse(state, hint) {
  document.title = `agentz: ${state}`
  at('state').className = 'refused'
  at('state').textContent = state
  at('hint').replaceChildren(...withCode(hint))
}

async function login() {
  if (code) await ask('/v1/login', { code })
  // Whoever is logged in already needs no code.
  else await ask('/v1/server')
  location.replace(session ? `/s/${encodeURIComponent(session)}` : '/')
}

login().catch((error) => {
  if (!(error instanceof Refused)) throw error
  refuse(sentence(error.message), error.code === 'UNAUTHORIZED' && !code ? HOW : error.hint)
})
