/** Bytes of a client as text. */
import { isUtf8 } from 'node:buffer'
import { AgentzError } from './errors.js'

/** @throws BAD_INPUT where it would have to be changed silently */
export function utf8(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString()
  throw new AgentzError('BAD_INPUT', 'the body of the request is not UTF-8')
}
