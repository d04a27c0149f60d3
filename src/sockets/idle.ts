/** When a server has nothing to do: no request is open, which a stream is for as long as it lasts, and none has been for some time. */
import type { Server } from 'node:http'
import { inTurn } from './turn.js'

export class Idle {
  readonly #ms: number
  readonly #done: () => void
  #open = 0
  #timer: NodeJS.Timeout | undefined

  /** @param done is called whenever so much time has passed in silence */
  constructor(ms: number, done: () => void) {
    this.#ms = ms
    this.#done = done
  }

  /** From now on. Several servers count as one. */
  watch(server: Server): void {
    this.#wait()
    // Who has come in is about to ask.
    server.on('connection', () => this.#wait())
    server.on('request', (_, response) =>
      inTurn(response, () => {
        this.#open++
        this.#wait()
        response.once('close', () => {
          this.#open--
          this.#wait()
        })
      }),
    )
  }

  #wait(): void {
    clearTimeout(this.#timer)
    if (this.#open === 0) this.#timer = setTimeout(this.#done, this.#ms).unref()
  }
}
