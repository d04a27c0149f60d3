/** A real Chromium for tests, without a window: in a profile of its own, ended with the test. */
import { type Browser, chromium } from 'playwright-core'
import type { Test } from 'tap'
import { findProgram } from '../../src/agents/program.js'
import { isRoot } from './home.js'

export async function newBrowser(t: Test, ...flags: string[]): Promise<Browser> {
  const executablePath = findProgram('chromium', process.env.PATH)
  if (executablePath === undefined) throw new Error('there is no chromium on PATH: scripts/test installs it')
  const browser = await chromium.launch({
    executablePath,
    // Its own sandbox refuses to run as root.
    chromiumSandbox: !isRoot,
    args: flags,
    // On two cores, among other tests.
    timeout: 60_000,
  })
  // It ends the process that it started, by its pid, and waits for it.
  t.teardown(() => browser.close())
  return browser
}
