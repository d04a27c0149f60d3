/** Errors that agents answer with, in words, and what they mean. */
import type { Cause } from '../../session/events.js'
import type { End } from '../agent.js'
import { blame } from '../blame.js'
import { cut } from '../cut.js'
import { isObject, type Json, object, parseObject, string, text } from '../json.js'

/** Somebody has to log in. */
const AUTH_REQUIRED = -32000
const RESOURCE_NOT_FOUND = -32002
/** An error may be long (a whole HTTP answer); as a sentence it is not. */
const ERROR_BUDGET = 16 * 1024

/** Ends a start that cannot succeed. */
export class StartFailure extends Error {
  readonly end: End

  constructor(end: End) {
    super('error' in end ? end.error : end.kind)
    this.end = end
  }
}

export const died = (error: string, cause: Cause): StartFailure =>
  new StartFailure({ kind: 'died', error, cause: { ...cause, message: error }, again: false })

/** What an answer with an error says: some hide the sentence inside the data, or inside JSON. */
export function sentence(error: unknown): string {
  const said = textOf(error)
  return cut(string(hidden(said).message) ?? said, ERROR_BUDGET).content
}

function textOf(error: unknown): string {
  const { message, data } = object(error)
  const details = string(object(data).details)
  const told = (string(message) ?? 'no reason was given').replace(/^Internal error: /, '')
  return details !== undefined && /^internal error$/i.test(told) ? details : told
}

/** The error of the model's server, where it is the whole text. */
const hidden = (said: string): Json => object(parseObject(said)?.error)

export const isLogin = (error: unknown): boolean => object(error).code === AUTH_REQUIRED

export const isUnknownSession = (error: unknown): boolean => object(error).code === RESOURCE_NOT_FOUND

/** The cause of a turn that has failed with an error of the model. */
export function promptCause(error: unknown): Cause {
  const { code, data } = object(error)
  const { kind, errorKind, errorName } = object(data)
  const inner = hidden(textOf(error))
  return blame({
    message: sentence(error),
    status: httpStatus(object(error)) ?? httpStatus(inner),
    kinds: [kind, errorKind, errorName, inner.code, inner.type, inner.status, code],
  })
}

/** JSON-RPC has no codes between 400 and 599: where one stands there, it is that of HTTP. */
function httpStatus({ code, data }: Json): number | undefined {
  const { status, statusCode } = isObject(data) ? data : {}
  return [status, statusCode, code].map((value) => Number(text(value))).find((value) => value >= 400 && value < 600)
}
