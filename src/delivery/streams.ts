/**
 * The answers that go on for as long as the client likes: counted, capped, and ended when the server closes, or when the token by
 * which they were let in counts no more.
 */
import type { ServerResponse } from 'node:http'
import { AgentzError } from '../base/errors.js'

/** What a client that reads nothing may delay the server's end. */
const GRACE_MS = 200
/** How long a stream may outlive its token. */
const LOOK_MS = 1000

interface Stream {
  readonly controller: AbortController
  /** By which it was let in; undefined on the socket, which asks for none. */
  readonly token: string | undefined
}

export class Streams {
  readonly #live = new Map<ServerResponse, Stream>()
  readonly #most: number
  readonly #token: () => string
  #timer: NodeJS.Timeout | undefined
  #isOver = false

  /** @param token the one that counts now; may throw */
  constructor(most: number, token: () => string) {
    this.#most = most
    this.#token = token
  }

  get size(): number {
    return this.#live.size
  }

  /** @returns a signal that aborts when the client has gone, its token has, or the server closes. @throws TOO_MANY_STREAMS */
  open(response: ServerResponse, token?: string): AbortSignal {
    if (this.#live.size >= this.#most) {
      throw new AgentzError('TOO_MANY_STREAMS', `${this.#most} streams are open, which are the most`)
    }
    const controller = new AbortController()
    if (response.destroyed || this.#isOver) controller.abort()
    else {
      this.#live.set(response, { controller, token })
      this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref()
      response.once('close', () => {
        this.#live.delete(response)
        controller.abort()
        if (this.#live.size > 0) return
        clearInterval(this.#timer)
        this.#timer = undefined
      })
    }
    return controller.signal
  }

  /** Ends all streams; resolves when their connections are free or gone. */
  async end(): Promise<void> {
    this.#isOver = true
    const ended = [...this.#live].map(([response, { controller }]) => {
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

  #look(): void {
    const admitted = [...this.#live.values()].filter(({ token }) => token !== undefined)
    if (admitted.length === 0) return
    let now: string | undefined
    try {
      now = this.#token()
    } catch {
      // No request is let in either while the token cannot be read, and each is told why.
    }
    for (const { controller, token } of admitted) if (token !== now) controller.abort()
  }
}
