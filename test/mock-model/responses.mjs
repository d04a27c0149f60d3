/**
 * The OpenAI Responses format, as codex speaks it: an answer is a list of items, each added, streamed and done.
 *
 * @typedef {import('./script.mjs').Reply} Reply
 * @typedef {import('./script.mjs').Turn} Turn
 * @typedef {import('./tools.mjs').Tool} Tool
 * @typedef {{ type?: string, role?: string, content?: unknown, output?: unknown }} Item
 * @typedef {{ type: string, name?: string, parameters?: Parameters<typeof tool>[1], tools?: Offer[] }} Offer
 * @typedef {{ model: string, stream?: boolean, input?: string | Item[], tools?: Offer[] }} Request
 */
import { setTimeout as delay } from 'node:timers/promises'
import { newId, plain, USAGE } from './common.mjs'
import { tool } from './tools.mjs'

export { openAiFailure as failure } from './common.mjs'
export const path = /\/responses$/

const usage = {
  input_tokens: USAGE.input,
  input_tokens_details: { cached_tokens: USAGE.cached },
  output_tokens: USAGE.output,
  output_tokens_details: { reasoning_tokens: 3 },
  total_tokens: USAGE.total,
}

/** @param {Request} request @returns {Turn[]} */
export function turns({ input = [] }) {
  if (typeof input === 'string') return [{ role: 'user', text: input }]
  return input.map(({ type, role, content, output }) => {
    if (type?.endsWith('_output')) return { role: 'result', text: plain(output) }
    return role === 'user' ? { role, text: plain(content) } : { role: 'other', text: '' }
  })
}

/** Tools may stand in groups. @param {Request} request @returns {Tool[]} */
export const tools = (request) => (request.tools ?? []).flatMap(flat)

/** @param {Offer} offer @returns {Tool[]} */
const flat = ({ type, name, parameters, tools }) => (tools ? tools.flatMap(flat) : [tool(name ?? type, parameters)])

/** @param {Request} request */
export const streams = (request) => request.stream === true

/** @param {Reply} reply @param {Request} request */
export function whole(reply, request) {
  return { ...head(request), status: 'completed', output: itemsOf(reply).map(({ done }) => done), usage }
}

/**
 * Streams a reply. @returns whether it came to its proper end
 * @param {Reply} reply @param {Request} request @param {(text: string) => void} write
 */
export async function stream(reply, request, write) {
  let sequence_number = 0
  /** @param {string} type @param {object} data */
  const send = (type, data) =>
    write(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence_number++, ...data })}\n\n`)
  const response = head(request)
  send('response.created', { response })
  if (reply.kind === 'hang') return false
  const items = itemsOf(reply)
  for (const [output_index, { start, done, part, deltas }] of items.entries()) {
    const where = { item_id: done.id, output_index, [`${part.index}_index`]: 0 }
    send('response.output_item.added', { output_index, item: start })
    if (part.opens !== undefined) send(`response.${part.opens}.added`, { ...where, part: part.empty })
    for (const delta of deltas) {
      send(`response.${part.name}.delta`, { ...where, delta })
      if (reply.pauseMs !== undefined) await delay(reply.pauseMs)
    }
    if (reply.kind === 'cut') return false
    send(`response.${part.name}.done`, { ...where, [part.whole]: deltas.join('') })
    send('response.output_item.done', { output_index, item: done })
  }
  const output = items.map(({ done }) => done)
  send('response.completed', { response: { ...response, status: 'completed', output, usage } })
  return true
}

const parts = {
  thought: {
    name: 'reasoning_summary_text',
    index: 'summary',
    whole: 'text',
    opens: 'reasoning_summary_part',
    empty: { type: 'summary_text', text: '' },
  },
  text: {
    name: 'output_text',
    index: 'content',
    whole: 'text',
    opens: 'content_part',
    empty: { type: 'output_text', text: '', annotations: [] },
  },
  call: { name: 'function_call_arguments', index: 'content', whole: 'arguments' },
}

/** @param {Reply} reply */
function itemsOf({ words, thought, call }) {
  /** @type {{ start: object, done: { id: string }, part: typeof parts[keyof typeof parts], deltas: string[] }[]} */
  const items = []
  if (thought !== undefined) {
    const start = { id: newId('rs'), type: 'reasoning', summary: /** @type {object[]} */ ([]) }
    const summary = [{ type: 'summary_text', text: thought.join('') }]
    items.push({ start, done: { ...start, summary }, part: parts.thought, deltas: thought })
  }
  if (words.length > 0) {
    const start = { id: newId('msg'), type: 'message', role: 'assistant', status: 'in_progress', content: [] }
    const content = [{ ...parts.text.empty, text: words.join('') }]
    items.push({ start, done: { ...start, status: 'completed', content }, part: parts.text, deltas: words })
  }
  if (call !== undefined) {
    const json = JSON.stringify(call.input)
    const item = { id: newId('fc'), type: 'function_call', call_id: newId('call'), name: call.name }
    const start = { ...item, status: 'in_progress', arguments: '' }
    items.push({ start, done: { ...item, status: 'completed', arguments: json }, part: parts.call, deltas: [json] })
  }
  return items
}

/** @param {Request} request */
function head({ model }) {
  return { id: newId('resp'), object: 'response', created_at: 1, model, status: 'in_progress', output: [], error: null }
}
