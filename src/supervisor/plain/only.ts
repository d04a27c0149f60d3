/**
 * That only one daemon runs a session, where no unit name sees to it. Each says that it is there and looks for others after that: of
 * two, one at least sees the other one, whatever either was held up by in between.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Claims } from './claims.js'

/** Both may have seen the other one, and stepped back: they try again, at moments of their own. */
const TRIES = 8
const STEP_BACK_MS = 150

/** Called by a daemon, with its keeper as parent. @returns false: another one is at work */
export async function becomeOnly(claims: Claims, id: string): Promise<boolean> {
  const keeper = process.env.AGENTZ_KEEPER === String(process.ppid) ? [process.ppid] : []
  const own = [...keeper, process.pid]
  for (let left = TRIES; left > 0; left--) {
    const files = [...keeper.map((pid) => claims.make(id, 'keeper', pid)), claims.make(id, 'daemon', process.pid)]
    if (!claims.hasOthers(id, own)) return true
    claims.withdraw(files.flatMap((file) => file ?? []))
    await delay(Math.random() * STEP_BACK_MS)
  }
  return false
}
