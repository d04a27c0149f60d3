/** One session as `--json` and the API show it: the fields scripts hold on to. */
import { meaningOf, nextStep, type ReadCause } from './cause.js'
import type { Metadata, Usage } from './events.js'
import type { Loose } from './life.js'
import type { Budget } from './spec.js'
import type { SessionState } from './state.js'
import type { Status } from './status.js'

export interface SessionView {
  sessionId: string
  agentType: string
  status: Status
  title: string
  workingDir: string
  prompt: string
  command?: string[]
  model?: string
  permissionMode?: string
  labels?: Record<string, string>
  parent?: string
  unit: string
  pid?: number
  bootId?: string
  createdAt: string
  updatedAt: string
  epoch: number
  restarts: number
  cause?: ReadCause
  /** What the word of the cause stands for, and what to do about it. */
  advice?: string
  error?: string
  metadata?: Metadata
  nativeId?: string
  usage?: Usage
  turns: number
  /** Milliseconds in which its agent worked and waited for nobody. */
  activeMs: number
  budget?: Budget
  stalled?: number
  frozen?: true
  /** Since when it waits for its turn, and its place in the queue, from 1. */
  queuedAt?: string
  place?: number
  /** Messages that the agent has not taken yet. */
  queued: number
  approvals: Loose[]
  inputs: Loose[]
  log: string
  offset: number
  events: number
  damaged: number
}

export function sessionView(
  state: SessionState,
  where: { log: string; unit: string; place?: number | undefined },
): SessionView {
  const { spec, status, pid, bootId, createdAt, updatedAt, epoch, restarts, cause, error, metadata, nativeId } = state
  const { sessionId, agentType, title, workingDir, prompt, command, model, labels, parent } = spec
  const meaning = meaningOf(cause?.result)
  return {
    ...{ sessionId, agentType, status, title, workingDir, prompt, command, model },
    permissionMode: state.permissionMode ?? spec.permissionMode,
    ...{
      labels,
      parent,
      unit: where.unit,
      pid,
      bootId,
      createdAt,
      updatedAt,
      epoch,
      restarts,
      cause,
      advice: meaning && `${meaning.says} ${nextStep(meaning, { agentType, unit: where.unit })}`,
      error,
      metadata,
      nativeId,
      usage: state.usage,
      turns: state.turns,
      activeMs: state.activeMs,
      budget: spec.budget,
      stalled: state.stalled,
      frozen: state.frozen,
      queuedAt: state.queuedAt,
      place: where.place,
    },
    queued: [...state.messages.values()].filter((message) => !message.accepted).length,
    approvals: [...state.approvals.values()],
    inputs: [...state.inputs.values()],
    log: where.log,
    offset: state.offset,
    events: state.events,
    damaged: state.damaged.length,
  }
}
