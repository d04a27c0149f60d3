/** What several formats have in common. */

/** Of every answer, so that costs mean nothing. */
export const USAGE = { input: 120, cached: 100, output: 17, total: 137 }

let serial = 0
/** @param {string} prefix */
export const newId = (prefix) => `${prefix}_mock_${process.pid}_${++serial}`

/** The text of a content that is a string or a list of parts. @param {unknown} content @returns {string} */
export function plain(content) {
  if (typeof content === 'string') return content
  return Array.isArray(content) ? content.map((part) => part?.text ?? '').join('\n') : ''
}

/** @type {Record<number, string>} */
const types = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  404: 'invalid_request_error',
  429: 'rate_limit_error',
}
/** @type {Record<number, string>} */
const codes = { 401: 'invalid_api_key', 404: 'model_not_found' }

/** @type {Record<number, string>} */
const sentences = {
  401: 'Incorrect API key provided: ',
  404: 'The model mock-model does not exist: ',
  429: 'Too many requests: ',
}

/** What a service says of an error: some agents hand on nothing else of it. @param {number} status */
export const sentence = (status) => `${sentences[status] ?? ''}mock error ${status}`

/** The body of an HTTP error, in both formats of OpenAI. @param {number} status */
export function openAiFailure(status) {
  const code = codes[status] ?? null
  return { error: { message: sentence(status), type: types[status] ?? 'server_error', param: null, code } }
}
