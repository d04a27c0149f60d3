/** The answers that go on for as long as the client likes: counted, capped, and ended when the server closes. */
import type { ServerResponse } from 'node:http'
import { AgentzError } from '../base/errors.js'

/** What a client that reads nothing may delay the server's end. */
const GRACE_MS = 200

export class Streams {
  readonly #live = new Map<ServerResponse, AbortController>()
  readonly #most: number

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#live.size
  }

  /** @returns a signal that aborts when the client has gone, or the server closes. @throws TOO_MANY_STREAMS */
  open(response: ServerResponse): AbortSignal {
    if (this.#live.size >= this.#most) {
      throw new AgentzError('TOO_MANY_STREAMS', `${this.#most} streams are open, which are the most`)
    }
    const controller = new AbortController()
    if (response.destroyed) controller.abort()
    else {
      this.#live.set(response, controller)
      response.once('close', () => {
        this.#live.delete(response)
        controller.abort()
      })
    }
    return controller.signal
  }

  /** Ends all streams; resolves when their connections are free or gone. */
  async end(): Promise<void> {
    const ended = [...this.#live].map(([response, controller]) => {
      controller.abort()
      return new Promise<void>((resolve) => {
        const late = setTimeout(() => response.destroy(), GRACE_MS)
        response.once('close', () => {
          clearTimeout(late)
          resolve()
        })
      })
    })
    await Promise.all(ended)
  }
}
