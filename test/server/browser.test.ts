/** The login page in a real browser: from `agentz open` to a page that is logged in, and what it says where that fails. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t from 'tap'
import { ownName } from '../../src/base/cookie.js'
import { CODE_MS, issueCode } from '../../src/base/login.js'
import { ensureToken, rotateToken } from '../../src/base/token.js'
import { newBrowser, newTab } from '../helpers/browser.js'
import { newServer, newSession } from './helpers.js'

/** Where pictures of each state go, for whoever wants to look at them. */
const pictures = process.env.AGENTZ_PICTURES

const looks = [
  { name: 'phone-light', viewport: { width: 360, height: 640 }, colorScheme: 'light' as const },
  { name: 'phone-dark', viewport: { width: 360, height: 640 }, colorScheme: 'dark' as const },
  { name: 'desk-light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' as const },
  { name: 'desk-dark', viewport: { width: 1280, height: 800 }, colorScheme: 'dark' as const },
]

/** Where a login leads to. */
const viewer = (page: Page) => page.getByRole('button', { name: 'New session' }).waitFor()

const textOf = async (page: Page, wanted: RegExp): Promise<string> => {
  await page.getByText(wanted).first().waitFor()
  return (await page.locator('main').innerText()).replace(/\s+/g, ' ')
}

t.test('the login page', async (t) => {
  const server = await newServer(t)
  const { home } = server
  const title = 'mend the <b>parser</b> of a rather long title '.repeat(3)
  const { sessionId } = await newSession(home, { title })
  const { port } = new URL(server.url)
  const site = () => `http://${ownName(ensureToken(home))}:${port}`
  const browser = await newBrowser(t)

  t.test('a code becomes a login, and is gone from the address', async (t) => {
    const context = await browser.newContext()
    const { page, complaints, called } = await newTab(context)
    const code = issueCode(home)
    await page.goto(`${site()}/login#${code}`)
    await viewer(page)
    t.equal(page.url(), `${site()}/`)
    t.equal(await page.evaluate('history.length'), 2, 'nor does it stand in the history: about:blank and this page')
    t.equal(await page.evaluate('document.cookie'), '', 'no script reads the cookie')
    const [cookie, ...more] = await context.cookies()
    t.same(more, [])
    t.match(cookie, { httpOnly: true, sameSite: 'Strict', domain: new URL(site()).hostname, path: '/' })
    t.same(complaints, [], 'nothing that the policy of the page forbids')
    t.same(new Set(called.map((url) => new URL(url).origin)), new Set([site()]), 'and nothing from elsewhere')
    t.notMatch(called.map((url) => url.split('#')[0]).join(), code)
    await page.reload()
    await viewer(page)
    await page.goto(`${site()}/login`)
    await viewer(page)
    t.equal(page.url(), `${site()}/`, 'it still is, without a code')
    const other = await (await browser.newContext()).newPage()
    const at = async (hash: string, wanted: RegExp) => {
      // Another code alone would not be another page.
      await other.goto('about:blank')
      await other.goto(`${site()}/login${hash}`)
      return textOf(other, wanted)
    }
    t.match(await at(`#${code}`, /used already/), /used already, or is older than a minute.*agentz open/)
    const old = issueCode(home, Date.now() - CODE_MS)
    t.match(await at(`#${old}`, /used already/), /older than a minute/, 'expired')
    t.match(await at('', /You are not/), /agentz open/, 'who is not logged in is told how')
    t.same(await other.context().cookies(), [])
    await other.evaluate(`location.hash = ${JSON.stringify(issueCode(home))}`)
    await viewer(other)
    t.equal(other.url(), `${site()}/`, 'a code that is put into the address of the open page')
    await other.context().close()
    await context.close()
  })

  t.test('how it looks', async (t) => {
    for (const { name, ...look } of looks) {
      const context = await browser.newContext(look)
      const { page, complaints } = await newTab(context)
      const shot = async (state: string) => {
        if (pictures === undefined) return
        mkdirSync(pictures, { recursive: true })
        await page.screenshot({ path: join(pictures, `${name}-${state}.png`) })
      }
      await page.goto(`${site()}/login`)
      await textOf(page, /You are not/)
      await shot('nobody')
      await page.goto('about:blank')
      await page.goto(`${site()}/login#${'a'.repeat(43)}`)
      await textOf(page, /used already/)
      await shot('used')
      complaints.splice(0)
      await page.goto('about:blank')
      await page.goto(`${site()}/login#${issueCode(home)}/${sessionId}`)
      await page.getByRole('heading', { name: /<b>parser<\/b>/ }).waitFor()
      t.equal(page.url(), `${site()}/s/${sessionId}`, 'a link to a session, whose title is text')
      await shot('session')
      t.same(complaints, [], name)
      const [inner, outer] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[]
      t.ok(inner! <= outer!, `${name}: nothing stands out at the side`)
      const [background, colour] = (await page.evaluate(
        '[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color]',
      )) as string[]
      t.not(background, colour)
      await context.close()
    }
  })

  t.test('another token logs it out', async (t) => {
    const { page } = await newTab(await browser.newContext())
    await page.goto(`${site()}/login#${issueCode(home)}`)
    await viewer(page)
    const old = site()
    rotateToken(home)
    t.equal((await page.goto(`${old}/login`))?.status(), 421)
    await page.goto(`${site()}/login`)
    await textOf(page, /You are not/)
    await page.goto('about:blank')
    await page.goto(`${site()}/login#${issueCode(home)}`)
    await viewer(page)
  })
})
