/**
 * The Anthropic Messages format: the request as turns, the reply as server-sent events or as one JSON object.
 *
 * @typedef {import('./script.mjs').Reply} Reply
 * @typedef {import('./script.mjs').Turn} Turn
 * @typedef {import('./tools.mjs').Tool} Tool
 * @typedef {{ type?: string, text?: string, content?: unknown }} Block
 * @typedef {{ role: string, content: string | Block[] }} Message
 */
import { setTimeout as delay } from 'node:timers/promises'
import { newId, plain, sentence, USAGE } from './common.mjs'
import { tool } from './tools.mjs'

export const path = /\/messages$/

const input = {
  input_tokens: USAGE.input - USAGE.cached,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: USAGE.cached,
}

/** @type {Record<number, string>} */
const errors = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'not_found_error',
  429: 'rate_limit_error',
  529: 'overloaded_error',
}

/** @param {{ messages?: Message[] }} request @returns {Turn[]} */
export function turns(request) {
  return (request.messages ?? []).flatMap(({ role, content }) => {
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content
    return blocks.map((block) => {
      if (block.type === 'tool_result') return { role: /** @type {const} */ ('result'), text: plain(block.content) }
      if (role === 'user' && block.type === 'text')
        return { role: /** @type {const} */ ('user'), text: block.text ?? '' }
      return { role: /** @type {const} */ ('other'), text: '' }
    })
  })
}

/** @param {{ tools?: { name: string, input_schema?: Parameters<typeof tool>[1] }[] }} request @returns {Tool[]} */
export const tools = (request) => (request.tools ?? []).map(({ name, input_schema }) => tool(name, input_schema))

/** @param {{ stream?: boolean }} request */
export const streams = (request) => request.stream === true

/** @param {Reply} reply @param {{ model: string }} request */
export function whole(reply, request) {
  const content = blocksOf(reply).map(({ start, final }) => ({ ...start, ...final }))
  return {
    ...head(request),
    content,
    stop_reason: stopReason(reply),
    usage: { ...input, output_tokens: USAGE.output },
  }
}

/** The body of an HTTP error. @param {number} status */
export const failure = (status) => ({
  type: 'error',
  error: { type: errors[status] ?? 'api_error', message: sentence(status) },
})

/**
 * Streams a reply. @returns whether it came to its proper end
 * @param {Reply} reply @param {{ model: string }} request @param {(text: string) => void} write
 */
export async function stream(reply, request, write) {
  /** @param {string} type @param {object} data */
  const send = (type, data) => write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`)
  send('message_start', { message: { ...head(request), content: [], usage: { ...input, output_tokens: 1 } } })
  if (reply.kind === 'hang') return false
  for (const [index, { start, deltas }] of blocksOf(reply).entries()) {
    send('content_block_start', { index, content_block: start })
    for (const delta of deltas) {
      send('content_block_delta', { index, delta })
      if (reply.pauseMs !== undefined) await delay(reply.pauseMs)
    }
    if (reply.kind === 'cut') return false
    send('content_block_stop', { index })
  }
  const delta = { stop_reason: stopReason(reply), stop_sequence: null }
  send('message_delta', { delta, usage: { output_tokens: USAGE.output } })
  send('message_stop', {})
  return true
}

/** @param {Reply} reply */
function blocksOf({ words, thought, call }) {
  /** @type {{ start: object, deltas: object[], final: object }[]} */
  const blocks = []
  if (thought !== undefined) {
    const signature = 'bW9jaw=='
    const deltas = [
      ...thought.map((thinking) => ({ type: 'thinking_delta', thinking })),
      { type: 'signature_delta', signature },
    ]
    const start = { type: 'thinking', thinking: '', signature: '' }
    blocks.push({ start, deltas, final: { thinking: thought.join(''), signature } })
  }
  if (words.length > 0) {
    const deltas = words.map((text) => ({ type: 'text_delta', text }))
    blocks.push({ start: { type: 'text', text: '' }, deltas, final: { text: words.join('') } })
  }
  if (call !== undefined) {
    const json = JSON.stringify(call.input)
    const half = json.length >> 1
    const deltas = [json.slice(0, half), json.slice(half)].map((part) => ({
      type: 'input_json_delta',
      partial_json: part,
    }))
    blocks.push({
      start: { type: 'tool_use', id: newId('toolu'), name: call.name, input: {} },
      deltas,
      final: { input: call.input },
    })
  }
  return blocks
}

/** @param {{ model: string }} request */
function head({ model }) {
  return { id: newId('msg'), type: 'message', role: 'assistant', model, stop_reason: null, stop_sequence: null }
}

/** @param {Reply} reply */
const stopReason = ({ call }) => (call === undefined ? 'end_turn' : 'tool_use')
