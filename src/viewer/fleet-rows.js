/** The rows of the list. A row that stays is changed in place: it keeps the focus, and a screen reader its place. */
import { h } from './dom.js'
import { questionLine } from './question.js'
import { causeWords, groupOf, groups, isFinished, statusWords } from './status.js'
import { age, ago, local, oneLine } from './text.js'

/**
 * @param {HTMLElement} list @param {any[]} sessions @param {Map<string, any[]>} asks @param {string} selected
 * @param {boolean} isByDirectory what stands together: the same directory, or else the same need of somebody
 */
export function drawGroups(list, sessions, asks, selected, isByDirectory) {
  const hadFocus = list.contains(document.activeElement)
  const sections = sectionsOf(sessions, isByDirectory)
  const old = new Map(sectionsIn(list).map((section) => [section.dataset.key, section]))
  let place = list.firstElementChild
  for (const [key, { kind, title, rows }] of sections) {
    const section = old.get(key) ?? newSection(key, kind, title)
    old.delete(key)
    if (section === place) place = place.nextElementSibling
    else list.insertBefore(section, place)
    drawRows(section, rows, asks, selected)
  }
  for (const section of old.values()) section.remove()
  // A row that has moved has lost it.
  if (hadFocus && !list.contains(document.activeElement)) {
    const links = /** @type {HTMLElement[]} */ ([...list.querySelectorAll('a.row')])
    links.find(({ dataset }) => dataset.id === selected)?.focus({ preventScroll: true })
  }
}

/** @param {HTMLElement} list */
const sectionsIn = (list) => /** @type {HTMLElement[]} */ ([...list.children])

/**
 * What needs an answer first, and the newest first; sections come in the order of what is first in them.
 * @param {any[]} sessions @param {boolean} isByDirectory
 */
function sectionsOf(sessions, isByDirectory) {
  /** @param {any} session */
  const rank = ({ status }) => groups.indexOf(groupOf(status))
  const rows = [...sessions].sort(
    (one, other) =>
      rank(one) - rank(other) || (one.updatedAt < other.updatedAt ? 1 : one.updatedAt > other.updatedAt ? -1 : 0),
  )
  /** @type {Map<string, {kind: string, title: string, rows: any[]}>} */
  const sections = new Map()
  for (const session of rows) {
    const { name, title } = groupOf(session.status)
    const key = isByDirectory ? `/${session.workingDir}` : name
    const section = sections.get(key) ?? {
      kind: isByDirectory ? 'directory' : name,
      title: isByDirectory ? oneLine(session.workingDir, 300) : title,
      rows: [],
    }
    section.rows.push(session)
    sections.set(key, section)
  }
  return sections
}

/** @param {string} key @param {string} kind @param {string} title */
function newSection(key, kind, title) {
  const section = h('section', { class: kind, 'aria-label': title }, h('h2', {}, title), h('ul', { class: 'rows' }))
  section.dataset.key = key
  return section
}

/** @param {HTMLElement} section @param {any[]} rows @param {Map<string, any[]>} asks @param {string} selected */
function drawRows(section, rows, asks, selected) {
  const list = /** @type {HTMLElement} */ (section.querySelector('ul'))
  const old = new Map([...list.children].map((item) => [/** @type {HTMLElement} */ (item).dataset.id, item]))
  let place = list.firstElementChild
  for (const session of rows) {
    const { sessionId } = session
    const item = old.get(sessionId) ?? h('li', {}, h('a', { class: 'row', href: `/s/${sessionId}` }))
    old.delete(sessionId)
    fill(/** @type {HTMLElement} */ (item), session, asks.get(sessionId) ?? [], sessionId === selected)
    if (item === place) place = place.nextElementSibling
    else list.insertBefore(item, place)
  }
  for (const item of old.values()) item.remove()
}

/** @param {HTMLElement} item @param {any} session @param {any[]} open @param {boolean} isSelected */
function fill(item, session, open, isSelected) {
  const { sessionId, status, title, agentType, model, workingDir, createdAt, updatedAt } = session
  const link = /** @type {HTMLElement} */ (item.firstElementChild)
  const asked = open.length === 0 ? '' : questionLine(open[0])
  const why = isFinished(status) && status !== 'completed' ? oneLine(causeWords(session), 200) : ''
  const parts = [
    h('span', { class: `badge ${groupOf(status).name} ${status}` }, statusWords(session)),
    h('span', { class: 'title' }, oneLine(title, 200) || sessionId),
    h('span', { class: 'facts' }, `${oneLine(agentType)}${model ? ` ${oneLine(model)}` : ''} · ${oneLine(workingDir)}`),
    h(
      'time',
      { datetime: updatedAt, title: `Active ${local(updatedAt).moment}, started ${local(createdAt).moment}` },
      timeWords(session),
    ),
    asked !== '' && h('span', { class: 'asked' }, `${asked}${open.length > 1 ? ` and ${open.length - 1} more` : ''}`),
    why !== '' && h('span', { class: 'why' }, why),
  ].filter((part) => part !== false)
  item.dataset.id = sessionId
  link.dataset.id = sessionId
  link.className = `row ${groupOf(status).name}`
  link.classList.toggle('selected', isSelected)
  if (link.textContent !== parts.map((part) => part.textContent).join('')) link.replaceChildren(...parts)
}

/** @param {any} session */
function timeWords({ createdAt, updatedAt }) {
  const started = `started ${ago(createdAt)}`
  return age(createdAt) === age(updatedAt) ? started : `active ${ago(updatedAt)} · ${started}`
}
