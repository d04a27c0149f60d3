/** Following a session to its end from its file alone, with a look at its unit where the file falls silent. */
import { closeSync } from 'node:fs'
import { type Home, sessionLog } from '../base/paths.js'
import { parseRecord } from '../log/line.js'
import { type Damage, linesEnd, openIfThere, splitLines } from '../log/read.js'
import { tail } from '../log/tail.js'
import { applySession } from '../session/apply.js'
import { isOver, type Loose } from '../session/life.js'
import { beginning, readSession, type SessionState } from '../session/state.js'
import { isLive, type Status } from '../session/status.js'
import { readTrue, unitState } from '../supervisor/fleet.js'
import type { Supervisor } from '../supervisor/supervisor.js'
import { carries } from '../supervisor/truth.js'
import { EXIT } from './context.js'

/** A live session that says nothing for so long has its unit looked at. */
const SILENCE_MS = 2000

export interface FollowOptions {
  signal: AbortSignal
  /** Told of each record from `from` on, and how the session is then. */
  from?: number
  onRecord?: (record: Loose, state: SessionState) => void
  /** Told of each damaged line from `from` on. */
  onDamage?: (damage: Damage) => void
  /** After each batch; `isNow` is false while there is more that was in the file from the beginning. */
  onBatch?: (state: SessionState, isNow: boolean) => Promise<void> | void
  /** Ends the following before the session ends. */
  until?: (state: SessionState) => boolean
  /** Whether an end of the session counts; one that was there before it was taken up again does not. */
  counts?: (state: SessionState) => boolean
}

/**
 * Resolves with the state at the end of the run, or when `until` says so; undefined if aborted.
 * @throws NOT_FOUND for a file that holds no session
 */
export async function follow(
  home: Home,
  supervisor: Supervisor,
  id: string,
  options: FollowOptions,
): Promise<SessionState | undefined> {
  const { from = 0, onRecord } = options
  const path = sessionLog(home, id)
  const stop = new AbortController()
  const abort = () => stop.abort()
  options.signal.addEventListener('abort', abort, { once: true })
  if (options.signal.aborted) abort()
  let state: SessionState | undefined
  let lost: SessionState | undefined
  const watch = watchUnit(
    home,
    supervisor,
    id,
    () => state,
    stop.signal,
    (truth) => {
      lost = truth
      stop.abort()
    },
  )
  try {
    let known = wholeLines(path)
    if (known === 0) readSession(home, id)
    for await (const item of tail(path, { from: 0, signal: stop.signal })) {
      if (item.kind === 'reset') {
        state = undefined
        known = 0
        continue
      }
      const take = (start: number, end: number, offset: number) => {
        const record = parseRecord(item.bytes.subarray(start, end))
        if (record === undefined) return
        if (state === undefined) {
          const begun = beginning(record, id)
          if (typeof begun === 'string') return
          state = begun
        }
        applySession(state, record)
        state.offset = offset
        if (offset > from) onRecord?.(record, state)
      }
      splitLines(item.bytes, item.base, take, (damage) => {
        if (damage.at >= from) options.onDamage?.(damage)
      })
      watch.heard()
      // An end or a question in the middle of what was there already is history.
      const isNow = item.base + item.bytes.length >= known
      if (state === undefined) {
        if (isNow) readSession(home, id)
        continue
      }
      await options.onBatch?.(state, isNow)
      if (!isNow) continue
      if (options.until?.(state) || (isOver(state) && options.counts?.(state) !== false)) return state
    }
    return options.signal.aborted ? undefined : lost
  } finally {
    watch.close()
    stop.abort()
    options.signal.removeEventListener('abort', abort)
  }
}

/** Where the last whole line ends; 0 if the file is not there yet. */
function wholeLines(path: string): number {
  const fd = openIfThere(path)
  if (fd === undefined) return 0
  try {
    return linesEnd(fd)
  } finally {
    closeSync(fd)
  }
}

function watchUnit(
  home: Home,
  supervisor: Supervisor,
  id: string,
  state: () => SessionState | undefined,
  signal: AbortSignal,
  onLost: (truth: SessionState) => void,
) {
  let busy = false
  let heard = performance.now()
  const look = async () => {
    if (busy || state() === undefined || performance.now() - heard < SILENCE_MS) return
    busy = true
    try {
      const truth = await readTrue(home, supervisor, id)
      // Between two starts, or about to be taken up again.
      const between = !isLive(truth.status) && carries(await unitState(home, supervisor, id, truth))
      if (!signal.aborted && !isLive(truth.status) && !between) onLost(truth)
    } catch {
      // The manager cannot be asked just now; the file still tells.
    } finally {
      heard = performance.now()
      busy = false
    }
  }
  const timer = setInterval(look, SILENCE_MS / 2)
  return {
    heard: () => {
      heard = performance.now()
    },
    close: () => clearInterval(timer),
  }
}

/** The exit status of `wait` and attached `run` for a status. */
export function exitFor(status: Status): number {
  if (status === 'completed') return EXIT.ok
  if (status === 'failed') return EXIT.failed
  if (status === 'cancelled') return EXIT.cancelled
  return status === 'interrupted' ? EXIT.interrupted : EXIT.needsAnswer
}
