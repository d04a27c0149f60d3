/**
 * Where our own keeper runs the reaper, both may be killed, and nobody writes how the daemon has ended. The next start makes up for
 * it, before it says that it starts; until then, a session that nothing carries is shown as lost.
 */
import type { Home } from '../base/paths.js'
import { appendLifecycle } from '../session/lifecycle.js'
import { readSession } from '../session/state.js'
import type { Supervisor } from '../supervisor/supervisor.js'
import { goesOn } from './exit.js'

/** @returns whether the daemon is to run; else it was started too often, which is written */
export async function makeAmends(home: Home, id: string, supervisor: Supervisor): Promise<boolean> {
  const { lastWord, restarts } = supervisor.promises
  if (lastWord) return true
  const { epoch, pid, invocationId } = readSession(home, id)
  // An exit that is written takes the process away.
  if (epoch === 0 || pid === undefined) return true
  const exit = (await supervisor.lastExit(id)) ?? { result: 'lost' }
  const unit = supervisor.unitName(id)
  const exited = { type: 'daemon_exited' as const, sessionId: id, unit, invocationId, ...exit, manager: 'none' }
  await appendLifecycle(home, exited, 'supervisor', { epoch })
  // Whoever starts it by hand after that has reason to.
  return !restarts || goesOn(home, id, restarts)
}
