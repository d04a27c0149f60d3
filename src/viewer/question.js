/** What a session asks, with what may be answered. Whoever answers sees all of it, and every character of it. */
import { ask, complaint, Refused, sessionPath } from './api.js'
import { block, h } from './dom.js'
import { inputText, local, oneLine, spelled, targetOf } from './text.js'

/** @type {Map<unknown, string>} */
const decided = new Map([
  ['allow', 'allowed'],
  ['allow_always', 'allowed for this session'],
  ['deny', 'denied'],
])
const all = [
  { decision: 'allow', label: 'Allow once' },
  { decision: 'allow_always', label: 'Always for this session' },
  { decision: 'deny', label: 'Deny', reason: true },
]

/** @type {Map<unknown, string>} */
const ways = new Map([
  ['http', ' through the server'],
  ['cli', ' on the command line'],
])

/** In one line, for a list. @param {any} request */
export const questionLine = (request) =>
  request.question === undefined
    ? [oneLine(request.tool), targetOf(request.input) || oneLine(request.title)].filter(Boolean).join(' ')
    : oneLine(request.question)

/** Who has answered, and what. @param {any} response */
export function answerWords({ decision, content, by, via, reason, timestamp }) {
  const what = decision === undefined ? `answered “${oneLine(content)}”` : (decided.get(decision) ?? oneLine(decision))
  const { clock } = local(timestamp)
  const time = clock === '' ? '' : ` at ${clock}`
  const way = ways.get(via) ?? (via ? ` over ${oneLine(via)}` : '')
  return `${what} ${by ? `by ${oneLine(by)}` : 'by hand'}${way}${time}${reason ? `: ${oneLine(reason)}` : ''}`
}

/**
 * @param {string} id of the session
 * @param {any} request
 * @param {(requestId: string) => Promise<any>} answerOf the answer that stands in the log, for who comes second
 */
export function questionCard(id, request, answerOf) {
  const { requestId } = request
  const told = h('div', { class: 'told' })
  const card = h('section', { class: 'question', 'aria-label': `Question: ${questionLine(request)}` })
  card.dataset.request = requestId
  /** @param {string} kind @param {object} body */
  const send = async (kind, body) => {
    const controls = [...card.querySelectorAll('button, input')]
    for (const control of controls) control.setAttribute('disabled', '')
    told.replaceChildren('Sending ...')
    try {
      await ask(`${sessionPath(id)}/${kind}/${encodeURIComponent(requestId)}`, body)
      told.replaceChildren('Sent. The agent goes on.')
    } catch (error) {
      for (const control of controls) control.removeAttribute('disabled')
      told.replaceChildren(complaint(error))
      if (!(error instanceof Refused) || !['CONFLICT', 'NOT_FOUND'].includes(error.code)) return
      const first = await answerOf(requestId)
      if (first === undefined) return
      for (const control of controls) control.setAttribute('disabled', '')
      told.replaceChildren(
        h(
          'p',
          { class: 'complaint', role: 'alert' },
          h('strong', {}, 'Somebody was first: '),
          `${answerWords(first)}.`,
        ),
      )
    }
  }
  card.append(
    ...(request.question === undefined ? approval(request, (body) => send('approvals', body)) : input(request, send)),
    told,
  )
  return card
}

/** @param {any} request @param {(body: object) => void} send */
function approval(request, send) {
  /** @type {any[]} */
  const given = Array.isArray(request.options) ? request.options : []
  const options = given.filter((option) => all.some(({ decision }) => decision === option?.decision))
  const offers = options.length === 0 ? all : options
  const denial = offers.find(({ decision }) => decision === 'deny')
  const reason = h('input', {
    type: 'text',
    placeholder: denial?.reason ? 'Why not? The agent is told.' : 'Why not? For the log; the agent is not told.',
    'aria-label': 'Reason of a denial',
    onkeydown: (event) => {
      if (event.key === 'Enter') decide('deny')
    },
  })
  /** @param {string} decision */
  const decide = (decision) => {
    const why = decision === 'deny' && reason.value.trim() !== '' ? { reason: reason.value.trim() } : {}
    send({ decision, ...why })
  }
  const buttons = offers.map(({ decision, label }) =>
    h(
      'button',
      {
        type: 'button',
        class: decision === 'allow_always' ? 'always' : decision,
        'data-decision': decision,
        onclick: () => decide(decision),
      },
      all.find((own) => own.decision === decision)?.label ?? decision,
      h('small', {}, saidOtherwise(decision, label)),
    ),
  )
  return [
    h('h2', {}, h('span', { class: 'badge needs' }, 'needs approval'), ` ${spelled(request.tool).slice(0, 200)}`),
    request.title && request.title !== targetOf(request.input) ? h('p', {}, spelled(request.title)) : undefined,
    block(request.input, inputText),
    h('div', { class: 'answers' }, ...buttons, ...(denial === undefined ? [] : [reason])),
  ].filter((part) => part !== undefined)
}

/** The agent's own words for a decision, where they say more. @param {string} decision @param {unknown} label */
function saidOtherwise(decision, label) {
  const own = all.find((each) => each.decision === decision)?.label
  const text = oneLine(label, 80)
  const [, what] = /^allow this (tool|command|file) for the session$/i.exec(text) ?? []
  if (what !== undefined) return what === 'tool' ? '' : `, for this ${what}`
  return text === '' || text === own || /^(yes|no|allow|deny|allow always|allow once|reject|always allow)$/i.test(text)
    ? ''
    : ` ${text}`
}

/** @param {any} request @param {(kind: string, body: object) => void} send */
function input({ question, options }, send) {
  /** @type {string[]} */
  const words = (Array.isArray(options) ? options : []).filter((word) => typeof word === 'string')
  const answer = h('input', { type: 'text', 'aria-label': 'Your answer', placeholder: 'Your answer' })
  const form = h(
    'form',
    {
      class: 'answers',
      onsubmit: (event) => {
        event.preventDefault()
        send('inputs', { content: answer.value })
      },
    },
    ...words.map((word) =>
      h('button', { type: 'button', class: 'allow', onclick: () => send('inputs', { content: word }) }, spelled(word)),
    ),
    answer,
    h('button', { type: 'submit' }, 'Answer'),
  )
  return [
    h('h2', {}, h('span', { class: 'badge needs' }, 'needs an answer')),
    h('p', { class: 'asked' }, spelled(question)),
    form,
  ]
}
