/** A conversation: where it works, how freely, with which model, and what has been said. */
import type { History } from './history.js'
import type { Source } from './model.js'
import type { ChatMode } from './modes.js'
import type { Place } from './tools/place.js'
import { tools } from './tools/tools.js'

export class Session {
  readonly history: History
  readonly place: Place
  /** What processes of tools get. */
  readonly toolEnv: NodeJS.ProcessEnv
  mode: ChatMode = 'default'
  modelName: string
  readonly #source: Source
  #turn: { readonly stop: AbortController; readonly over: Promise<unknown> } | undefined

  constructor(history: History, place: Place, source: Source, modelName: string | undefined, env: NodeJS.ProcessEnv) {
    this.history = history
    this.place = place
    this.#source = source
    this.modelName = modelName ?? source.defaultModel
    // The key is for the model's server. A command that prints its environment must not show it.
    const { CEREBRAS_API_KEY: _, ...rest } = env
    this.toolEnv = rest
  }

  get id(): string {
    return this.history.sessionId
  }

  get model() {
    return this.#source.model(this.modelName)
  }

  get tools() {
    return [...tools.values()]
  }

  get isBusy(): boolean {
    return this.#turn !== undefined
  }

  /** Runs a turn, which can be stopped. */
  async during<T>(turn: (stop: AbortController) => Promise<T>): Promise<T> {
    const stop = new AbortController()
    const running = turn(stop)
    this.#turn = { stop, over: running }
    try {
      return await running
    } finally {
      this.#turn = undefined
    }
  }

  cancel(): void {
    this.#turn?.stop.abort()
  }

  /**
   * Stops the turn and tells nobody, the history least of all: a question stays open in it, and what was begun stays begun. Resolves when
   * its tools are gone.
   */
  async leave(): Promise<void> {
    this.history.freeze()
    this.cancel()
    await this.#turn?.over.catch(() => undefined)
  }
}
