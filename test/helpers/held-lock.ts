/** A lock that somebody else holds, for as long as a test wants. */
import { mkdirSync, rmSync, utimesSync } from 'node:fs'
import type { Test } from 'tap'

/** @returns how to let it go */
export function holdLock(t: Test, path: string): () => void {
  const lock = `${path}.lock`
  mkdirSync(lock)
  const fresh = setInterval(() => utimesSync(lock, new Date(), new Date()), 500)
  let held = true
  const release = () => {
    if (!held) return
    held = false
    clearInterval(fresh)
    rmSync(lock, { recursive: true, force: true })
  }
  t.teardown(release)
  return release
}
