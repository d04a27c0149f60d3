/** Statuses as people read them, and in which order sessions are looked at. */
import { textOf } from './text.js'

/** @type {Record<string, string>} */
const words = {
  waiting_approval: 'needs approval',
  waiting_input: 'needs an answer',
  running: 'working',
  pending: 'about to start',
  idle: 'idle',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  interrupted: 'interrupted',
}

/** Also those of a status that is not known here. */
const working = { name: 'working', title: 'Working', statuses: ['running', 'pending'] }
/** What needs an answer first, then what works. */
export const groups = [
  { name: 'needs', title: 'Need an answer', statuses: ['waiting_approval', 'waiting_input'] },
  working,
  { name: 'idle', title: 'Idle', statuses: ['idle'] },
  { name: 'finished', title: 'Finished', statuses: ['failed', 'interrupted', 'completed', 'cancelled'] },
]

export const live = groups.slice(0, 3).flatMap(({ statuses }) => statuses)
export const finished = groups.slice(3).flatMap(({ statuses }) => statuses)

/** @param {string} status */
export const isFinished = (status) => finished.includes(status)

/** @param {string} status */
export const groupOf = (status) => groups.find(({ statuses }) => statuses.includes(status)) ?? working

/** @param {{status: string, place?: number, frozen?: boolean, stalled?: number}} session */
export function statusWords({ status, place, frozen, stalled }) {
  const word = words[status] ?? status
  if (place !== undefined) return `queued, place ${place}`
  if (frozen) return `${word}, frozen`
  if (stalled !== undefined && status === 'running') return `${word}, silent for ${stalled} s`
  return word
}

/** Why it ended, in a line. In an event of a log all of it may be anything. @param {{cause?: any, error?: unknown}} session */
export function causeWords({ cause, error }) {
  const { result, message, code, status } = cause ?? {}
  const exit = [code, status].map(textOf).filter(Boolean).join(' ')
  return [result, message ?? error ?? exit].map(textOf).filter(Boolean).join(': ')
}
