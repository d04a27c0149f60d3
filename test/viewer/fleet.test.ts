/** The list of all sessions, in a real browser. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { newBrowser, newTab } from '../helpers/browser.js'
import { until } from '../helpers/home.js'
import { newServer } from '../server/helpers.js'
import { Files, logIn, siteOf } from './helpers.js'

t.test('the list', async (t) => {
  const server = await newServer(t)
  const { home } = server
  const files = new Files(home, server.supervisor)
  const site = siteOf(home, server.url)
  const browser = await newBrowser(t)
  const busy = await files.session('sort the imports')
  const asking = await files.session('deploy <b>it</b>', { agentType: 'codex', model: 'gpt' })
  const failed = await files.session('read the mail')
  files.asks(asking, 'r1', { input: { command: 'rm -rf build' } })
  files.ends(failed, {
    type: 'session_failed',
    error: 'the account is used up',
    cause: { result: 'quota', message: 'come back on Monday' },
  })
  const { page, complaints, called } = await logIn(browser, home, site)
  const titles = () => page.locator('.row .title').allInnerTexts()
  const row = (id: string) => page.locator(`a.row[data-id="${id}"]`)

  t.test('what needs an answer first, and of each what matters', async (t) => {
    await row(failed).waitFor()
    t.same(await titles(), ['deploy <b>it</b>', 'sort the imports', 'read the mail'])
    t.match(
      await row(asking).innerText(),
      /needs approval\s+deploy <b>it<\/b>\s+codex gpt · .*\s+.*started (now|.* ago)\s+Bash rm -rf build/,
    )
    t.match(await row(asking).locator('time').getAttribute('title'), /^Active .*20\d\d.*, started .*20\d\d/)
    t.match(await row(failed).innerText(), /failed\s[\s\S]*quota: come back on Monday/)
    t.same(await page.locator('.chips button').allInnerTexts(), [
      'Need an answer 1',
      'Working 1',
      'Idle 0',
      'Finished 1',
    ])
    t.equal(await page.title(), '(1) agentz')
  })

  t.test('it is live', async (t) => {
    files.registry(busy, { type: 'session_updated', status: 'idle' })
    await page.locator('section.idle').getByText('sort the imports').waitFor()
    files.say(asking, { type: 'approval_response', by: 'user', requestId: 'r1', decision: 'allow', via: 'cli' })
    files.registry(asking, { type: 'session_updated', status: 'running' })
    await page.locator('section.working').getByText('deploy').waitFor()
    t.equal(await page.title(), 'agentz', 'nobody needs you any more')
    const another = await files.session('another one')
    await row(another).waitFor()
    files.ends(another, { type: 'session_completed' })
    await page.locator('section.finished').getByText('another one').waitFor()
    files.asks(asking, 'r2', { title: 'Delete it all', input: {} })
    await row(asking).getByText('Bash Delete it all').waitFor()
    files.registry(busy, { type: 'session_updated', status: 'running' })
    await page.locator('section.working').getByText('sort the imports').waitFor()
    const ids = await page.evaluate("[...document.querySelectorAll('a.row')].map((row) => row.dataset.id)")
    t.same(new Set(ids as string[]), new Set([busy, asking, failed, another]))
    t.equal((ids as string[]).length, 4, 'each once')
  })

  t.test('chips and search', async (t) => {
    await page.getByRole('button', { name: 'Finished 2' }).click()
    t.same((await titles()).sort(), ['another one', 'read the mail'])
    await page.keyboard.press('/')
    await page.keyboard.type('quota mail')
    t.same(await titles(), ['read the mail'], 'every word of it somewhere')
    await page.keyboard.type(' nothing')
    await page.getByText('No session fits').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Finished 2' }).click()
    t.equal((await titles()).length, 4)
  })

  t.test('keys', async (t) => {
    await page.keyboard.press('j')
    t.equal(await page.evaluate('document.activeElement.dataset.id'), asking)
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('k')
    t.equal(await page.evaluate('document.activeElement.dataset.id'), busy)
    files.registry(busy, { type: 'session_updated', status: 'idle' })
    await page.locator('section.idle').getByText('sort the imports').waitFor()
    t.equal(await page.evaluate('document.activeElement.dataset.id'), busy, 'a row keeps the focus where it goes')
    await page.keyboard.press('?')
    await page.getByRole('dialog', { name: 'Keys' }).getByText('New session').waitFor()
    await page.keyboard.press('Escape')
    await page.keyboard.press('d')
    const dialog = page.getByRole('dialog', { name: /deploy <b>it/ })
    await dialog.getByText('Delete it all').waitFor()
    await page.keyboard.type('not now')
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    const log = () => readFileSync(sessionLog(home, asking), 'utf8')
    t.match(log(), /"requestId":"r2","decision":"deny","reason":"not now","via":"http"/)
    files.registry(asking, { type: 'session_updated', status: 'running' })
    files.asks(asking, 'r3')
    await row(asking).getByText('Bash npm test').waitFor()
    await page.keyboard.press('a')
    await dialog.waitFor()
    await page.keyboard.press('Enter')
    await dialog.waitFor({ state: 'detached' })
    t.match(log(), /"requestId":"r3","decision":"allow","via":"http"/)
    await row(busy).focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(`${site}/s/${busy}`)
    await page.getByRole('heading', { name: 'sort the imports' }).waitFor()
    await page.keyboard.press('u')
    await page.waitForURL(`${site}/`)
    await row(busy).waitFor()
  })

  t.test('a new session', async (t) => {
    await page.keyboard.press('n')
    const dialog = page.getByRole('dialog', { name: 'New session' })
    await page.getByLabel('Agent').selectOption('demo')
    t.equal(await page.getByLabel('Directory').inputValue(), home.root, 'the directory of the last one')
    await page.getByLabel('Directory').fill('shop')
    await page.getByLabel('Prompt').fill('show me')
    await page.getByLabel('What it may do unasked').selectOption('plan')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.getByRole('alert').getByText('The directory must be absolute.').waitFor()
    await page.getByLabel('Directory').fill('/there/is/none')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog
      .getByRole('alert')
      .getByText(/\/there\/is\/none.* Name a directory that exists\./)
      .waitFor()
    await page.getByLabel('Directory').fill(home.root)
    await page.getByLabel('Title').fill('a title')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await page.waitForURL(/\/s\/[0-9a-f]{12}$/)
    await page.getByRole('heading', { name: 'a title' }).waitFor()
    const id = page.url().slice(-12)
    const spec = JSON.parse(readFileSync(sessionLog(home, id), 'utf8').split('\n')[0]!).spec
    t.match(spec, { agentType: 'demo', prompt: 'show me', permissionMode: 'plan', workingDir: home.root })
    await page.goto(site)
    await row(busy).waitFor()
    await page.keyboard.press('n')
    await page.getByLabel('Agent').selectOption('command')
    await page.getByLabel('Command line').fill('make -j4 | tee log')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await page.waitForURL(/\/s\/[0-9a-f]{12}$/)
    await page.getByRole('heading', { name: "sh -c 'make -j4 | tee log'" }).waitFor()
    await page.locator('.turn').getByText("sh -c 'make -j4 | tee log'").waitFor()
    t.equal(await page.getByLabel('Message to the session').isVisible(), false, 'a program takes no messages')
  })

  t.same(
    complaints.filter((text) => !/status of 400/.test(text)),
    [],
    'nothing that the policy of the page forbids',
  )
  t.same(new Set(called.map((url) => new URL(url).origin)), new Set([site]), 'and nothing from elsewhere')

  t.test('who is not logged in is told how, on any page', async (t) => {
    const stranger = await newTab(await browser.newContext())
    for (const path of ['/', `/s/${busy}`]) {
      await stranger.page.goto(`${site}${path}`)
      await stranger.page.getByText('You are not logged in').waitFor()
      t.match(
        await stranger.page.innerText('body'),
        /^agentz\s+You are not logged in\. Run agentz open[^\n]*\s*(All sessions)?$/,
      )
      t.equal(await stranger.page.getByRole('button').count(), 0, 'and is offered nothing that would be refused')
    }
    await page.goto(`${site}/s/0123456789ab`)
    await page.getByText('There is no session 0123456789ab. The list shows the sessions that exist.').waitFor()
    await page.close()
    await until(() => server.streams.size === 0, 'a page that is gone holds nothing')
  })
})
