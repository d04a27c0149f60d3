/** Events as people read them: one element each, or none for what nobody need see. */
import { block, h } from './dom.js'
import { answerWords, questionLine } from './question.js'
import { causeWords } from './status.js'
import { counted, duration, inputText, oneLine, readable, shellWords, targetOf, textOf } from './text.js'

/** @param {string} kind @param {string} text */
const note = (kind, text) => h('p', { class: `note ${kind}` }, text)

/** @type {Record<string, (event: any) => HTMLElement | undefined>} */
const renderers = {
  session_created: ({ spec }) => {
    const command = Array.isArray(spec?.command) && spec.agentType === 'command' ? shellWords(spec.command) : ''
    return said('you', [spec?.prompt, command].filter(Boolean).map(textOf).join('\n'))
  },
  user_message: ({ by, content }) => (by === 'user' ? said('you', content) : note('', oneLine(content))),
  text: ({ partial, content, stream }) => {
    if (partial) return undefined
    return stream === undefined
      ? said('agent', content)
      : h('div', { class: `output ${oneLine(stream)}` }, block(content))
  },
  thinking: ({ partial, content }) => (partial ? undefined : h('div', { class: 'thinking' }, block(content))),
  tool_use: ({ tool, input }) => toolCall(tool, input),
  tool_result: (event) => {
    const call = toolCall('result', undefined)
    addResult(call, event)
    return call
  },
  plan: ({ entries }) =>
    h(
      'ul',
      { class: 'plan' },
      ...(Array.isArray(entries) ? entries : []).map((/** @type {any} */ step) =>
        h(
          'li',
          { class: oneLine(step?.status) },
          `${step?.status === 'completed' ? '✓' : '·'} ${oneLine(step?.content)}`,
        ),
      ),
    ),
  system: ({ content }) => note('', readable(content)),
  error: ({ content }) => note('bad', readable(content)),
  approval_request: (event) => note('asked', `asks: ${questionLine(event)}`),
  input_request: (event) => note('asked', `asks: ${questionLine(event)}`),
  approval_response: (event) => note('asked', answerWords(event)),
  input_response: (event) => note('asked', answerWords(event)),
  approval_voided: ({ why }) => note('asked', `the question is void: ${oneLine(why)}`),
  turn_ended: ({ reason, error }) =>
    reason === 'completed'
      ? undefined
      : note(reason === 'failed' ? 'bad' : '', `the turn was ${oneLine(reason)}${error ? `: ${oneLine(error)}` : ''}`),
  cancel_requested: () => note('', 'somebody wants it to end'),
  stalled: ({ seconds }) => note('', `nothing was said for ${oneLine(seconds)} s`),
  stall_ended: () => note('', 'the agent speaks again'),
  daemon_started: ({ epoch }) =>
    typeof epoch === 'number' && epoch > 1 ? note('', `runs again (start ${epoch})`) : undefined,
  daemon_exited: (event) =>
    event.result === 'success' ? undefined : note('bad', `its daemon ended: ${oneLine(causeWords({ cause: event }))}`),
  session_frozen: () => note('', 'frozen'),
  session_thawed: () => note('', 'goes on'),
  session_queued: () => note('', 'waits for its turn: as many sessions run as may'),
  session_completed: ({ metadata }) => note('end', `completed${took(metadata)}`),
  session_failed: (event) => note('end bad', `failed: ${oneLine(causeWords(event), 1000)}`),
  session_cancelled: (event) => {
    const why = oneLine(causeWords(event), 1000)
    return note('end', /^cancelled\b/.test(why) ? why : `cancelled: ${why}`)
  },
  session_interrupted: (event) => note('end bad', `interrupted: ${oneLine(causeWords(event), 1000)}`),
}

/** Nothing to see, whatever they say. */
const silent = new Set([
  'turn_started',
  'agent_session',
  'status_change',
  'usage',
  'message_sent',
  'message_accepted',
  'freeze_requested',
  'thaw_requested',
  'session_recovery',
])

/** @param {any} event @returns {HTMLElement | undefined} */
export function entryOf(event) {
  const type = textOf(event.type)
  if (silent.has(type)) return undefined
  // A file may hold any word there, such as the names that every object has.
  if (Object.hasOwn(renderers, type)) return renderers[type]?.(event)
  return fold(h('summary', {}, h('span', { class: 'tool' }, oneLine(type, 40) || 'no type')), () => [block(event)])
}

/** @param {{at: number, length: number}} damage */
export const damagedEntry = ({ at, length }) =>
  note('bad', `damaged: ${counted(length, 'byte')} at ${at} of the file are no event`)

/** The one line that a tool is folded to. @param {unknown} tool @param {unknown} input */
function toolCall(tool, input) {
  const summary = h(
    'summary',
    {},
    h('span', { class: 'tool' }, oneLine(tool, 60)),
    h('span', { class: 'target' }, input === undefined ? '' : targetOf(input)),
    h('span', { class: 'outcome' }),
  )
  return fold(summary, () => (input === undefined ? [] : [block(input, inputText)]))
}

/** @type {WeakMap<HTMLElement, any>} */
const results = new WeakMap()

/**
 * What a tool gave, on its own line; a second one takes the place of the first.
 * @param {HTMLElement} call @param {any} event @param {boolean} [isDenied] by a person, which agents tell as an error
 */
export function addResult(call, event, isDenied = false) {
  results.set(call, event)
  const text = readable(event.content).trimEnd()
  const outcome = call.querySelector('.outcome')
  if (outcome === null) return
  const lines = text === '' ? 0 : text.split('\n').length
  const word = isDenied ? 'denied' : event.isError ? 'failed' : ''
  outcome.textContent = word || (lines > 1 ? counted(lines, 'line') : oneLine(text, 60))
  outcome.className = `outcome ${word === 'failed' ? 'bad' : word}`
  if (call.hasAttribute('open')) call.dispatchEvent(new Event('toggle'))
}

/** What is folded is made when it is wanted. @param {HTMLElement} summary @param {() => HTMLElement[]} body */
function fold(summary, body) {
  const inside = h('div', { class: 'inside' })
  const details = h('details', { class: 'call' }, summary, inside)
  details.addEventListener('toggle', () => {
    if (!details.open) return
    const result = results.get(details)
    const missing =
      typeof result?.missingBytes === 'number'
        ? note('', `${counted(result.missingBytes, 'byte')} are not in the log`)
        : undefined
    inside.replaceChildren(
      ...body(),
      ...(result === undefined ? [] : [block(result.content)]),
      ...(missing ? [missing] : []),
    )
  })
  return details
}

/** @param {string} who @param {unknown} content */
function said(who, content) {
  const body = block(content)
  return h('div', { class: `said ${who}` }, body)
}

/** Of all turns so far, which has to be said where there are several. @param {any} metadata */
function took(metadata) {
  const { durationMs, costUsd, turns } = metadata ?? {}
  const time = typeof durationMs === 'number' ? ` in ${duration(durationMs)}` : ''
  const cost = typeof costUsd === 'number' ? ` for $${costUsd.toFixed(4)}` : ''
  if (typeof turns !== 'number' || turns < 2 || time + cost === '') return time + cost
  return `; all ${oneLine(turns)} turns so far${time}${cost}`
}
