/**
 * ExecStopPost= of each session, and ExecStart= of agentz-failed@: the OS writes the last word. It runs also after
 * SIGKILL, out of memory, a watchdog kill and when the manager itself stops, in an environment that says how the daemon
 * ended (systemd.exec(5): SERVICE_RESULT, EXIT_CODE, EXIT_STATUS).
 */
import { toAgentzError } from '../base/errors.js'
import { createQuietLogger } from '../base/logger.js'
import { homePaths } from '../base/paths.js'
import { parseId } from '../session/id.js'
import { recordExit, recordFailure } from './exit.js'

async function main(args: string[]): Promise<void> {
  const failed = args[0] === 'failed'
  const id = parseId(args[failed ? 1 : 0])
  const home = homePaths()
  await (failed ? recordFailure(home, id, process.env) : recordExit(home, id, process.env))
}

main(process.argv.slice(2)).catch((thrown) => {
  const error = toAgentzError(thrown)
  createQuietLogger('reaper').error({ err: error }, error.message)
  process.exitCode = error.exit
})
