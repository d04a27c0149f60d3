import { setMaxListeners } from 'node:events'
import { sessionLog } from '../base/paths.js'
import { shellWords } from '../base/shell.js'
import { findSession } from '../session/find.js'
import type { SessionState } from '../session/state.js'
import { needsAnswer } from '../session/status.js'
import { sessionView } from '../session/view.js'
import { supervisorOf } from '../supervisor/choose.js'
import { readTrue } from '../supervisor/fleet.js'
import { context, EXIT, milliseconds, type Verb } from './context.js'
import { exitFor, follow } from './follow.js'
import { harmlessJson, print, say } from './terminal.js'

interface Args {
  id: string[]
  timeout?: string
  any?: boolean
  json?: boolean
  how?: boolean
}

export const verb: Verb<Args> = {
  command: 'wait <id..>',
  describe: 'Wait until sessions end, or one needs an answer (exit status 4)',
  build: (yargs) =>
    yargs
      .positional('id', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'Ids, unique prefixes, titles, or latest',
      })
      .option('timeout', { alias: 't', type: 'string', describe: 'Give up after so many seconds (exit status 124)' })
      .option('any', { type: 'boolean', describe: 'Until the first of them ends' })
      .epilogue(
        'Exit status: 0 completed, 10 failed, 11 cancelled, 12 interrupted; of several, that of the first which is not 0.',
      ) as never,
  handle: async (args) => {
    const { home, supervisor } = context()
    const ids = args.id.map((text) => findSession(home, text))
    if (args.how) {
      const end = '"type":"session_(completed|failed|cancelled|interrupted)"'
      const loop = (log: string) => `until grep -E ${shellWords([end])} ${shellWords([log])}; do sleep 1; done`
      await print(ids.map((id) => `${loop(sessionLog(home, id))}\n`).join(''))
      return 0
    }
    const { timeout } = args
    const signal = timeout === undefined ? new AbortController().signal : AbortSignal.timeout(milliseconds(timeout))
    // Each session listens to it; Node warns from the eleventh on.
    setMaxListeners(0, signal)
    const waits = ids.map((id) => follow(home, supervisor, id, { signal, until: ({ status }) => needsAnswer(status) }))
    const ends = args.any ? [await Promise.race(waits)] : await Promise.all(waits)
    let status: number = EXIT.ok
    for (const state of ends) {
      if (state !== undefined) await tell(state)
      status ||= state === undefined ? EXIT.timedOut : exitFor(state.status)
    }
    for (const [at, state] of ends.entries()) {
      const id = ids[at] ?? ''
      if (state === undefined)
        say(
          `agentz: timed out; ${args.any ? 'none has ended' : `${id} is ${(await readTrue(home, supervisor, id)).status}`}`,
        )
    }
    // The others of --any are still being followed.
    if (args.any) process.exit(status)
    return status

    async function tell(state: SessionState): Promise<void> {
      const { sessionId } = state.spec
      const unit = supervisorOf(home, supervisor, state).unitName(sessionId)
      const view = sessionView(state, { log: sessionLog(home, sessionId), unit })
      await print(args.json ? `${harmlessJson(JSON.stringify(view))}\n` : `${sessionId} ${state.status}\n`)
    }
  },
}
