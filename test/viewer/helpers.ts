/** The viewer in a browser, logged in, over sessions that are made of files alone. */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { ownName } from '../../src/base/cookie.js'
import { issueCode } from '../../src/base/login.js'
import { type Home, sessionLog } from '../../src/base/paths.js'
import { ensureToken } from '../../src/base/token.js'
import type { NewSession } from '../../src/session/store.js'
import { bootId } from '../../src/supervisor/boot.js'
import { newTab, type Tab } from '../helpers/browser.js'
import { newSession } from '../helpers/session.js'
import type { FakeSupervisor } from '../server/helpers.js'

/** Where pictures go, for whoever wants to look at them. */
export const pictures = process.env.AGENTZ_PICTURES

/** Under which name a browser reaches the server of `home` on a port. */
export const siteOf = (home: Home, url: string): string => `http://${ownName(ensureToken(home))}:${new URL(url).port}`

/** A tab in a context of its own, logged in, at a page. */
export async function logIn(browser: Browser, home: Home, site: string, path = '/', look = {}): Promise<Tab> {
  const tab = await newTab(await browser.newContext(look))
  await tab.page.goto(`${site}/login#${issueCode(home)}`)
  await tab.page.getByRole('button', { name: 'New session' }).waitFor()
  if (path !== '/') await tab.page.goto(`${site}${path}`)
  return tab
}

export async function picture(page: Page, name: string): Promise<void> {
  if (pictures === undefined) return
  mkdirSync(pictures, { recursive: true })
  await page.screenshot({ path: join(pictures, `${name}.png`) })
}

/** Sessions as files, which a unit seems to carry. */
export class Files {
  readonly home: Home
  readonly #supervisor: FakeSupervisor

  constructor(home: Home, supervisor: FakeSupervisor) {
    this.home = home
    this.#supervisor = supervisor
  }

  /** One that runs. */
  async session(title: string, more: Partial<NewSession> = {}): Promise<string> {
    const { sessionId } = await newSession(this.home, {
      title,
      prompt: `do: ${title}`,
      workingDir: this.home.root,
      ...more,
    })
    this.#supervisor.units.set(sessionId, { active: 'active', sub: 'running' })
    const unit = `agentz-session-${sessionId}.service`
    this.both(sessionId, { type: 'daemon_started', unit, pid: process.pid, bootId: bootId() })
    return sessionId
  }

  /** Appends to the file of a session. @returns the address */
  say(sessionId: string, event: object): number {
    const path = sessionLog(this.home, sessionId)
    appendFileSync(path, `${JSON.stringify(this.#framed(event))}\n`)
    return readFileSync(path).length
  }

  /** And tells the registry, as a daemon does. */
  both(sessionId: string, event: object): void {
    this.say(sessionId, { ...event, sessionId })
    this.registry(sessionId, event)
  }

  registry(sessionId: string, event: object): void {
    appendFileSync(this.home.registry, `${JSON.stringify(this.#framed({ ...event, sessionId }))}\n`)
  }

  asks(sessionId: string, requestId: string, more: object = {}): void {
    this.say(sessionId, { type: 'approval_request', requestId, tool: 'Bash', input: { command: 'npm test' }, ...more })
    this.registry(sessionId, { type: 'session_updated', status: 'waiting_approval' })
  }

  ends(sessionId: string, event: object): void {
    this.both(sessionId, event)
    this.#supervisor.units.delete(sessionId)
  }

  #framed(event: object): object {
    const { type, ...rest } = event as { type: string }
    return { type, timestamp: new Date().toISOString(), by: 'daemon', epoch: 1, ...rest }
  }
}
