/** What was no HTTP at all never becomes a request; it gets the words of all errors all the same. Nor does one that is not sent to its end in time. */
import type { Socket } from 'node:net'
import { AgentzError, errno } from '../base/errors.js'
import { errorBody } from '../base/hints.js'

/** @returns the status that was answered; undefined where there is nobody, or nothing, to be told */
export function refuseConnection(error: Error, socket: Socket): number | undefined {
  // Browsers connect ahead, and then may have nothing to ask.
  if (errno(error) === 'ECONNRESET' || !socket.writable || socket.bytesRead === 0) {
    socket.destroy()
    return undefined
  }
  const isLate = errno(error) === 'ERR_HTTP_REQUEST_TIMEOUT'
  const why = isLate ? 'the request was not sent to its end in time' : `this is not an HTTP request: ${error.message}`
  const body = JSON.stringify(errorBody(new AgentzError('BAD_INPUT', why)))
  const head = ['HTTP/1.1 400 Bad Request', 'Content-Type: application/json; charset=utf-8', 'Connection: close']
  // Whoever does not read it must not keep the connection.
  const timer = setTimeout(() => socket.destroy(), 1000)
  socket.once('close', () => clearTimeout(timer))
  socket.end(`${head.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  return 400
}
