/** A session as its own file tells it: the fold over everything that happened in it. */
import { closeSync } from 'node:fs'
import { AgentzError, errno } from '../base/errors.js'
import { type Home, sessionLog } from '../base/paths.js'
import { type Damage, type Line, openLog, readRecords } from '../log/read.js'
import { applyLife, type Life, type Loose, newLife } from './life.js'
import type { Spec } from './spec.js'

export interface Message {
  messageId: string
  content: string
  sent: boolean
  accepted: boolean
  interrupt: boolean
}

export interface SessionState extends Life {
  spec: Spec
  /** The agent's own id of the conversation, and the mode it said it runs in. */
  nativeId?: string
  permissionMode?: string
  /** Answered by nobody yet, in order; the whole request as it stands in the file. */
  approvals: Map<string, Loose>
  /** Requests that were answered or voided: a second answer is a conflict, not unknown. */
  settled: Set<string>
  inputs: Map<string, Loose>
  messages: Map<string, Message>
  /** A cancel that no terminal event has followed yet. */
  cancelRequested: boolean
  turns: number
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
 * @throws NOT_FOUND if there is no such session, or its file has no session_created
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

  /** @throws NOT_FOUND while no session_created was read */
  get state(): SessionState {
    if (this.#state === undefined) {
      throw new AgentzError('NOT_FOUND', `the file of session ${this.#id} does not begin with session_created`)
    }
    return this.#state
  }

  #apply(line: Line, onEvent?: (record: Loose, offset: number) => void): void {
    const { bytes } = line
    if (this.#state !== undefined && outputHeads.some((prefix) => bytes.subarray(0, prefix.length).equals(prefix))) {
      this.#state.events++
      return
    }
    let record: Loose
    try {
      record = JSON.parse(bytes.toString('utf8'))
    } catch {
      this.#damaged.push({ at: line.offset - bytes.length - 1, length: bytes.length })
      return
    }
    this.#state ??= isCreation(record) ? newState(record, this.#damaged) : undefined
    if (this.#state === undefined) return
    applySession(this.#state, record)
    onEvent?.(record, line.offset)
  }
}

const isCreation = ({ type, spec }: Loose): boolean =>
  type === 'session_created' && typeof spec === 'object' && spec !== null

export function newState(created: Loose, damaged: Damage[] = []): SessionState {
  return {
    ...newLife(String(created.timestamp)),
    spec: created.spec as Spec,
    approvals: new Map(),
    settled: new Set(),
    inputs: new Map(),
    messages: new Map(),
    cancelRequested: false,
    turns: 0,
    events: 0,
    ignored: 0,
    damaged,
    offset: 0,
  }
}

/** Applies one record, in place. */
export function applySession(state: SessionState, record: Loose): void {
  state.events++
  // A daemon that was thought dead and is not: what it still writes counts for nothing.
  if (typeof record.epoch === 'number' && record.epoch < state.epoch) return
  if (typeof record.type !== 'string') {
    state.ignored++
    return
  }
  const known = applyLife(state, record)
  // Own ones only: a type may be called "__proto__" or "valueOf".
  if (Object.hasOwn(handlers, record.type)) handlers[record.type]?.(state, record)
  else if (!known && !quiet.has(record.type)) state.ignored++
  // An approval that is still open keeps the session waiting, whichever other one was answered.
  if (state.status === 'running' && state.approvals.size > 0) state.status = 'waiting_approval'
  if (state.status === 'running' && state.inputs.size > 0) state.status = 'waiting_input'
}

/** Known, and without consequence for the state. */
const quiet = new Set([
  'session_created',
  'plan',
  'usage',
  'system',
  'error',
  'text',
  'thinking',
  'raw',
  'tool_use',
  'tool_result',
  'turn_ended',
  'status_change',
])

const settle = (state: SessionState, requests: Map<string, Loose>, record: Loose) => {
  const requestId = record.requestId as string
  if (requests.delete(requestId)) state.settled.add(requestId)
}

const handlers: Record<string, (state: SessionState, record: Loose) => void> = {
  daemon_started: (state) => {
    // The agent died with its daemon, so nobody waits for these answers any more.
    for (const requestId of [...state.approvals.keys(), ...state.inputs.keys()]) state.settled.add(requestId)
    state.approvals.clear()
    state.inputs.clear()
  },
  turn_started: (state) => void state.turns++,
  agent_session: (state, { nativeId, permissionMode }) => {
    state.nativeId = nativeId as string
    if (permissionMode !== undefined) state.permissionMode = permissionMode as string
  },
  approval_request: (state, record) => void state.approvals.set(record.requestId as string, record),
  approval_response: (state, record) => settle(state, state.approvals, record),
  approval_voided: (state, record) => settle(state, state.approvals, record),
  input_request: (state, record) => void state.inputs.set(record.requestId as string, record),
  input_response: (state, record) => settle(state, state.inputs, record),
  user_message: (state, { messageId, content, interrupt }) =>
    void state.messages.set(messageId as string, {
      messageId: messageId as string,
      content: content as string,
      sent: false,
      accepted: false,
      interrupt: interrupt === true,
    }),
  message_sent: (state, { messageId }) => {
    const message = state.messages.get(messageId as string)
    if (message !== undefined) message.sent = true
  },
  message_accepted: (state, { messageId }) => {
    const message = state.messages.get(messageId as string)
    if (message !== undefined) message.accepted = true
  },
  cancel_requested: (state) => {
    state.cancelRequested = true
  },
  session_cancelled: (state) => {
    state.cancelRequested = false
  },
}
