// Trades the one-time code behind "#" for a cookie, and takes it out of the address and the history at once.
const [code, session] = location.hash.slice(1).split('/')
history.replaceState(null, '', location.pathname)

const show = (state, hint = '') => {
  document.getElementById('state').textContent = state
  document.getElementById('hint').textContent = hint
}

async function ask(path, options) {
  const response = await fetch(path, options)
  const body = await response.json()
  if (!response.ok) throw new Error(body.error.message, { cause: body.error.hint })
  return body
}

async function login() {
  if (code) {
    const headers = { 'content-type': 'application/json' }
    await ask('/v1/login', { method: 'POST', headers, body: JSON.stringify({ code }) })
  }
  if (session) {
    const { title, status } = await ask(`/v1/sessions/${encodeURIComponent(session)}`)
    return `session ${session}: ${title} (${status})`
  }
  const { sessions } = await ask('/v1/sessions')
  return `sessions: ${sessions.length}`
}

login().then(
  (found) => show('You are logged in.', found),
  (error) => show(error.message, error.cause ?? ''),
)
