/**
 * Messages on their way into the thread. Codex answers at once that it will take one, and has it only when it says it again, as
 * an item with the id that it was given: until then it is in no history, and a turn that ends drops it.
 */
import type { Message } from '../agent.js'
import { RpcError } from './rpc.js'

interface Entry {
  readonly message: Message
  /** The turn that is to take it, once codex has named it. */
  turnId?: string | undefined
  /** The turn was begun with it. */
  begins: boolean
  /** The turn that runs takes none; the next one will. */
  waits: boolean
  resolve(): void
  reject(error: unknown): void
}

export class Outbox {
  readonly #start: (message: Message) => Promise<string>
  readonly #inTurn: () => boolean
  readonly #entries = new Map<string, Entry>()
  #begun: string | undefined
  #ended: string | undefined
  #closed = false

  /** @param start hands a message over, and resolves with the id of the turn that is to take it */
  constructor(start: (message: Message) => Promise<string>, inTurn: () => boolean) {
    this.#start = start
    this.#inTurn = inTurn
  }

  /** Resolves when codex has it. */
  send(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      const entry = { message, begins: false, waits: false, resolve, reject }
      this.#entries.set(message.messageId, entry)
      void this.#hand(entry)
    })
  }

  /** @returns whether somebody waited for that */
  taken(messageId: string): boolean {
    this.#entries.get(messageId)?.resolve()
    return this.#entries.delete(messageId)
  }

  /**
   * What the turn was to take and did not is handed over again; but not what it was begun with: somebody has interrupted that.
   * @returns whether somebody hears now that his message was taken
   */
  turnEnded(turnId: string): boolean {
    this.#ended = turnId
    const entries = [...this.#entries.values()].filter((entry) => entry.waits || entry.turnId === turnId)
    for (const entry of entries) this.#settle(entry)
    return entries.some(({ begins }) => begins)
  }

  /** Hands over nothing any more. */
  close(): void {
    this.#closed = true
  }

  fail(error: Error): void {
    for (const { reject } of this.#entries.values()) reject(error)
    this.#entries.clear()
  }

  async #hand(entry: Entry): Promise<void> {
    entry.turnId = undefined
    entry.waits = false
    try {
      const turnId = await this.#start(entry.message)
      if (this.#entries.get(entry.message.messageId) !== entry) return
      entry.begins = turnId !== this.#begun
      entry.turnId = turnId
      this.#begun = turnId
      if (turnId === this.#ended) this.#settle(entry)
    } catch (error) {
      // It is compacting the conversation, or the like.
      entry.waits = error instanceof RpcError && this.#inTurn()
      if (!entry.waits) this.#drop(entry, error)
    }
  }

  #settle(entry: Entry): void {
    if (entry.begins) this.taken(entry.message.messageId)
    else if (!this.#closed) void this.#hand(entry)
  }

  #drop(entry: Entry, error: unknown): void {
    this.#entries.delete(entry.message.messageId)
    entry.reject(error)
  }
}
