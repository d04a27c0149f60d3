/** What a recover does with a session that nothing carries: a pure function of what is left of it. */
import { asText } from '../base/field.js'
import type { Cause } from '../session/events.js'
import { isOver } from '../session/life.js'
import { isLive } from '../session/status.js'
import { isAbandoned, leftToDo } from '../session/unfinished.js'
import type { Aftermath } from './aftermath.js'
import { correction, type Moment } from './truth.js'

export interface Plan {
  readonly action: 'resume' | 'mark' | 'cancel'
  readonly why: string
  /** The end that is still to be written, if its file has none yet. */
  readonly cause?: Cause
}

type Left = Pick<Aftermath, 'state' | 'asked' | 'bootId' | 'exit' | 'decided' | 'wasSaid'>

/** @returns undefined for a session that is none of a recover's business */
export function planFor(left: Left, now: Moment): Plan | undefined {
  const { state, asked, decided } = left
  if (isOver(state) && left.wasSaid && !state.cancelRequested)
    return { action: 'resume', why: 'a message was said to it after it had ended' }
  if (!isAbandoned(state) || decided === 'marked') return undefined
  const { spec, status, epoch, cancelRequested } = state
  // It waits for its turn, or is just being created.
  if (status === 'pending' && (state.queuedAt !== undefined || correction(state, undefined, now) === undefined)) return
  const cause = missingCause(left, now)
  const end = cause === undefined ? {} : { cause }
  if (cancelRequested) return { action: 'cancel', why: 'somebody had cancelled it', ...end }
  if (spec.restart === 'mark') return { action: 'mark', why: 'it was created with --restart mark', ...end }
  if (spec.agentType === 'command') {
    if (epoch === 0) return { action: 'resume', why: 'its program was never run', ...end }
    return spec.restart === 'rerun'
      ? { action: 'resume', why: 'it was created with --restart rerun', ...end }
      : { action: 'mark', why: 'a program is run again only with --restart rerun', ...end }
  }
  const rest = leftToDo(state, asked)
  return rest === undefined
    ? { action: 'mark', why: 'its last turn had ended', ...end }
    : { action: 'resume', why: rest, ...end }
}

/** Why it was left, where nobody has written that down. */
function missingCause({ state, bootId, exit }: Left, now: Moment): Cause | undefined {
  if (isLive(state.status)) return correction(state, undefined, now)?.cause
  if (exit === undefined) return undefined
  const how = `its daemon had ended (${asText(exit.result)}), and nobody was left to start it again`
  if (exit.manager === 'stopping') return { result: 'log-out', message: `the user manager ended: ${how}` }
  return { result: bootId !== undefined && bootId !== now.boot ? 'reboot' : 'lost', message: how }
}
