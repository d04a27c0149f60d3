/**
 * The daemon of one session: `daemon.cjs <id>`, run by the OS. Exit status 0 once a terminal event is written, whatever
 * became of the agent; anything else means that the daemon broke, and the OS starts it again.
 */
import { type AgentzError, toAgentzError } from '../base/errors.js'
import { createQuietLogger } from '../base/logger.js'
import { homePaths } from '../base/paths.js'
import { parseId } from '../session/id.js'
import { ownSupervisor } from '../supervisor/choose.js'
import { makeAmends } from './amends.js'
import { createNotify } from './notify.js'
import { runSession } from './run.js'

/**
 * sysexits: usage and configuration are final (see RestartPreventExitStatus), the others are tried again. After `taken`, where
 * nothing has begun, keep-session.sh runs no reaper.
 */
const EXIT = { usage: 64, software: 70, io: 74, taken: 75, config: 78 }

const statusFor = (error: AgentzError): number => {
  if (error.code === 'BAD_ID' || error.code === 'NOT_FOUND') return EXIT.usage
  if (error.code === 'CONFIG_INVALID' || error.code === 'HOME_UNUSABLE') return EXIT.config
  return error.code === 'LOG_WRITE' ? EXIT.io : EXIT.software
}

const log = createQuietLogger('daemon', { sessionId: process.argv[2]?.slice(0, 12) })
const die = async (thrown: unknown): Promise<void> => {
  const error = toAgentzError(thrown)
  log.fatal({ err: error }, error.message)
  await log.flushed()
  process.exit(statusFor(error))
}

process.on('uncaughtException', die)
process.on('unhandledRejection', die)

async function main(): Promise<void> {
  const id = parseId(process.argv[2])
  const home = homePaths()
  const supervisor = ownSupervisor(home)
  if ((await supervisor.isOnly?.(id)) === false) process.exit(EXIT.taken)
  if (!(await makeAmends(home, id, supervisor))) process.exit(EXIT.taken)
  const notify = createNotify(log)
  notify.watch()
  await runSession(home, id, { log, notify })
  await notify.heard()
  await log.flushed()
  process.exit(0)
}

main().catch(die)
