/** A real Chromium for tests, without a window: in a profile of its own, ended with the test. */
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
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

export interface Tab {
  readonly page: Page
  /** What the browser has complained about, and whom the page has called. */
  readonly complaints: string[]
  readonly called: string[]
}

export async function newTab(context: BrowserContext): Promise<Tab> {
  const page = await context.newPage()
  // Of two cores, and many tests.
  page.setDefaultTimeout(30_000)
  const complaints: string[] = []
  const called: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', ({ message }) => complaints.push(message))
  page.on('request', (request) => called.push(request.url()))
  return { page, complaints, called }
}
