/**
 * ExecStopPost= of each session, and ExecStart= of agentz-failed@ and agentz-ended@: the OS writes the last word. It runs also after
 * SIGKILL, out of memory, a watchdog kill and when the manager itself stops, in an environment that says how the daemon
 * ended (systemd.exec(5): SERVICE_RESULT, EXIT_CODE, EXIT_STATUS). Then it starts whoever waits in the queue. Where the system has
 * no such thing, units/keep-session.sh runs it, and hands on its exit status: not 0 where the daemon is to be started again.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { AgentzError, toAgentzError } from '../base/errors.js'
import { createQuietLogger } from '../base/logger.js'
import { type Home, homePaths } from '../base/paths.js'
import { killMarked } from '../base/tree.js'
import { parseId } from '../session/id.js'
import { ownSupervisor } from '../supervisor/choose.js'
import { admit } from '../supervisor/queue.js'
import type { Supervisor } from '../supervisor/supervisor.js'
import { managerState, recordEnd, recordExit, recordFailure } from './exit.js'

const AGAIN = 1
const RETRY_MS = 100
/** With all else that a reaper may wait for, below TimeoutStopSec. */
const PATIENCE_MS = 6_000

async function main(args: string[]): Promise<void> {
  const outside = { failed: recordFailure, ended: recordEnd }
  const how = args[0] === 'failed' || args[0] === 'ended' ? args[0] : undefined
  const id = parseId(args[how === undefined ? 0 : 1])
  const home = homePaths()
  const supervisor = ownSupervisor(home)
  if (how !== undefined) await whileFull(() => outside[how](home, id, process.env, supervisor))
  else {
    // What the daemon has left running; elsewhere the system ends it.
    if (!supervisor.promises.lastWord) await killMarked(id)
    const again = await whileFull(() => recordExit(home, id, process.env, supervisor))
    if (again && !supervisor.promises.lastWord) process.exitCode = AGAIN
  }
  // From within a sandbox nothing can be started: agentz-ended@ and agentz-failed@ do it then.
  if (how !== undefined || process.env.AGENTZ_SANDBOX === undefined) await whileFull(() => startNext(home, supervisor))
}

/** A disk may be full for a moment, and who cannot write the last word now has no other chance. Each attempt goes on with the one before. */
async function whileFull<T>(work: () => Promise<T>): Promise<T> {
  for (const end = performance.now() + PATIENCE_MS; ; ) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof AgentzError) || error.code !== 'LOG_WRITE' || performance.now() > end) throw error
      await delay(RETRY_MS)
    }
  }
}

/** There may be room for a session that waits. One who fails here is run again by the OS, as one who was killed is. */
async function startNext(home: Home, supervisor: Supervisor): Promise<void> {
  try {
    await admit(home, supervisor)
  } catch (error) {
    // With the manager all sessions end; the queue is in the files, and goes on with the next one.
    if (!supervisor.promises.lastWord || (await managerState()) !== 'stopping') throw error
  }
}

main(process.argv.slice(2)).catch((thrown) => {
  const error = toAgentzError(thrown)
  createQuietLogger('reaper').error({ err: error }, error.message)
  process.exitCode = error.exit
})
