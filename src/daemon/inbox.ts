/** What others append to the session's file while the daemon runs: found by the doorbell, or by a slow poll. */
import { closeSync, fstatSync } from 'node:fs'
import { openLog } from '../log/read.js'
import { listen } from '../session/doorbell.js'
import type { Loose } from '../session/life.js'
import { SessionFold, type SessionState } from '../session/state.js'

/** For a bare `echo >>`, which rings nothing: it is to be found within a second. */
const POLL_MS = 500

export class Inbox {
  readonly #fd: number
  readonly #fold: SessionFold
  readonly #poll: NodeJS.Timeout
  #onEvent: (record: Loose) => void = () => undefined
  #stopListening: (() => void) | undefined

  /** Folds the file as it is. @throws NOT_FOUND */
  constructor(id: string, path: string) {
    this.#fd = openLog(path)
    this.#fold = new SessionFold(id)
    this.read()
    this.#poll = setInterval(() => {
      if (fstatSync(this.#fd).size !== this.#fold.offset) this.read()
    }, POLL_MS)
    this.#poll.unref()
  }

  get state(): SessionState {
    return this.#fold.state
  }

  /** From now on, hands each new record but output to `onEvent`, and reads when the doorbell rings. */
  async open(doorbell: string, onEvent: (record: Loose) => void): Promise<void> {
    this.#onEvent = onEvent
    this.#stopListening = await listen(doorbell, () => this.read())
    this.read()
  }

  /** Folds what is new, now. */
  read(): void {
    this.#fold.read(this.#fd, (record) => this.#onEvent(record))
  }

  /** The daemon wrote `bytes` itself: output alone need not be read back. */
  wrote(bytes: number, plain: boolean): void {
    if (!plain || !this.#fold.skip(bytes, fstatSync(this.#fd).size)) this.read()
  }

  close(): void {
    clearInterval(this.#poll)
    this.#stopListening?.()
    closeSync(this.#fd)
  }
}
