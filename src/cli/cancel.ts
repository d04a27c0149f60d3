import { AgentzError } from '../base/errors.js'
import { sessionLog } from '../base/paths.js'
import { findSession } from '../session/find.js'
import { frame } from '../session/frame.js'
import { appendLifecycle } from '../session/lifecycle.js'
import { readSession } from '../session/state.js'
import { isLive } from '../session/status.js'
import { cancelSession } from '../supervisor/cancel.js'
import { type Context, context, EXIT, seconds, type Verb } from './context.js'
import { follow } from './follow.js'
import { appendLine, print, say } from './terminal.js'

interface Args {
  id: string[]
  timeout: string
  json?: boolean
  how?: boolean
}

export const verb: Verb<Args> = {
  command: 'cancel <id..>',
  describe: 'End sessions; one that has ended stays as it is',
  build: (yargs) =>
    yargs
      .positional('id', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'Ids, unique prefixes, titles, or latest',
      })
      .option('timeout', {
        alias: 't',
        type: 'string',
        default: '15',
        describe: 'Seconds for the agent to end by itself; then its unit is stopped',
      }) as never,
  handle: async (args) => {
    const ctx = context()
    const ids = args.id.map((text) => findSession(ctx.home, text))
    const timeout = seconds(args.timeout)
    if (args.how) {
      const line = frame({ type: 'cancel_requested' }, 'user')
      await print(ids.map((id) => `${appendLine(line, sessionLog(ctx.home, id))}\n`).join(''))
      return 0
    }
    const statuses = await Promise.all(ids.map((id) => cancel(ctx, id, timeout * 1000)))
    for (const [at, result] of statuses.entries()) {
      if (args.json) await print(`${JSON.stringify({ sessionId: ids[at], ...result })}\n`)
      else say(`${ids[at]} ${result.done ? result.status : `was ${result.status} already`}`)
    }
    return EXIT.ok
  },
}

async function cancel({ home, supervisor }: Context, id: string, timeout: number) {
  try {
    const asked = await cancelSession(home, supervisor, id, 'cli')
    if (!asked.done) return asked
    const state = await follow(home, supervisor, id, { signal: AbortSignal.timeout(timeout) })
    if (state !== undefined && state.cause?.result !== 'lost') return { status: state.status, done: true }
  } catch (error) {
    // A full disk takes no request, and is no reason to let the agent run on.
    if (!(error instanceof AgentzError) || error.code !== 'LOG_WRITE') throw error
    say(`agentz: ${error.message}; its unit is stopped instead`)
    await supervisor.stop(id)
    return { status: readSession(home, id).status, done: true }
  }
  // Its daemon does not answer: the OS ends the unit, and everything in it.
  await supervisor.stop(id)
  const cause = { result: 'cancelled', message: `cancelled on request; it did not end within ${timeout / 1000} s` }
  const check = () => {
    const { status } = readSession(home, id)
    return isLive(status) || status === 'interrupted'
  }
  await appendLifecycle(home, { type: 'session_cancelled', sessionId: id, cause }, 'user', { check })
  return { status: readSession(home, id).status, done: true }
}
