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
const types = { 400: 'invalid_request_error', 401: 'authentication_error', 429: 'rate_limit_error' }

/** The body of an HTTP error, in both formats of OpenAI. @param {number} status */
export function openAiFailure(status) {
  const code = status === 401 ? 'invalid_api_key' : null
  return { error: { message: `mock error ${status}`, type: types[status] ?? 'server_error', param: null, code } }
}
