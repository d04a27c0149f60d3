/** The API, and what it refuses, in its own words. */
import { h, withCode } from './dom.js'
import { hintWords, messageWords } from './hints.js'
import { sentence } from './text.js'

/** What the server answered instead of what was asked for; code OFFLINE where it does not answer. */
export class Refused extends Error {
  /** @param {{code: string, message: string, hint: string}} error */
  constructor({ code, message, hint }) {
    super(message)
    this.code = code
    this.hint = hint
  }
}

export const HOW = 'Run `agentz open` on the machine of this server, and take the address that it prints.'

/** @param {string} path @param {unknown} [body] sent by POST, if there is one @returns {Promise<any>} @throws Refused */
export const ask = (path, body) =>
  answerOf(
    path,
    body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    (response) => response.json(),
  )

/** What is no JSON. @param {string} path @param {Record<string, string>} [headers] @returns {Promise<string>} @throws Refused */
export const read = (path, headers = {}) => answerOf(path, { headers }, (response) => response.text())

/** @template T @param {string} path @param {RequestInit} request @param {(response: Response) => Promise<T>} take @returns {Promise<T>} */
async function answerOf(path, request, take) {
  let response
  let answer
  try {
    response = await fetch(path, request)
    if (response.ok) return await take(response)
    answer = await response.json()
  } catch {
    // Refused, broken off, or by something that is no server of ours.
    throw new Refused({ code: 'OFFLINE', message: 'the server does not answer', hint: 'Start it: `agentz serve`' })
  }
  if (answer?.error === undefined) {
    throw new Refused({
      code: 'INTERNAL',
      message: `what answers here is not agentz, or not well (${response.status})`,
      hint: 'Look at what `agentz serve` has said, or start it again.',
    })
  }
  // A code that is no good is another matter than a cookie that is not there.
  if (answer.error.code === 'UNAUTHORIZED' && path !== '/v1/login') {
    throw new Refused({ ...answer.error, message: 'you are not logged in', hint: HOW })
  }
  // The name of this page comes with the token, and is another one once that was changed.
  if (answer.error.code === 'WRONG_HOST') {
    throw new Refused({ ...answer.error, message: 'this address is not that of the server any more', hint: HOW })
  }
  const { code, message, hint } = answer.error
  throw new Refused({ code, message: messageWords(message), hint: hintWords(hint) })
}

/** @param {string} id */
export const sessionPath = (id) => `/v1/sessions/${encodeURIComponent(id)}`

/** An error as people read it: what, and what to do. @param {unknown} error @returns {HTMLElement} */
export function complaint(error) {
  if (!(error instanceof Refused)) throw error
  return h(
    'p',
    { class: 'complaint', role: 'alert' },
    h('strong', {}, sentence(error.message)),
    ' ',
    ...withCode(error.hint),
  )
}
