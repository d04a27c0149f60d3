/**
 * The OpenAI chat completions format, as opencode and the Vercel `ai` package speak it.
 *
 * @typedef {import('./script.mjs').Reply} Reply
 * @typedef {import('./script.mjs').Turn} Turn
 * @typedef {import('./tools.mjs').Tool} Tool
 * @typedef {{ function: { name: string, parameters?: Parameters<typeof tool>[1] } }} OfferedFunction
 * @typedef {{
 *   model: string, stream?: boolean, messages?: { role: string, content?: unknown }[], tools?: OfferedFunction[],
 * }} Request
 */
import { setTimeout as delay } from 'node:timers/promises'
import { newId, plain, USAGE } from './common.mjs'
import { tool } from './tools.mjs'

export { openAiFailure as failure } from './common.mjs'
export const path = /\/chat\/completions$/

const usage = {
  prompt_tokens: USAGE.input,
  completion_tokens: USAGE.output,
  total_tokens: USAGE.total,
  prompt_tokens_details: { cached_tokens: USAGE.cached },
}

/** @type {Record<string, Turn['role']>} */
const roles = { user: 'user', tool: 'result' }

/** @param {Request} request @returns {Turn[]} */
export function turns({ messages = [] }) {
  return messages.map(({ role, content }) => ({ role: roles[role] ?? 'other', text: plain(content) }))
}

/** @param {Request} request @returns {Tool[]} */
export const tools = (request) =>
  (request.tools ?? []).map((offer) => tool(offer.function.name, offer.function.parameters))

/** @param {Request} request */
export const streams = (request) => request.stream === true

/** @param {Reply} reply @param {Request} request */
export function whole({ words, thought, call }, request) {
  const message = {
    role: 'assistant',
    content: words.join(''),
    ...(thought && { reasoning: thought.join('') }),
    ...(call && { tool_calls: [{ id: newId('call'), type: 'function', function: functionOf(call) }] }),
  }
  return { ...head(request, ''), choices: [{ index: 0, message, finish_reason: finish(call) }], usage }
}

/**
 * Streams a reply. @returns whether it came to its proper end
 * @param {Reply} reply @param {Request} request @param {(text: string) => void} write
 */
export async function stream({ kind, words, thought = [], call, pauseMs }, request, write) {
  const chunk = head(request, '.chunk')
  /** @param {object} delta @param {string | null} [finish_reason] @param {object} [more] */
  const send = (delta, finish_reason = null, more = {}) =>
    write(`data: ${JSON.stringify({ ...chunk, choices: [{ index: 0, delta, finish_reason }], ...more })}\n\n`)
  send({ role: 'assistant' })
  if (kind === 'hang') return false
  // Providers disagree on the name of the field; each client knows one of the two.
  for (const text of thought) send({ reasoning: text, reasoning_content: text })
  for (const content of words) {
    send({ content })
    if (pauseMs !== undefined) await delay(pauseMs)
  }
  if (kind === 'cut') return false
  if (call !== undefined) {
    const { name, arguments: json } = functionOf(call)
    send({ tool_calls: [{ index: 0, id: newId('call'), type: 'function', function: { name, arguments: '' } }] })
    const half = json.length >> 1
    for (const part of [json.slice(0, half), json.slice(half)]) {
      send({ tool_calls: [{ index: 0, function: { arguments: part } }] })
    }
  }
  send({}, finish(call), { usage })
  write('data: [DONE]\n\n')
  return true
}

/** @param {Request} request @param {string} kind */
const head = ({ model }, kind) => ({ id: newId('chatcmpl'), object: `chat.completion${kind}`, created: 1, model })

/** @param {NonNullable<Reply['call']>} call */
const functionOf = ({ name, input }) => ({ name, arguments: JSON.stringify(input) })

/** @param {Reply['call']} call */
const finish = (call) => (call === undefined ? 'stop' : 'tool_calls')
