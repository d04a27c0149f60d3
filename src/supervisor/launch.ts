/** From a specification to a running unit: what `run` and POST /v1/sessions share. */

import { toAgentzError } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import type { Environment } from '../session/environment.js'
import type { Cause } from '../session/events.js'
import { appendLifecycle } from '../session/lifecycle.js'
import type { Spec } from '../session/spec.js'
import { readSession } from '../session/state.js'
import { isLive } from '../session/status.js'
import { createSession } from '../session/store.js'
import { unitState } from './fleet.js'
import { checkLimits } from './limits.js'
import { startInTurn } from './queue.js'
import { checkSandbox } from './sandbox.js'
import type { Supervisor } from './supervisor.js'
import { carries } from './truth.js'

/**
 * Creates the session and starts its unit, or leaves it in the queue. A session whose unit could not be started stays, failed, with the
 * reason.
 * @returns its place in the queue, from 1; undefined if it was started
 * @throws LOG_WRITE, NO_MANAGER, UNIT_FAILED; UNSUPPORTED before anything is created
 */
export async function launch(
  home: Home,
  supervisor: Supervisor,
  spec: Spec,
  env: Environment,
): Promise<number | undefined> {
  checkLimits(supervisor, spec)
  await supervisor.prepare()
  await checkSandbox(supervisor, spec)
  await createSession(home, spec, env)
  try {
    return await startInTurn(home, supervisor, spec)
  } catch (thrown) {
    const error = toAgentzError(thrown)
    // A start that was not confirmed may have happened all the same.
    if (carries(await unitState(home, supervisor, spec.sessionId, {}))) return undefined
    const { sessionId } = spec
    const cause: Cause = { result: 'not-started', message: error.message }
    const check = () => isLive(readSession(home, sessionId).status)
    await appendLifecycle(home, { type: 'session_failed', sessionId, error: error.message, cause }, 'supervisor', {
      check,
    })
    throw error
  }
}
