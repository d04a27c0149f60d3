/** Starts of one kind of agent are spaced over the whole machine: several that refresh one login at once log each other out. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { errno } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import { withLock } from '../log/lock.js'

/** A clock that went back, or a file that holds anything else, must not stop a session. */
const LONGEST_MS = 600_000

/** Takes the next free moment for a start, and waits until it has come. @param spacing milliseconds between two */
export async function pace(home: Home, kind: string, spacing: number): Promise<void> {
  if (spacing === 0) return
  const path = join(home.cache, `start-${kind}`)
  const at = await withLock(path, () => {
    // Not before: to wait for the lock takes time, and a moment that has passed would be near to the next one.
    const now = Date.now()
    const free = nextFree(path)
    const mine = free > now && free < now + LONGEST_MS ? free : now
    writeFileSync(path, String(mine + spacing), { mode: 0o600 })
    return mine
  })
  const left = at - Date.now()
  if (left > 0) await delay(left)
}

function nextFree(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch (error) {
    if (errno(error) === 'ENOENT') return 0
    throw error
  }
}
