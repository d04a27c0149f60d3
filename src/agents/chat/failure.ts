/** Errors of the model and of the settings, as the protocol tells them: a sentence, and the HTTP status where there is one. */
import { RequestError } from '@agentclientprotocol/sdk'
import { APICallError, RetryError } from 'ai'
import { AgentzError, reason } from '../../base/errors.js'
import { object, string } from '../json.js'
import { SettingError } from './model.js'

const INTERNAL = -32603
const AUTH_REQUIRED = -32000
const INVALID_PARAMS = -32602

export const badParams = (message: string): RequestError => new RequestError(INVALID_PARAMS, message)

/** What a request has failed with. A defect stays what it is: the protocol's library tells of it. */
export function requestFailure(error: unknown): unknown {
  if (error instanceof SettingError) {
    return new RequestError(error.login ? AUTH_REQUIRED : INVALID_PARAMS, error.message)
  }
  return error instanceof AgentzError ? new RequestError(INTERNAL, error.message) : error
}

/** What a call of the model has failed with. */
export function modelFailure(error: unknown): RequestError {
  const last = RetryError.isInstance(error) ? error.lastError : error
  if (!APICallError.isInstance(last))
    return new RequestError(INTERNAL, `The model's answer broke off: ${told(last)}`, away)
  const { statusCode: status, message } = last
  if (status === undefined) return new RequestError(INTERNAL, `The model cannot be reached: ${message}`, away)
  if (status < 400) return new RequestError(INTERNAL, `The model's answer cannot be read: ${message}`, { status })
  const kind = kindOf(last.data)
  const data = kind === undefined ? { status } : { status, kind }
  return new RequestError(INTERNAL, `The model answered with HTTP status ${status}: ${message}`, data)
}

const away = { kind: 'unreachable' }

/** What the server calls the error: its code is the more exact one of the two. */
function kindOf(data: unknown): string | undefined {
  const { code, type } = object(object(data).error)
  return string(code) ?? string(type)
}

/** What is told inside of a stream is no Error, but what the server has sent. */
function told(error: unknown): string {
  return string(object(error).message) ?? string(object(object(error).error).message) ?? reason(error)
}
