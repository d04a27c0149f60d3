/** Saying something to a session, whether it runs or has ended: then its unit is started again, and the conversation goes on. */
import { closeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { AgentzError, toAgentzError } from '../base/errors.js'
import { type Home, sessionLog } from '../base/paths.js'
import { openLog } from '../log/read.js'
import { appendControl } from '../session/control.js'
import type { EventOf } from '../session/events.js'
import { newMessageId } from '../session/message.js'
import { readSession, SessionFold } from '../session/state.js'
import { isLive } from '../session/status.js'
import { unitState } from './fleet.js'
import { placeOf, startInTurn } from './queue.js'
import type { Supervisor } from './supervisor.js'
import { carries } from './truth.js'

/** A unit that ends has its reaper run, which has 20 s to stop what is left. */
const PATIENCE_MS = 60_000
const LOOK_AGAIN_MS = 50
/** Else it would be sent once more, and then be there twice. */
const KEPT = 'The message is in the file, and is read when the session is taken up again, by whatever is sent next.'
/** A daemon that was started has spoken after a tenth of this. */
const BEGIN_MS = 3_000

export interface Said {
  readonly messageId: string
  /** The address of the message in the session's file. */
  readonly offset: number
  /** Whether the session had ended, and was started again. */
  readonly reopened: boolean
  /** Its place in the queue, from 1, if it has to wait for its turn. */
  readonly place?: number
}

export type Saying = Pick<EventOf<'user_message'>, 'content' | 'interrupt' | 'via'> & { messageId?: string | undefined }

/**
 * Appends a message and sees to it that a daemon reads it; resolves when both are certain.
 * @throws NOT_FOUND, BAD_INPUT, CONFLICT as appendControl; NO_MANAGER, UNIT_FAILED if a session that had ended cannot be started
 */
export async function sayTo(home: Home, supervisor: Supervisor, id: string, saying: Saying): Promise<Said> {
  const { messageId = newMessageId(), ...fields } = saying
  const { offset = 0 } = await appendControl(home, id, { type: 'user_message', messageId, ...fields })
  const end = performance.now() + PATIENCE_MS
  for (;;) {
    const state = readSession(home, id)
    // Another one who said something may have started it meanwhile.
    if (state.messages.get(messageId)?.sent) return { messageId, offset, reopened: false }
    const unit = await unitState(home, supervisor, id, state)
    // The daemon of a living session reads its file to the end, under the lock, before it ends.
    const restarts = state.status === 'interrupted' && unit?.sub === 'auto-restart'
    if (carries(unit) && (isLive(state.status) || restarts)) return { messageId, offset, reopened: false }
    if (unit === undefined && state.queuedAt !== undefined) {
      const place = await placeOf(home, supervisor, id)
      // Else it is being started.
      if (place !== undefined) return { messageId, offset, reopened: false, place }
    } else if (unit === undefined) {
      const begins = await start(supervisor, home, id)
      if (typeof begins === 'number') return { messageId, offset, reopened: true, place: begins }
      if (begins) {
        await begun(home, id, state.epoch)
        return { messageId, offset, reopened: true }
      }
    }
    if (performance.now() > end) {
      throw new AgentzError('TIMED_OUT', `the unit of session ${id} does not end (${unit?.active}, ${unit?.sub})`, {
        hint: KEPT,
      })
    }
    await delay(LOOK_AGAIN_MS)
  }
}

/** Until the file says so, whoever looks at the session finds it ended: `wait` right after `send` would be over at once. */
async function begun(home: Home, id: string, epoch: number): Promise<void> {
  const fd = openLog(sessionLog(home, id))
  try {
    const fold = new SessionFold(id)
    for (const end = performance.now() + BEGIN_MS; performance.now() < end; await delay(LOOK_AGAIN_MS / 2)) {
      fold.read(fd)
      if (fold.state.epoch > epoch) return
    }
  } finally {
    closeSync(fd)
  }
}

/** @returns false if somebody else was faster; its place in the queue if it has to wait */
async function start(supervisor: Supervisor, home: Home, id: string): Promise<boolean | number> {
  try {
    await supervisor.prepare()
    return (await startInTurn(home, supervisor, readSession(home, id).spec)) ?? true
  } catch (thrown) {
    if (carries(await unitState(home, supervisor, id, {}))) return false
    const error = toAgentzError(thrown)
    throw new AgentzError(error.code, error.message, { cause: error, hint: `${error.hint} ${KEPT}` })
  }
}
