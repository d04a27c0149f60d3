/**
 * Requests that one connection sends without waiting for answers. Node hands each of them over at once, and lets an answer have the
 * connection when the one before has ended; one whose connection has gone meanwhile is never told. Whatever is held for it then, a file or a
 * place among those who follow, would be held for ever.
 */
import type { ServerResponse } from 'node:http'

/** Begins when the answer has its connection: its end is told from then on. Never, if there is none for it any more. */
export function inTurn(response: ServerResponse, begin: () => void): void {
  if (response.socket === null) response.once('socket', () => begin())
  else begin()
}
