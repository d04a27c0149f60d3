/** What stands above a transcript: the session in a line, and what else is known of it when one asks. */

import { consumption } from './consumption.js'
import { copier, h } from './dom.js'
import { causeWords, groupOf, isFinished, statusWords } from './status.js'
import { ago, counted, duration, local, oneLine } from './text.js'

/** @param {HTMLElement} scroller where what it thinks is shown or not */
export function sessionHead(scroller) {
  const title = h('h1')
  const badge = h('span')
  const cause = h('p', { class: 'cause' })
  const thinking = h('button', { type: 'button', onclick: () => toggleThinking() }, 'Hide thinking')
  const summary = h('summary')
  const facts = h('dl')
  const used = h('p')
  const details = h('details', { class: 'facts', ontoggle: () => void measure() }, summary, facts, used)
  const element = h(
    'header',
    { class: 'session-head' },
    h('nav', {}, h('a', { href: '/', title: 'All sessions' }, '← agentz')),
    title,
    badge,
    thinking,
    cause,
    details,
  )
  let known = ''
  /** @type {any} */
  let last
  /** Only for who looks: it costs the server a look at all sessions. */
  async function measure() {
    if (details.open) used.textContent = isFinished(last.status) ? '' : await consumption(last.sessionId)
  }
  function toggleThinking() {
    const isHidden = scroller.classList.toggle('no-thinking')
    thinking.textContent = isHidden ? 'Show thinking' : 'Hide thinking'
  }
  return {
    element,
    toggleThinking,
    /** @param {any} session */
    draw(session) {
      const { status, agentType, workingDir, updatedAt } = session
      last = session
      void measure()
      title.textContent = oneLine(session.title, 200)
      // A program says all that it has to say.
      thinking.hidden = agentType === 'command'
      badge.className = `badge ${groupOf(status).name} ${status}`
      badge.textContent = statusWords(session)
      cause.textContent = oneLine(causeWords(session), 300)
      cause.hidden = cause.textContent === ''
      summary.textContent = `${agentType} in ${oneLine(workingDir, 80)}, last active ${ago(updatedAt)}`
      summary.title = `Last active ${local(updatedAt).moment}`
      const rows = factsOf(session)
      // Who is about to copy one of them keeps it.
      if (known === JSON.stringify(rows)) return
      known = JSON.stringify(rows)
      facts.replaceChildren(...rows.flatMap(factRow))
    },
  }
}

/** @param {any} session @returns {[string, string, boolean?][]} the name, the value, and whether one may want to copy it */
function factsOf(session) {
  const { sessionId, agentType, model, workingDir, unit, log, permissionMode, restarts, damaged, activeMs, turns } =
    session
  /** @type {[string, string, boolean?][]} */
  const rows = [
    ['session', sessionId, true],
    ['agent', [agentType, model, permissionMode].filter(Boolean).join(', ')],
    ['directory', workingDir, true],
    ['unit', unit, true],
    ['file', log, true],
    ['command to go on', agentType === 'command' ? '' : `agentz send ${sessionId} "..."`, true],
    ['started', local(session.createdAt).moment],
    ['last activity', local(session.updatedAt).moment],
    ['worked', activeMs > 0 ? `${duration(activeMs)} in ${counted(turns, 'turn')}` : ''],
    ['tokens and cost so far', usageWords(session)],
    ['restarts', restarts > 0 ? String(restarts) : ''],
    ['damaged lines', damaged > 0 ? String(damaged) : ''],
  ]
  return rows.filter(([, value]) => value !== '')
}

/** @param {[string, string, boolean?]} row */
const factRow = ([name, value, isCopied]) => [
  h('dt', {}, name),
  h('dd', {}, h('code', {}, oneLine(value, 1000)), isCopied && ' ', isCopied && copier(name, value)),
]

/** @param {any} session */
function usageWords({ usage = {} }) {
  const { input, output, costUsd } = usage
  const tokens = input || output ? `${input ?? 0} in, ${output ?? 0} out` : ''
  return [tokens, costUsd === undefined ? '' : `$${costUsd.toFixed(4)}`].filter(Boolean).join(', ')
}
