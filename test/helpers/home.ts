/** What every test needs: a directory of its own, and waiting for conditions instead of time. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ensureHome, type Home, homePaths } from '../../src/base/paths.js'

/** A new directory that goes away with the test. */
export function tempDir(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'agentz-test-'))
  // What a session that ends just now still writes comes between the listing of a directory and its removal.
  t.teardown(() => rmSync(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }))
  return path
}

/** A new AGENTZ_HOME that goes away with the test. */
export const newHome = (t: Test): Home => ensureHome(homePaths(join(tempDir(t), 'home')))

/** Waits until `condition` holds. @throws a sentence that says what did not come */
export async function until(condition: () => boolean | Promise<boolean>, what: string, limitMs = 20_000) {
  const end = Date.now() + limitMs
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${limitMs / 1000} s in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export const isRoot = process.getuid?.() === 0
