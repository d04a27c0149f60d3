/** Bytes of a client as text. */
import { AgentzError } from './errors.js'

/** @throws BAD_INPUT where it would have to be changed silently */
export function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new AgentzError('BAD_INPUT', 'the body of the request is not UTF-8', { cause: error })
  }
}
