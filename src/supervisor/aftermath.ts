/** What is left of a session that nothing carries, as its own file tells it; it can be read on while a new daemon writes. */
import { closeSync } from 'node:fs'
import { type Home, sessionLog } from '../base/paths.js'
import { openLog } from '../log/read.js'
import type { Loose } from '../session/life.js'
import { SessionFold, type SessionState } from '../session/state.js'
import { isLive, terminalStatuses } from '../session/status.js'

const ends: ReadonlySet<unknown> = new Set(terminalStatuses.map((status) => `session_${status}`))

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
    if (record.by === 'agent' || record.by === 'user') this.lastActivity = String(record.timestamp)
    if (record.type === 'daemon_started') {
      this.#ended = false
      this.#exit = this.decided = undefined
      this.bootId = record.bootId as string
    } else if (ends.has(record.type)) this.#ended = true
    else if (record.type === 'daemon_exited') this.#exit = record
    else if (record.type === 'session_recovery') this.decided = record.action
    if (isLive(state.status) || record.type === 'daemon_exited') this.asked = state.approvals.size + state.inputs.size
  }
}
