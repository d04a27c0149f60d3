/** A session as its own file tells it: the fold over everything that happened in it. */
import { closeSync } from 'node:fs'
import { AgentzError, errno } from '../base/errors.js'
import { type Home, sessionLog } from '../base/paths.js'
import { parseRecord } from '../log/line.js'
import { type Damage, type Line, openLog, readRecords } from '../log/read.js'
import { applySession, newState } from './apply.js'
import type { ReadCause } from './cause.js'
import type { Usage } from './events.js'
import { type Life, type Loose, textOf } from './life.js'
import type { Message } from './message.js'
import { type Budget, type Spec, specIn } from './spec.js'

export interface SessionState extends Life {
  spec: Spec
  /** The agent's own id of the conversation, and the mode it said it runs in. */
  nativeId?: string
  permissionMode?: string
  /** The agent has begun anew, and has not been told yet what was before. */
  anew: boolean
  /** Answered by nobody yet, in order; the whole request as it stands in the file. */
  approvals: Map<string, Loose>
  inputs: Map<string, Loose>
  /** Requests that were answered, with the first answer: a second one is a conflict. */
  answered: Map<string, Loose>
  /** Requests that nobody waits for any more, and why. */
  voided: Map<string, string>
  /** In order; the prompt is the first one. */
  messages: Map<string, Message>
  /** A cancel that no terminal event has followed yet. */
  cancelRequested: boolean
  /** The newest start that has ended; one that died before it could say that it had started counts here alone. */
  exited: number
  turns: number
  inTurn: boolean
  /** How the last turn has ended. */
  lastTurn?: { reason: string; error?: string; cause?: ReadCause }
  usage: Usage
  /** The part of `usage` that belongs to the turn that runs. */
  turnUsage: Usage
  /** Milliseconds in which the agent worked and waited for nobody. */
  activeMs: number
  /** Up to when that is counted, in milliseconds since 1970; undefined where nobody knows. */
  workedAt: number | undefined
  /** What answers have added to the budget. */
  granted: Required<Budget>
  /** The budget at which somebody decided to stop. */
  stopAt?: string
  /** Seconds of silence, while the agent is marked as stalled. */
  stalled?: number
  events: number
  ignored: number
  damaged: Damage[]
  /** The offset after the last whole line folded. */
  offset: number
}

const outputTypes = ['text', 'thinking', 'tool_use', 'tool_result', 'raw'] as const
/** Output lines need no parsing to know the state: their writer, the daemon, always puts the type first. */
const outputHeads = outputTypes.map((type) => Buffer.from(`{"type":"${type}"`))
const outputs: ReadonlySet<string> = new Set(outputTypes)

/** Whether an event is output: of no consequence for the state. */
export const isOutput = (type: string): boolean => outputs.has(type)

/**
 * Folds a session's file.
 * @throws NOT_FOUND if there is no such session, or its file has no session_created that can be read
 */
export function readSession(home: Home, id: string): SessionState {
  const path = sessionLog(home, id)
  let fd: number
  try {
    fd = openLog(path)
  } catch (error) {
    if (errno(error) === 'ENOENT') throw new AgentzError('NOT_FOUND', `there is no session ${id}`)
    throw error
  }
  try {
    const fold = new SessionFold(id)
    fold.read(fd)
    return fold.state
  } finally {
    closeSync(fd)
  }
}

/** A fold that can go on where it stopped, as the file grows. */
export class SessionFold {
  readonly #id: string
  #state: SessionState | undefined
  #offset = 0
  readonly #damaged: Damage[] = []
  /** What is wrong with what it begins with. */
  #refused: string | undefined

  constructor(id: string) {
    this.#id = id
  }

  /** Folds what is new in the open file. `onEvent` is told of each record but output. */
  read(fd: number, onEvent?: (record: Loose, offset: number) => void): void {
    this.#offset = readRecords(fd, { from: this.#offset, onDamage: (damage) => this.#damaged.push(damage) }, (line) =>
      this.#apply(line, onEvent),
    )
    if (this.#state !== undefined) this.#state.offset = this.#offset
  }

  /** Leaves out the next `bytes`, which the caller knows to be output, if nothing else stands before `end`. */
  skip(bytes: number, end: number): boolean {
    if (this.#offset + bytes !== end) return false
    this.#offset = end
    return true
  }

  get offset(): number {
    return this.#offset
  }

  /** Whether a session_created was read. */
  get hasBegun(): boolean {
    return this.#state !== undefined
  }

  /** @throws NOT_FOUND while no session_created was read */
  get state(): SessionState {
    if (this.#state !== undefined) return this.#state
    const why = this.#refused === undefined ? '' : `: ${this.#refused}`
    throw new AgentzError('NOT_FOUND', `the file of session ${this.#id} does not begin with session_created${why}`)
  }

  #apply(line: Line, onEvent?: (record: Loose, offset: number) => void): void {
    const { bytes } = line
    if (this.#state !== undefined && outputHeads.some((prefix) => bytes.subarray(0, prefix.length).equals(prefix))) {
      this.#state.events++
      return
    }
    const record = parseRecord(bytes)
    if (record === undefined) {
      this.#damaged.push({ at: line.offset - bytes.length - 1, length: bytes.length })
      return
    }
    this.#state ??= this.#begin(record)
    if (this.#state === undefined) return
    applySession(this.#state, record)
    onEvent?.(record, line.offset)
  }

  #begin(record: Loose): SessionState | undefined {
    const begun = beginning(record, this.#id, this.#damaged)
    if (typeof begun !== 'string') return begun
    this.#refused ??= begun
    return undefined
  }
}

/** The state of session `id` after its first record; in words what is wrong, if it cannot begin with that one. */
export function beginning(record: Loose, id: string, damaged: Damage[] = []): SessionState | string {
  if (record.type !== 'session_created') return `there is ${JSON.stringify(textOf(record.type).slice(0, 40))} instead`
  const spec = specIn(record.spec, id)
  return typeof spec === 'string' ? `spec.${spec}` : newState(record, spec, damaged)
}
