/** Session ids: 12 lower-case hex characters. One schema, checked at every entry point. */
import { randomBytes } from 'node:crypto'
import * as z from 'zod/mini'
import { AgentzError } from '../base/errors.js'

const pattern = /^[0-9a-f]{12}$/

export const SessionId = z.string().check(z.regex(pattern, 'a session id is 12 characters of 0-9a-f'))

export const newId = (): string => randomBytes(6).toString('hex')

/** For the hot path of registry read-back: the same check without building an error. */
export const isId = (value: unknown): value is string => typeof value === 'string' && pattern.test(value)

/** The value is shown cut and escaped, since it may be anything. */
export const badId = (value: unknown): AgentzError =>
  new AgentzError('BAD_ID', `${JSON.stringify(String(value).slice(0, 80))} is not a session id`)

/** @throws BAD_ID */
export function parseId(value: unknown): string {
  const result = SessionId.safeParse(value)
  if (result.success) return result.data
  throw badId(value)
}
