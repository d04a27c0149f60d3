/** What the units agentz-failed@ and agentz-ended@ of a session read: its reaper leaves it there, or who starts it where the reaper is kept in. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { doorbell, type Home } from '../base/paths.js'
import { programs } from '../base/programs.js'

export const failureFile = (home: Home, id: string): string => `${doorbell(home, id)}.env`

/** What agentz-failed@.service and agentz-ended@.service have to know; the unit of the session may be gone when it runs. */
export function leaveForFailure(home: Home, id: string): void {
  const file = failureFile(home, id)
  const value = (text: string) => `"${text.replace(/[\\"$`]/g, '\\$&')}"`
  const lines = { AGENTZ_HOME: home.root, AGENTZ_NODE: programs.node, AGENTZ_REAPER: programs.reaper }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  writeFileSync(
    file,
    Object.entries(lines)
      .map(([key, text]) => `${key}=${value(text)}\n`)
      .join(''),
    { mode: 0o600 },
  )
}
