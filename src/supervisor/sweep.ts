/** Removes the doorbells of daemons that were killed together with who would have swept behind them. */
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { doorbell, type Home, runtimeDirectory, sessionLog } from '../base/paths.js'
import { ring } from '../session/doorbell.js'
import { isId } from '../session/id.js'
import type { Supervisor } from './supervisor.js'
import { carries } from './truth.js'

/** @throws NO_MANAGER */
export async function sweepDoorbells(home: Home, supervisor: Supervisor): Promise<void> {
  const directory = runtimeDirectory(home)
  if (!existsSync(directory)) return
  const units = await supervisor.list()
  // Sessions of other homes share the directory.
  const dead = readdirSync(directory).filter(
    (name) => isId(name) && existsSync(sessionLog(home, name)) && !carries(units.get(name)),
  )
  for (const id of dead) {
    const path = doorbell(home, id)
    // One that answers is of a daemon that has started meanwhile. If one starts just now, its poll does for the bell.
    if (!(await ring(path))) rmSync(path, { force: true })
  }
}
