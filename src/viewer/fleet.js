/** The page of all sessions. Their statuses are the server's, who holds the log against the units; the stream says when to ask again. */
import { ask, complaint, Refused, sessionPath } from './api.js'
import { badge } from './badge.js'
import { connection } from './banner.js'
import { h } from './dom.js'
import { matches } from './filter.js'
import { drawGroups } from './fleet-rows.js'
import { follow } from './follow.js'
import { keys } from './keys.js'
import { newSession } from './new-session.js'
import { questionCard } from './question.js'
import { finished, groups, live } from './status.js'

/** Between two looks, in milliseconds, and how often there is one though the registry says nothing. */
const PAUSE_MS = 400
const LOOK_MS = 15_000
/** Until a server that did not answer at first is asked once more, in milliseconds. */
const AGAIN_MS = 2000
/** Finished sessions that are shown at first. */
const FEW = 100
/** Where the browser keeps it that sessions stand by their directories. */
const BY_DIRECTORY = 'agentz.by-directory'

/** @param {HTMLElement} page */
export async function openFleet(page) {
  /** @type {any[]} */
  let sessions = []
  /** @type {Map<string, any>} what waits for an answer, by session */
  let asks = new Map()
  /** @type {any} why units could not be asked, if so: statuses are what processes look like then */
  let unasked
  let most = FEW
  let only = ''
  let selected = ''
  const create = newSession()
  const search = h('input', {
    type: 'search',
    placeholder: 'Search ( / )',
    'aria-label': 'Search sessions',
    oninput: () => draw(),
  })
  const isByDirectory = () => localStorage.getItem(BY_DIRECTORY) !== null
  const byDirectory = h(
    'button',
    {
      type: 'button',
      class: 'chip',
      'aria-pressed': String(isByDirectory()),
      onclick: () => {
        if (isByDirectory()) localStorage.removeItem(BY_DIRECTORY)
        else localStorage.setItem(BY_DIRECTORY, '1')
        byDirectory.setAttribute('aria-pressed', String(isByDirectory()))
        draw()
      },
    },
    'By directory',
  )
  const chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Show only' })
  const list = h('div', { class: 'groups' })
  const more = h('button', { type: 'button', class: 'quiet', onclick: () => widen() }, 'Show older ones')
  const told = h('div', { class: 'told', role: 'status' })
  const name = h('h1', {}, 'agentz')
  const main = h('main', {}, name, told)
  page.className = 'lost'
  page.append(main)

  /** Whoever may not see the list can do nothing with its controls. */
  function build() {
    page.className = 'fleet-page'
    page.prepend(
      h(
        'header',
        { class: 'fleet-head' },
        name,
        chips,
        byDirectory,
        search,
        h('button', { type: 'button', class: 'allow', onclick: () => void create.open(sessions) }, 'New session'),
      ),
    )
    main.append(list, more)
    page.append(create.element)
  }

  function widen() {
    most *= 10
    void look()
  }

  const shown = () =>
    sessions.filter(
      (session) => matches(session, search.value) && (only === '' || groupStatuses(only).includes(session.status)),
    )

  function draw() {
    const counts = groups.map(({ name, title, statuses }) => ({
      name,
      title,
      count: sessions.filter(({ status }) => statuses.includes(status)).length,
    }))
    const needs = counts[0]?.count ?? 0
    badge(needs, 'agentz')
    const wanted = counts.map(({ name, title, count }) => ({
      name,
      text: `${title} ${count}${name === 'finished' && count >= most ? '+' : ''}`,
      count,
    }))
    drawChips(chips, wanted, only, (name) => {
      only = only === name ? '' : name
      draw()
    })
    const rows = shown()
    if (!rows.some(({ sessionId }) => sessionId === selected)) selected = rows.length > 0 ? selected : ''
    byDirectory.hidden = !isByDirectory() && new Set(sessions.map(({ workingDir }) => workingDir)).size < 2
    drawGroups(list, rows, asks, selected, isByDirectory())
    const ended = counts.at(-1)?.count ?? 0
    more.hidden = ended < most
    const words = []
    if (unasked !== undefined) words.push(complaint(new Refused(unasked)))
    if (sessions.length === 0) {
      words.push(
        h('p', {}, 'There is no session yet. Start one here, or with ', h('code', {}, 'agentz run "..."'), '.'),
      )
    } else if (rows.length === 0) words.push(h('p', {}, 'No session fits.'))
    // What was read aloud already is not said again.
    if (told.textContent !== words.map(({ textContent }) => textContent).join('')) told.replaceChildren(...words)
  }

  let isWanted = false
  let isBusy = false
  /** @returns {Promise<void>} */
  async function look() {
    isWanted = true
    if (isBusy) return
    isBusy = true
    while (isWanted) {
      isWanted = false
      try {
        await read()
        draw()
      } catch (error) {
        // The stream tells when the server is there again; what is shown stays.
        if (!(error instanceof Refused)) throw error
        if (sessions.length === 0) told.replaceChildren(complaint(error))
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    isBusy = false
  }

  /** @returns {Promise<number>} the address in the registry from which on nothing was seen */
  async function read() {
    // The living first: one that ends in between is in the second list then.
    const living = await ask(`/v1/sessions?status=${live.join(',')}`)
    const ended = await ask(`/v1/sessions?status=${finished.join(',')}&limit=${most}`)
    const waiting = living.sessions.some((/** @type {any} */ { status }) => status.startsWith('waiting'))
    const { sessions: open } = waiting ? await ask('/v1/approvals') : { sessions: [] }
    const byId = new Map([...living.sessions, ...ended.sessions].map((session) => [session.sessionId, session]))
    sessions = [...byId.values()].filter(({ archived }) => !archived)
    unasked = living.unasked
    asks = new Map(
      open.map((/** @type {any} */ session) => [session.sessionId, [...session.approvals, ...session.inputs]]),
    )
    return living.offset
  }

  let offset
  while (offset === undefined) {
    try {
      offset = await read()
      told.replaceChildren()
    } catch (error) {
      told.replaceChildren(complaint(error))
      if (!(error instanceof Refused && error.code === 'OFFLINE')) return
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
    }
  }
  build()
  draw()
  follow('/v1/events', offset, {
    record: () => void look(),
    reset: () => void look(),
    state: (isOpen) => {
      connection(isOpen)
      if (isOpen) void look()
    },
  })
  setInterval(() => {
    if (!document.hidden) void look()
  }, LOOK_MS)
  if (location.hash === '#new') void create.open(sessions)

  const links = () => /** @type {HTMLAnchorElement[]} */ ([...list.querySelectorAll('a.row')])
  /** @param {number} step */
  const move = (step) => {
    const all = links()
    const now = all.findIndex((link) => link.dataset.id === selected)
    const next = all[Math.max(0, Math.min(all.length - 1, now + step))]
    selected = next?.dataset.id ?? ''
    next?.focus()
    draw()
  }
  list.addEventListener('focusin', ({ target }) => {
    if (target instanceof HTMLElement && target.dataset.id !== undefined) selected = target.dataset.id
  })
  /** @param {string} control */
  const answer = (control) => {
    const id = asks.has(selected) ? selected : ([...asks.keys()][0] ?? '')
    const request = asks.get(id)?.[0]
    if (request !== undefined)
      askOne(
        page,
        sessions.find(({ sessionId }) => sessionId === id),
        request,
        control,
      )
  }
  keys(page, {
    j: ['The next session', () => move(1)],
    k: ['The session before', () => move(-1)],
    Enter: ['Open it', () => openSelected()],
    a: ['Look at what it asks, to allow it', () => answer('.allow, input')],
    d: ['Look at what it asks, to deny it', () => answer('input')],
    n: ['New session', () => void create.open(sessions)],
    '/': ['Search', () => search.focus()],
  })
  search.addEventListener('keydown', ({ key }) => {
    if (key === 'Escape') {
      search.value = ''
      search.blur()
      draw()
    } else if (key === 'Enter') links()[0]?.focus()
  })
  function openSelected() {
    const focused = document.activeElement
    if (focused instanceof HTMLElement && focused.matches('button, a, summary')) focused.click()
    else if (selected !== '') location.assign(`/s/${selected}`)
  }
}

/** @param {string} name */
const groupStatuses = (name) => groups.find((group) => group.name === name)?.statuses ?? []

/** @param {HTMLElement} chips @param {{name: string, text: string, count: number}[]} wanted @param {string} only @param {(name: string) => void} choose */
function drawChips(chips, wanted, only, choose) {
  for (const [index, { name, text }] of wanted.entries()) {
    let chip = chips.children[index]
    if (chip === undefined) {
      chip = h('button', { type: 'button', class: `chip ${name}`, onclick: () => choose(name) })
      chips.append(chip)
    }
    if (chip.textContent !== text) chip.textContent = text
    chip.setAttribute('aria-pressed', String(only === name))
  }
}

/** @param {HTMLElement} page @param {any} session @param {any} request @param {string} control what has the focus at first */
function askOne(page, session, request, control) {
  const { sessionId, title } = session ?? request
  // Who was first stands in the session's log, which is not read here.
  const card = questionCard(sessionId, request, async (requestId) => {
    const { records } = await ask(`${sessionPath(sessionId)}/page`)
    // Text and damage hold no request.
    const lines = records.filter((/** @type {any} */ { line }) => /^\{"type":"(approval|input)_response"/.test(line))
    const events = lines.map((/** @type {any} */ { line }) => JSON.parse(line))
    return events.find((/** @type {any} */ event) => event.requestId === requestId)
  })
  const close = h('button', { type: 'button', class: 'quiet', onclick: () => dialog.close() }, 'Close')
  const link = h('a', { href: `/s/${sessionId}` }, title ?? sessionId)
  const dialog = h(
    'dialog',
    { class: 'asking', 'aria-label': `What ${title ?? sessionId} asks` },
    h('p', {}, link),
    card,
    close,
  )
  dialog.addEventListener('close', () => dialog.remove())
  page.append(dialog)
  dialog.showModal()
  const first = /** @type {HTMLElement | null} */ (card.querySelector(control))
  first?.focus()
  const watch = new MutationObserver(() => {
    if (card.querySelector('.told')?.textContent?.startsWith('Sent') === true) dialog.close()
  })
  watch.observe(card, { subtree: true, childList: true })
}
