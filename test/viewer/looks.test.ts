/** Every page of the viewer on a phone and on a desk, in the light and in the dark; and for those who do not see it. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Page } from 'playwright-core'
import t from 'tap'
import { newBrowser, newTab } from '../helpers/browser.js'
import { newServer } from '../server/helpers.js'
import { Files, logIn, picture, pictures, siteOf } from './helpers.js'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The first two are one of each; the others for who wants to look at pictures. */
const looks = [
  {
    name: 'phone-light',
    look: { viewport: { width: 360, height: 640 }, hasTouch: true, colorScheme: 'light' as const },
  },
  {
    name: 'desk-dark',
    look: { viewport: { width: 1280, height: 800 }, hasTouch: false, colorScheme: 'dark' as const },
  },
  { name: 'phone-dark', look: { viewport: { width: 360, height: 640 }, hasTouch: true, colorScheme: 'dark' as const } },
  {
    name: 'desk-light',
    look: { viewport: { width: 1280, height: 800 }, hasTouch: false, colorScheme: 'light' as const },
  },
].slice(0, pictures === undefined ? 2 : 4)

/** What axe finds wrong: rule and element. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  return (await page.evaluate(
    "axe.run(document).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target.join(' ') + ' ' + failureSummary)))",
  )) as string[]
}

t.test('how it looks', async (t) => {
  const server = await newServer(t)
  const { home } = server
  const files = new Files(home, server.supervisor)
  const site = siteOf(home, server.url)
  const long = 'a-title-that-is-one-word-and-does-not-end-'.repeat(5).slice(0, 190)
  const asking = await files.session('mend the parser of the shopping cart', {
    agentType: 'codex',
    model: 'a-model',
    prompt: 'mend it\nand tell me how',
  })
  files.say(asking, { type: 'thinking', content: 'I look at the parser first.' })
  files.say(asking, { type: 'text', content: 'The parser reads too far. I will mend it, and then run the tests.' })
  files.say(asking, {
    type: 'plan',
    entries: [
      { content: 'look', status: 'completed' },
      { content: 'mend', status: 'in_progress' },
    ],
  })
  files.say(asking, {
    type: 'tool_use',
    toolId: 't1',
    tool: 'Read',
    input: { file_path: `/home/me/shop/${'deep/'.repeat(30)}cart.ts` },
  })
  files.say(asking, { type: 'tool_result', toolId: 't1', content: 'x'.repeat(300) })
  files.say(asking, { type: 'tool_use', toolId: 't2', tool: 'Edit', input: { file_path: 'cart.ts' } })
  files.say(asking, { type: 'approval_request', requestId: 'r0', toolId: 't2', tool: 'Edit', input: {} })
  files.say(asking, { type: 'approval_response', by: 'user', requestId: 'r0', decision: 'deny', via: 'http' })
  files.say(asking, {
    type: 'tool_result',
    toolId: 't2',
    content: '@@ -1,2 +1,2 @@\n-one\n+two\n three',
    isError: true,
  })
  files.say(asking, { type: 'text', stream: 'stderr', content: `warning: ${'w'.repeat(200)}` })
  files.say(asking, { type: 'error', content: 'the model is overloaded; the agent tries again' })
  files.asks(asking, 'r1', {
    tool: 'Bash',
    input: { command: `npm test -- --grep ${'cart'.repeat(30)}`, timeout: 60 },
    title: 'Run the tests',
  })
  files.say(asking, { type: 'input_request', requestId: 'i1', question: 'Which branch?', options: ['main', 'next'] })
  files.registry(asking, { type: 'session_updated', status: 'waiting_input' })
  const working = await files.session(long, { labels: { team: 'web' } })
  const idle = await files.session('say hello', { workingDir: '/' })
  files.registry(idle, { type: 'session_updated', status: 'idle' })
  for (const [title, event] of [
    [
      'read the mail',
      {
        type: 'session_failed',
        error: 'used up',
        cause: { result: 'quota', message: 'the limit of the account is reached until Monday' },
      },
    ],
    ['sort the imports', { type: 'session_completed' }],
    ['build it', { type: 'session_interrupted', cause: { result: 'oom-kill' } }],
  ] as const) {
    files.ends(await files.session(title), event)
  }
  const browser = await newBrowser(t)

  for (const { name, look } of looks) {
    await t.test(name, async (t) => {
      const { page, complaints } = await logIn(browser, home, site, '/', look)
      const check = async (state: string, on = page) => {
        await picture(on, `${name}-${state}`)
        const [inner, outer] = (await on.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as number[]
        t.ok(inner! <= outer!, `${state}: nothing stands out at the side`)
        t.same(await violations(on), [], `${state}: axe`)
      }
      await page.locator('.row .asked').waitFor()
      await page.keyboard.press('j')
      await check('list')
      await page.getByRole('button', { name: 'By directory' }).click()
      await check('directories')
      await page.getByRole('button', { name: 'By directory' }).click()
      await page.keyboard.press('a')
      await page.getByRole('dialog').waitFor()
      await check('asks')
      await page.keyboard.press('Escape')
      await page.keyboard.press('n')
      await page.getByLabel('What it may do unasked').waitFor()
      await check('new')
      await page.keyboard.press('Escape')
      await page.keyboard.press('?')
      await check('keys')
      await page.goto(`${site}/s/${asking}`)
      t.equal(await page.evaluate("matchMedia('(hover: none)').matches"), look.hasTouch)
      await page.getByRole('button', { name: 'next' }).waitFor()
      await check('session')
      for (const summary of await page.locator('summary').all()) await summary.click()
      await page
        .locator('.events > .turn')
        .first()
        .getByRole('button', { name: /Line of event/ })
        .click()
      await page.locator('.raw pre').first().waitFor()
      await check('unfolded')
      const [background, colour] = (await page.evaluate(
        '[getComputedStyle(document.documentElement).backgroundColor, getComputedStyle(document.body).color]',
      )) as [string, string]
      const isDark = Number(/^rgb\((\d+)/.exec(background)?.[1]) < 128
      t.equal(isDark, look.colorScheme === 'dark', background)
      t.not(background, colour)
      await page.goto(`${site}/s/${working}`)
      await page.getByRole('heading', { name: /a-title/ }).waitFor()
      await check('working')
      t.same(complaints, [])
      await page.context().close()
      const stranger = await newTab(await browser.newContext(look))
      await stranger.page.goto(`${site}/`)
      await stranger.page.getByText('You are not logged in').waitFor()
      await check('stranger', stranger.page)
      await stranger.page.context().close()
    })
  }

  t.test('who does not want to see things move', async (t) => {
    const { page } = await logIn(browser, home, site, `/s/${working}`, { reducedMotion: 'reduce' })
    await page.locator('.badge.running').waitFor()
    t.same(await page.evaluate('document.getAnimations().length'), 0)
    await page.keyboard.press('Tab')
    t.not(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none', 'one sees where one is')
  })
})
