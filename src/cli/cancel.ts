import { AgentzError } from '../base/errors.js'
import { sessionLog } from '../base/paths.js'
import type { Cause } from '../session/events.js'
import { frame } from '../session/frame.js'
import { appendLifecycle } from '../session/lifecycle.js'
import { readSession } from '../session/state.js'
import { isLive, type Status } from '../session/status.js'
import { cancelSession } from '../supervisor/cancel.js'
import { leftOver } from '../supervisor/choice.js'
import { supervisorOf } from '../supervisor/choose.js'
import { type Context, context, milliseconds, type Verb } from './context.js'
import { follow } from './follow.js'
import { chosen, forEach, type Many, someOrAll } from './many.js'
import { appendLine, print, say } from './terminal.js'

interface Args extends Many {
  timeout: string
  how?: boolean
}

export const verb: Verb<Args> = {
  command: 'cancel [id..]',
  describe: 'End sessions, or all; one that has ended stays as it is',
  build: (yargs) =>
    someOrAll(yargs).option('timeout', {
      alias: 't',
      type: 'string',
      default: '15',
      describe: 'Seconds for the agent to end by itself; then its unit is stopped',
    }) as never,
  handle: async (args) => {
    const ctx = context()
    const timeout = milliseconds(args.timeout)
    const known = await chosen(ctx, args)
    const ids = args.all ? [...known, ...(await leftOver(ctx.home, ctx.supervisor, known))] : known
    if (args.how) {
      const line = frame({ type: 'cancel_requested' }, 'user')
      await print(ids.map((id) => `${appendLine(line, sessionLog(ctx.home, id))}\n`).join(''))
      return 0
    }
    const told = (id: string, { done, status }: { done: boolean; status: Status }) =>
      `${id} ${done ? status : `was ${status} already`}`
    return forEach(ids, args, (id) => cancel(ctx, id, timeout), told)
  },
}

async function cancel({ home, supervisor }: Context, id: string, timeout: number) {
  try {
    const asked = await cancelSession(home, supervisor, id, 'cli')
    if (!asked.done || asked.stopped) return asked
    const state = await follow(home, supervisor, id, { signal: AbortSignal.timeout(timeout) })
    if (state !== undefined && state.cause?.result !== 'lost') return { status: state.status, done: true }
  } catch (error) {
    // A full disk takes no request, and is no reason to let the agent run on.
    if (!(error instanceof AgentzError) || error.code !== 'LOG_WRITE') throw error
    say(`agentz: ${error.message}; its unit is stopped instead`)
    await supervisorOf(home, supervisor, readSession(home, id)).stop(id)
    return { status: readSession(home, id).status, done: true }
  }
  // Its daemon does not answer: the OS ends the unit, and everything in it.
  await supervisorOf(home, supervisor, readSession(home, id)).stop(id)
  const cause: Cause = {
    result: 'cancelled',
    message: `cancelled on request; it did not end within ${timeout / 1000} s`,
  }
  const check = () => {
    const { status } = readSession(home, id)
    return isLive(status) || status === 'interrupted'
  }
  await appendLifecycle(home, { type: 'session_cancelled', sessionId: id, cause }, 'user', { check })
  return { status: readSession(home, id).status, done: true }
}
