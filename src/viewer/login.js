// Trades the one-time code behind "#" for a cookie, and takes it out of the address and the history at once.
const HOW = 'Run `agentz open` on the machine of this server, and take the address that it prints.'

const [code, session] = location.hash.slice(1).split('/')
history.replaceState(null, '', location.pathname)
// The same page with another code is no new page to a browser.
addEventListener('hashchange', () => location.reload())

/** @param hint text, in which `words to type` stand between backticks */
function show(kind, state, hint) {
  document.title = `agentz: ${state}`
  const line = document.getElementById('state')
  line.className = kind
  line.textContent = state
  const words = hint.split('`').map((part, at) => {
    const element = document.createElement(at % 2 === 1 ? 'code' : 'span')
    element.textContent = part
    return element
  })
  document.getElementById('hint').replaceChildren(...words)
}

class Refused extends Error {
  constructor({ code, message, hint }) {
    super(message)
    this.code = code
    this.hint = hint
  }
}

async function ask(path, options) {
  const response = await fetch(path, options)
  const body = await response.json()
  if (!response.ok) throw new Refused(body.error)
  return body
}

async function login() {
  if (code) {
    const headers = { 'content-type': 'application/json' }
    await ask('/v1/login', { method: 'POST', headers, body: JSON.stringify({ code }) })
  }
  if (session) {
    const { title, status } = await ask(`/v1/sessions/${encodeURIComponent(session)}`)
    return `${title} (${status})`
  }
  const { sessions } = await ask('/v1/sessions')
  return sessions.length === 1 ? 'There is 1 session.' : `There are ${sessions.length} sessions.`
}

login().then(
  (found) => show('done', 'You are logged in.', found),
  (error) => {
    if (!(error instanceof Refused)) show('refused', 'The server does not answer.', 'Start it: `agentz serve`')
    else if (error.code === 'UNAUTHORIZED' && !code) show('refused', 'You are not logged in.', HOW)
    else show('refused', sentence(error.message), error.hint)
  },
)

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`
