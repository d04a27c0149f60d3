/** What an agent says to one message, from the events of its session. */
import { asText } from '../base/field.js'
import type { Loose } from '../session/life.js'

export interface TurnEnd {
  readonly reason: 'completed' | 'interrupted' | 'failed'
  readonly error?: string
}

export class Reply {
  #messageId: string
  #texts: string[] = []
  #sent = false
  #accepted = false
  #end: TurnEnd | undefined
  #isOver = false

  constructor(messageId: string) {
    this.#messageId = messageId
  }

  /** The agent has been given the message. */
  get sent(): boolean {
    return this.#sent
  }

  /** The turn that answered it has ended, and is not gone on with. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** How the last turn of it has ended. */
  get end(): TurnEnd | undefined {
    return this.#end
  }

  get text(): string {
    return this.#texts.join('\n')
  }

  hear(record: Loose): void {
    if (this.#isOver) return
    const { type, messageId, content, partial } = record
    switch (type) {
      case 'message_sent':
        if (messageId === this.#messageId) this.#begin()
        else if (this.#end !== undefined) this.#isOver = true
        break
      case 'message_accepted':
        if (messageId === this.#messageId) this.#accepted = true
        break
      case 'text':
        if (this.#sent && partial === undefined) this.#texts.push(asText(content))
        break
      case 'turn_started':
        if (this.#end !== undefined) this.#isOver = true
        break
      case 'turn_ended':
        if (this.#accepted) this.#ended(record as unknown as TurnEnd)
        break
      case 'user_message':
        // Broken off from outside: the daemon asks the agent to go on, and what it says then belongs to the same message.
        if (this.#end !== undefined && record.by === 'daemon') this.#goOn(asText(messageId))
    }
  }

  /** What was said before the agent had the message belongs to an earlier one. */
  #begin(): void {
    this.#sent = true
    if (this.#end === undefined) this.#texts = []
    this.#end = undefined
  }

  #ended(end: TurnEnd): void {
    this.#end = end
    this.#isOver = end.reason !== 'interrupted'
  }

  #goOn(messageId: string): void {
    this.#messageId = messageId
    this.#accepted = false
  }
}
