/** What stands above a transcript: the session in a line, and what else is known of it when one asks. */
import { copier, h } from './dom.js'
import { causeWords, groupOf, statusWords } from './status.js'
import { age, oneLine } from './text.js'

/** @param {HTMLElement} head @param {any} session @param {() => void} toggleThinking */
export function drawHead(head, session, toggleThinking) {
  const { status, title, cause, error } = session
  const wasOpen = head.querySelector('details')?.open ?? false
  const why = cause === undefined && error === undefined ? '' : oneLine(causeWords(session), 300)
  const badge = h('span', { class: `badge ${groupOf(status)?.name} ${status}` }, statusWords(session))
  // Whoever has the focus here keeps it.
  if (head.contains(document.activeElement)) {
    const old = head.querySelector('.badge')
    if (old?.textContent !== badge.textContent) old?.replaceWith(badge)
    return
  }
  head.replaceChildren(
    h('nav', {}, h('a', { href: '/', title: 'All sessions' }, '← agentz')),
    h('h1', {}, oneLine(title, 200)),
    badge,
    h('button', { type: 'button', class: 'quiet', onclick: toggleThinking }, 'thinking'),
    ...(why === '' ? [] : [h('p', { class: 'cause' }, why)]),
    facts(session, wasOpen),
  )
}

/** @param {any} session @param {boolean} isOpen */
function facts(session, isOpen) {
  const { sessionId, agentType, model, workingDir, unit, log, permissionMode, restarts, createdAt, updatedAt } = session
  const resume = `agentz send ${sessionId} "..."`
  /** @type {[string, string, boolean?][]} */
  const rows = [
    ['session', sessionId, true],
    ['agent', [agentType, model, permissionMode].filter(Boolean).join(', ')],
    ['directory', workingDir, true],
    ['unit', unit, true],
    ['file', log, true],
    ['to go on with it', resume, true],
    ['created', createdAt],
    ['last activity', updatedAt],
    ['tokens and cost', usageWords(session)],
    ['restarts', restarts > 0 ? String(restarts) : ''],
    ['damaged lines', session.damaged > 0 ? String(session.damaged) : ''],
  ]
  return h(
    'details',
    { class: 'facts', open: isOpen },
    h('summary', {}, `${agentType} in ${oneLine(workingDir, 80)}, ${age(updatedAt)}`),
    h(
      'dl',
      {},
      ...rows
        .filter(([, value]) => value !== '')
        .flatMap(([name, value, copied]) => [
          h('dt', {}, name),
          h('dd', {}, h('code', {}, oneLine(value, 1000)), copied && ' ', copied && copier(name, value)),
        ]),
    ),
  )
}

/** @param {any} session */
function usageWords({ usage = {} }) {
  const { input, output, costUsd } = usage
  const tokens = input === undefined && output === undefined ? '' : `${input ?? 0} in, ${output ?? 0} out`
  return [tokens, costUsd === undefined ? '' : `$${costUsd.toFixed(4)}`].filter(Boolean).join(', ')
}
