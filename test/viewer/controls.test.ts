/** What the viewer does with a session, and tells of it beside its transcript, in a real browser. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AgentzError } from '../../src/base/errors.js'
import { newBrowser } from '../helpers/browser.js'
import { newServer } from '../server/helpers.js'
import { Files, logIn, siteOf } from './helpers.js'

t.test('beside the transcript', async (t) => {
  const server = await newServer(t)
  const { home } = server
  const files = new Files(home, server.supervisor)
  const site = siteOf(home, server.url)
  const browser = await newBrowser(t)

  t.test('freeze and thaw, where the system can do it', async (t) => {
    const id = await files.session('hold still')
    let isFrozen = false
    const freezer = {
      wanted: () => isFrozen,
      set: async (wanted: boolean) => {
        isFrozen = wanted
        if (!wanted) files.both(id, { type: 'session_thawed' })
      },
    }
    Object.assign(server.supervisor, { freezer: async () => freezer })
    const { page } = await logIn(browser, home, site, `/s/${id}`)
    await page.getByRole('button', { name: 'Freeze' }).click()
    await page.locator('.badge').getByText('working, frozen').waitFor()
    t.equal(isFrozen, true)
    await page.getByRole('button', { name: 'Thaw' }).click()
    await page.getByRole('button', { name: 'Freeze' }).waitFor()
    t.equal(isFrozen, false)
    Object.assign(server.supervisor, {
      freezer: async () => {
        throw new AgentzError('UNSUPPORTED', 'cannot freeze here')
      },
    })
    await page.getByRole('button', { name: 'Freeze' }).click()
    await page.getByRole('alert').getByText('Cannot freeze here.').waitFor()
    t.equal(
      await page.getByRole('button', { name: 'Freeze' }).isVisible(),
      false,
      'what cannot be is not offered again',
    )
    await page.getByRole('button', { name: 'Cancel session' }).waitFor()
    files.ends(id, { type: 'session_completed' })
    await page.locator('.badge.completed').waitFor()
    await page.reload()
    await page.getByPlaceholder('Message, to take it up again').waitFor()
    t.equal(await page.getByRole('button', { name: 'Freeze' }).isVisible(), false, 'nor of what has ended')
    await page.context().close()
  })

  t.test('the tab tells that an answer is wanted', async (t) => {
    const id = await files.session('ask me')
    const { page, complaints } = await logIn(browser, home, site, `/s/${id}`)
    const list = await page.context().newPage()
    await list.goto(site)
    await list.locator('section.working').getByText('ask me').waitFor()
    t.equal(await page.title(), 'ask me · agentz')
    files.asks(id, 'r1')
    for (const tab of [page, list]) {
      await tab.locator('#icon[href="/viewer/icon-asks.svg"]').waitFor({ state: 'attached' })
      t.match(await tab.title(), /^\(1\) /)
    }
    t.match(await page.evaluate("fetch('/viewer/icon-asks.svg').then((icon) => icon.text())"), /^<svg/)
    await page.getByRole('button', { name: 'Allow once' }).click()
    files.registry(id, { type: 'session_updated', status: 'running' })
    for (const tab of [page, list]) {
      await tab.locator('#icon[href="/viewer/icon.svg"]').waitFor({ state: 'attached' })
      t.notMatch(await tab.title(), /\(/)
    }
    t.same(complaints, [])
    await page.context().close()
  })

  t.test('what it uses of the machine, for who opens its facts', async (t) => {
    const id = await files.session('work')
    Object.assign(server.supervisor, {
      consumption: async () => new Map([[id, { memoryBytes: 50 * 2 ** 20, cpuSeconds: 75 }]]),
    })
    const { page, called } = await logIn(browser, home, site, `/s/${id}`)
    await page.locator('.badge.running').waitFor()
    t.notOk(
      called.some((url) => url.endsWith('/metrics')),
      'nobody has asked',
    )
    await page.locator('.facts summary').click()
    await page.getByText('It uses 50 MiB of memory and 1 min 15 s of processor time so far.').waitFor()
    files.ends(id, { type: 'session_completed' })
    await page.getByText('It uses').waitFor({ state: 'hidden' })
    await page.context().close()
  })

  t.test('the list by directory', async (t) => {
    const shop = join(home.root, 'shop')
    mkdirSync(shop)
    const { page, complaints } = await logIn(browser, home, site)
    await page.locator('a.row').first().waitFor()
    const toggle = page.getByRole('button', { name: 'By directory' })
    t.equal(await toggle.isVisible(), false, 'of one directory there is nothing to tell apart')
    const asking = await files.session('in the shop', { workingDir: shop })
    files.asks(asking, 'r1')
    await toggle.click()
    const heads = () => page.locator('.groups h2').allInnerTexts()
    await page.getByRole('heading', { name: shop }).waitFor()
    t.same(await heads(), [shop, home.root], 'the one that needs somebody first')
    await page.reload()
    await page.getByRole('heading', { name: shop }).waitFor()
    t.same(await heads(), [shop, home.root], 'the browser keeps it')
    await page.keyboard.press('j')
    t.equal(await page.evaluate('document.activeElement.dataset.id'), asking)
    t.equal(await page.locator('section.directory a.row.needs').count(), 1)
    await toggle.click()
    t.same(await heads(), ['Need an answer', 'Working', 'Finished'])
    t.same(complaints, [])
    await page.context().close()
  })
})
