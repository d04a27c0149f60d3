/**
 * The Gemini format: an answer is a list of parts, streamed as server-sent events that each hold the whole frame.
 *
 * @typedef {import('./script.mjs').Reply} Reply
 * @typedef {import('./script.mjs').Turn} Turn
 * @typedef {import('./tools.mjs').Tool} Tool
 * @typedef {Parameters<typeof tool>[1]} Schema
 * @typedef {{ text?: string, functionResponse?: { response?: unknown } }} Part
 * @typedef {{ name: string, parameters?: Schema, parametersJsonSchema?: Schema }} Declaration
 * @typedef {{ contents?: { role?: string, parts?: Part[] }[], tools?: { functionDeclarations?: Declaration[] }[] }} Request
 */
import { setTimeout as delay } from 'node:timers/promises'
import { newId, sentence, USAGE } from './common.mjs'
import { tool } from './tools.mjs'

export const path = /:(streamGenerate|generate)Content$/

const usageMetadata = {
  promptTokenCount: USAGE.input,
  cachedContentTokenCount: USAGE.cached,
  candidatesTokenCount: USAGE.output,
  totalTokenCount: USAGE.total,
}

/** @type {Record<number, string>} */
const states = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  529: 'UNAVAILABLE',
}

/** @param {Request} request @returns {Turn[]} */
export function turns({ contents = [] }) {
  return contents.flatMap(({ role, parts = [] }) =>
    parts.map(({ text, functionResponse }) => {
      if (functionResponse !== undefined) return { role: 'result', text: JSON.stringify(functionResponse.response) }
      return role === 'user' && text !== undefined ? { role: 'user', text } : { role: 'other', text: '' }
    }),
  )
}

/** @param {Request} request @returns {Tool[]} */
export function tools(request) {
  const declarations = (request.tools ?? []).flatMap(({ functionDeclarations = [] }) => functionDeclarations)
  return declarations.map(({ name, parametersJsonSchema, parameters }) =>
    tool(name, parametersJsonSchema ?? parameters),
  )
}

/** @param {Request} _request @param {string} pathname */
export const streams = (_request, pathname) => pathname.endsWith(':streamGenerateContent')

/** @param {Reply} reply */
export const whole = (reply) => frame([...partsOf(reply), ...callsOf(reply)], 'STOP')

/** The body of an HTTP error. @param {number} status */
export const failure = (status) => ({
  error: { code: status, message: sentence(status), status: states[status] ?? 'INTERNAL' },
})

/**
 * Streams a reply. @returns whether it came to its proper end
 * @param {Reply} reply @param {Request} _request @param {(text: string) => void} write
 */
export async function stream(reply, _request, write) {
  /** @param {object[]} parts @param {string} [finishReason] */
  const send = (parts, finishReason) => write(`data: ${JSON.stringify(frame(parts, finishReason))}\n\n`)
  if (reply.kind === 'hang') {
    write(': nothing follows\n\n')
    return false
  }
  for (const part of partsOf(reply)) {
    send([part])
    if (reply.pauseMs !== undefined) await delay(reply.pauseMs)
  }
  if (reply.kind === 'cut') return false
  for (const call of callsOf(reply)) send([call])
  send([{ text: '' }], 'STOP')
  return true
}

/** @param {object[]} parts @param {string} [finishReason] */
function frame(parts, finishReason) {
  const candidate = { content: { role: 'model', parts }, index: 0, ...(finishReason && { finishReason }) }
  return { candidates: [candidate], usageMetadata, modelVersion: 'mock' }
}

/** A thought comes in one piece, whose heading becomes its title. @param {Reply} reply */
const partsOf = ({ thought, words }) => [
  ...(thought === undefined ? [] : [{ text: `**Thinking** ${thought.join('')}`, thought: true }]),
  ...words.map((text) => ({ text })),
]

/** @param {Reply} reply */
const callsOf = ({ call }) =>
  call === undefined ? [] : [{ functionCall: { id: newId('call'), name: call.name, args: call.input } }]
