/** Removes what those who were killed could not: doorbells of daemons, and environments of sessions that never came to be. */
import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { doorbell, type Home, runtimeDirectory, sessionEnv, sessionLog } from '../base/paths.js'
import { ring } from '../session/doorbell.js'
import { isId } from '../session/id.js'
import { readRegistry } from '../session/registry.js'
import type { Supervisor } from './supervisor.js'
import { carries } from './truth.js'

/** Who creates a session writes its environment milliseconds before its file. */
const CREATION_MS = 60_000

/** An environment may hold keys: one that belongs to no session is not left lying about. */
export function sweepEnvironments(home: Home, now = Date.now()): void {
  const { rows } = readRegistry(home)
  for (const name of readdirSync(home.sessions)) {
    const id = name.slice(0, -'.env'.length)
    if (!name.endsWith('.env') || !isId(id) || rows.has(id) || existsSync(sessionLog(home, id))) continue
    const stat = lstatSync(sessionEnv(home, id), { throwIfNoEntry: false })
    if (stat?.isFile() && now - stat.mtimeMs > CREATION_MS) rmSync(sessionEnv(home, id), { force: true })
  }
}

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
