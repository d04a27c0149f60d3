/** What is left of a session that nothing carries, as its own file tells it; it can be read on while a new daemon writes. */

import { closeSync, fstatSync, readSync } from 'node:fs'
import { asText } from '../base/field.js'
import { type Home, sessionLog } from '../base/paths.js'
import { openLog } from '../log/read.js'
import type { Loose } from '../session/life.js'
import { SessionFold, type SessionState } from '../session/state.js'
import { isLive, terminalStatuses } from '../session/status.js'

const ends: ReadonlySet<unknown> = new Set(terminalStatuses.map((status) => `session_${status}`))

/** So much of the end of a file tells whether something was said since a session has ended; a longer message fills it all. */
const LAST_WORDS = 8 * 1024

/** Whether a session that has ended may have been spoken to since: of thousands, few files are read whole. @throws what opening it throws */
export function mayBeSaid(home: Home, id: string): boolean {
  const fd = openLog(sessionLog(home, id))
  try {
    const { size } = fstatSync(fd)
    const bytes = Buffer.alloc(Math.min(size, LAST_WORDS))
    readSync(fd, bytes, 0, bytes.length, size - bytes.length)
    return bytes.includes('"user_message"') || bytes.indexOf('\n') >= bytes.length - 1
  } finally {
    closeSync(fd)
  }
}

export class Aftermath {
  readonly id: string
  /** Questions that were open at last; an end closes them in the fold. */
  asked = 0
  /** The boot in which its last daemon started. */
  bootId: string | undefined
  /** A recover has decided on it since. */
  decided: unknown
  /** When the agent or a person did something at last. */
  lastActivity = ''
  /** What was said to it since it has ended. */
  readonly #said = new Set<unknown>()
  #ended = false
  #exit: Loose | undefined
  #heard = 0
  readonly #fd: number
  readonly #fold: SessionFold

  /** @throws NOT_FOUND for a file without its first line; what opening it throws */
  constructor(home: Home, id: string) {
    this.id = id
    this.#fd = openLog(sessionLog(home, id))
    this.#fold = new SessionFold(id)
    try {
      this.read()
      this.lastActivity ||= this.#fold.state.createdAt
    } catch (error) {
      this.close()
      throw error
    }
  }

  get state(): SessionState {
    return this.#fold.state
  }

  /** The last daemon has gone without an end of the session, and this was its exit. */
  get exit(): Loose | undefined {
    return this.#ended ? undefined : this.#exit
  }

  /** It has ended, something was said to it since, and whoever said that was gone before it could be taken up again. */
  get wasSaid(): boolean {
    return [...this.#said].some((id) => this.state.messages.get(id as string)?.sent === false)
  }

  /** Output of agents so far, in lines. */
  get outputs(): number {
    return this.state.events - this.#heard
  }

  read(): SessionState {
    this.#fold.read(this.#fd, (record) => this.#look(record))
    return this.#fold.state
  }

  close(): void {
    closeSync(this.#fd)
  }

  #look(record: Loose): void {
    this.#heard++
    const { state } = this
    if (typeof record.epoch === 'number' && record.epoch < state.epoch) return
    if (record.by === 'agent' || record.by === 'user') this.lastActivity = asText(record.timestamp)
    if (record.type === 'daemon_started') {
      this.#ended = false
      this.#said.clear()
      this.#exit = this.decided = undefined
      this.bootId = record.bootId as string
    } else if (ends.has(record.type)) this.#ended = true
    else if (record.type === 'daemon_exited') this.#exit = record
    else if (record.type === 'user_message' && this.#ended) this.#said.add(record.messageId)
    else if (record.type === 'session_recovery') this.decided = record.action
    if (isLive(state.status) || record.type === 'daemon_exited') this.asked = state.approvals.size + state.inputs.size
  }
}
