/** The page of one session: what it is, what happened in it, what it asks, and what one can tell it. */
import { ask, complaint, Refused, sessionPath } from './api.js'
import { badge } from './badge.js'
import { connection } from './banner.js'
import { composer } from './composer.js'
import { at, h } from './dom.js'
import { sessionHead } from './head.js'
import { keys } from './keys.js'
import { questionCard } from './question.js'
import { isFinished, statusWords } from './status.js'
import { oneLine } from './text.js'
import { Transcript } from './transcript.js'

/** How often the session is looked at though its log says nothing: a unit may be gone. In milliseconds. */
const LOOK_MS = 10_000
/** Between two looks because of what the log says. */
const PAUSE_MS = 300
/** How long an answer of somebody else may take to be in the log, for who comes second. */
const FIRST_MS = 3000

/** Of no consequence for what stands around the transcript. */
const output = new Set(['text', 'thinking', 'tool_use', 'tool_result', 'raw', 'plan'])

/** @param {HTMLElement} page @param {string} id */
export async function openSession(page, id) {
  const list = h('ol', { class: 'events' })
  const scroller = h('div', { class: 'scroller', tabindex: '0', role: 'region', 'aria-label': 'Transcript' }, list)
  const head = sessionHead(scroller)
  const pill = h('button', { type: 'button', class: 'pill', hidden: true })
  const questions = h('div', { class: 'questions', 'aria-live': 'polite' })
  const below = composer(id)
  page.className = 'session-page'
  page.append(head.element, h('main', {}, scroller, pill), h('footer', {}, questions, below.element))

  /** @type {Map<string, any>} the first answers, by request */
  const answers = new Map()
  /** @param {string} requestId */
  const answerOf = async (requestId) => {
    const late = Date.now() + FIRST_MS
    while (!answers.has(requestId) && Date.now() < late) await new Promise((resolve) => setTimeout(resolve, 50))
    return answers.get(requestId)
  }

  let isDrawn = false
  /** @param {any} session */
  const draw = (session) => {
    badge(session.approvals.length + session.inputs.length, `${oneLine(session.title, 60)} · agentz`)
    const words = `The session is: ${statusWords(session)}`
    if (at('told').textContent !== words) at('told').textContent = words
    head.draw(session)
    isDrawn = true
    below.draw(session)
    drawQuestions(questions, id, [...session.approvals, ...session.inputs], isFinished(session.status), answerOf)
  }
  let wanted = false
  let busy = false
  const look = async () => {
    wanted = true
    if (busy) return
    busy = true
    while (wanted) {
      wanted = false
      try {
        draw(await ask(sessionPath(id)))
      } catch (error) {
        // What is on the page stays: the banner tells of the connection, and the next look may find it again.
        if (!(error instanceof Refused)) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    busy = false
  }

  const transcript = new Transcript(
    id,
    { scroller, list, pill },
    {
      event: (event) => {
        const { type, requestId } = event
        const isAnswer = type === 'approval_response' || type === 'input_response'
        if (isAnswer && !answers.has(requestId)) answers.set(requestId, event)
        if (!output.has(type) && isDrawn) void look()
      },
      state: (isOpen) => {
        connection(isOpen)
        if (isOpen) void look()
      },
      failed: below.failed,
    },
  )
  /** @param {string} what */
  const press = (what) => {
    const control = /** @type {HTMLElement | null} */ (questions.querySelector(what))
    control?.focus()
  }
  keys(page, {
    j: ['The next message', () => transcript.turn(1)],
    k: ['The message before', () => transcript.turn(-1)],
    G: ['To the end', () => void transcript.toEnd()],
    t: ['Show or hide what it thinks', head.toggleThinking],
    a: ['To the button that allows what it asks', () => press('.allow, input')],
    d: ['To the reason of a denial', () => press('input')],
    i: ['Write to it', () => below.focus()],
    u: ['All sessions', () => location.assign('/')],
  })

  const linked = () => Number(/^#e=(\d{1,16})$/.exec(location.hash)?.[1] ?? Number.NaN)
  const open = () => transcript.open(Number.isNaN(linked()) ? undefined : linked())
  try {
    draw(await ask(sessionPath(id)))
    await open().catch(async (error) => {
      if (Number.isNaN(linked())) throw error
      // An address that is none costs no more than itself.
      await transcript.open()
      below.failed(error)
    })
  } catch (error) {
    badge(0, 'agentz')
    page.className = 'lost'
    page.replaceChildren(h('main', {}, h('h1', {}, 'agentz'), complaint(error), h('a', { href: '/' }, 'All sessions')))
    return
  }
  addEventListener('hashchange', () => void open().catch(below.failed))
  setInterval(() => {
    if (!document.hidden) void look()
  }, LOOK_MS)
}

/**
 * Cards that are there already stay as they are: somebody may be writing into one.
 * @param {HTMLElement} questions @param {string} id @param {any[]} open @param {boolean} isOver
 * @param {(requestId: string) => Promise<any>} answerOf
 */
function drawQuestions(questions, id, open, isOver, answerOf) {
  const wanted = isOver ? [] : open
  const names = wanted.map(({ requestId }) => requestId)
  const cards = /** @type {HTMLElement[]} */ ([...questions.children])
  for (const card of cards) {
    // Whoever was told that another one was first has to be able to read it.
    if (!names.includes(card.dataset.request) && card.querySelector('.complaint') === null) card.remove()
  }
  for (const request of wanted) {
    if (cards.some((card) => card.dataset.request === request.requestId)) continue
    questions.append(questionCard(id, request, answerOf))
  }
}
