/**
 * ExecStopPost= of each session, and ExecStart= of agentz-failed@ and agentz-ended@: the OS writes the last word. It runs also after
 * SIGKILL, out of memory, a watchdog kill and when the manager itself stops, in an environment that says how the daemon
 * ended (systemd.exec(5): SERVICE_RESULT, EXIT_CODE, EXIT_STATUS). Then it starts whoever waits in the queue.
 */
import { toAgentzError } from '../base/errors.js'
import { createQuietLogger } from '../base/logger.js'
import { type Home, homePaths } from '../base/paths.js'
import { parseId } from '../session/id.js'
import { ownSupervisor } from '../supervisor/choose.js'
import { admit } from '../supervisor/queue.js'
import { managerState, recordEnd, recordExit, recordFailure } from './exit.js'

async function main(args: string[]): Promise<void> {
  const outside = { failed: recordFailure, ended: recordEnd }
  const how = args[0] === 'failed' || args[0] === 'ended' ? args[0] : undefined
  const id = parseId(args[how === undefined ? 0 : 1])
  const home = homePaths()
  await (how === undefined ? recordExit : outside[how])(home, id, process.env)
  // From within a sandbox nothing can be started: agentz-ended@ and agentz-failed@ do it then.
  if (how !== undefined || process.env.AGENTZ_SANDBOX === undefined) await startNext(home)
}

/** There may be room for a session that waits. One who fails here is run again by the OS, as one who was killed is. */
async function startNext(home: Home): Promise<void> {
  try {
    await admit(home, ownSupervisor(home))
  } catch (error) {
    // With the manager all sessions end; the queue is in the files, and goes on with the next one.
    if ((await managerState()) !== 'stopping') throw error
  }
}

main(process.argv.slice(2)).catch((thrown) => {
  const error = toAgentzError(thrown)
  createQuietLogger('reaper').error({ err: error }, error.message)
  process.exitCode = error.exit
})
