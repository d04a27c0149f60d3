/** The page of one session, in a real browser. */
import { appendFileSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import type { Page } from 'playwright-core'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { SessionEvent } from '../../src/session/events.js'
import { newBrowser, newTab } from '../helpers/browser.js'
import { until } from '../helpers/home.js'
import { newServer } from '../server/helpers.js'
import { strange } from '../session/records.js'
import { Files, logIn, picture, siteOf } from './helpers.js'

const atEnd = `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('.scroller'))`
const entries = (page: Page) => page.locator('.events > li:not(.stream)')
/** Numbers that the lines of a transcript hold, in order. */
const numbers = async (page: Page): Promise<number[]> =>
  (await page.evaluate(
    "[...document.querySelectorAll('.said.agent')].flatMap((each) => /^line (\\d+)/.exec(each.textContent)?.[1] ?? []).map(Number)",
  )) as number[]
const rising = (list: number[]): boolean => list.every((n, at) => at === 0 || n === list[at - 1]! + 1)

t.test('one session', async (t) => {
  const server = await newServer(t)
  const { home } = server
  const files = new Files(home, server.supervisor)
  const site = siteOf(home, server.url)
  const browser = await newBrowser(t)

  t.test('what happened, folded, and as it happens', async (t) => {
    const id = await files.session('mend the cart')
    files.say(id, { type: 'thinking', content: 'the cart is empty' })
    files.say(id, { type: 'text', content: 'I look at it.' })
    files.say(id, { type: 'tool_use', toolId: 't1', tool: 'Bash', input: { command: 'npm test' } })
    files.say(id, {
      type: 'tool_result',
      toolId: 't1',
      content: Array.from({ length: 500 }, (_, n) => `out ${n}`).join('\n'),
    })
    files.say(id, { type: 'tool_use', toolId: 't2', tool: 'Edit', input: { file_path: '/cart.ts' } })
    files.say(id, { type: 'tool_result', toolId: 't2', content: 'no such file', isError: true })
    const { page, complaints } = await logIn(browser, home, site, `/s/${id}`)
    const call = page.locator('details.call').first()
    await call.waitFor()
    t.match(await call.innerText(), /^Bash\s+npm test\s+500 lines$/)
    t.match(await page.locator('details.call').nth(1).innerText(), /^Edit\s+\/cart.ts\s+failed$/)
    await call.locator('summary').click()
    await call.getByText('out 39').waitFor()
    t.notMatch(await call.innerText(), /out 499/, 'much of it at first')
    await call.getByRole('button', { name: /Show all/ }).click()
    t.match(await call.innerText(), /out 499/)
    t.equal(await page.locator('.thinking').first().isVisible(), true)
    await page.getByRole('button', { name: 'Hide thinking' }).click()
    t.equal(await page.locator('.thinking').first().isVisible(), false)
    files.say(id, { type: 'text', partial: true, delta: ['Now ', 'it '] })
    await page.locator('.stream').getByText('Now it').waitFor()
    files.say(id, { type: 'text', content: 'Now it works.' })
    await page.getByText('Now it works.').waitFor()
    t.equal(await page.getByText('Now it').count(), 1, 'the whole takes the place of its pieces')
    const line = page.getByRole('textbox', { name: /message/i })
    await line.focus()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Show thinking' }).waitFor()
    await page.keyboard.press('t')
    t.equal(await line.inputValue(), '', 'keys are keys again')
    t.equal(await page.locator('.thinking').first().isVisible(), true)
    await page.setViewportSize({ width: 1280, height: 400 })
    await until(async () => Number(await page.evaluate(atEnd)) < 2, 'it stays at the end where its place becomes small')
    await page.setViewportSize({ width: 1280, height: 720 })
    appendFileSync(sessionLog(home, id), 'torn\x18\n{"not an event}\n')
    await page.getByText(/damaged: 5 bytes/).waitFor()
    await page.getByText(/damaged: 15 bytes/).waitFor()
    const see = (isHidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`,
      )
    await see(true)
    await until(() => server.streams.size === 0, 'a tab that nobody sees holds no connection')
    files.say(id, { type: 'text', content: 'Nobody has seen it.' })
    await see(false)
    await page.getByText('Nobody has seen it.').waitFor()
    t.equal(await page.getByText('Now it works.').count(), 1)
    files.ends(id, { type: 'session_interrupted', cause: { result: 'oom-kill' } })
    await page.locator('.badge.interrupted').waitFor()
    t.match(await page.locator('.cause').innerText(), /oom-kill/)
    await page.locator('.facts summary').click()
    for (const fact of [id, `agentz-session-${id}.service`, sessionLog(home, id), `agentz send ${id}`]) {
      await page.locator('.facts dd').getByText(fact, { exact: false }).first().waitFor()
    }
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.getByRole('button', { name: 'Copy the unit' }).click()
    await until(
      async () => (await page.evaluate('navigator.clipboard.readText()')) === `agentz-session-${id}.service`,
      'it is copied',
    )
    t.same(complaints, [])
    await page.context().close()
  })

  t.test('questions: two tabs agree, and who comes second is told who was first', async (t) => {
    const id = await files.session('ask me')
    files.asks(id, 'r1', {
      options: [
        { decision: 'allow', label: 'Yes' },
        { decision: 'deny', label: 'No', reason: true },
      ],
    })
    const { page } = await logIn(browser, home, site, `/s/${id}`)
    const other = (await newTab(page.context())).page
    await other.goto(page.url())
    const card = (tab: Page) => tab.locator('.question')
    await card(page).waitFor()
    await card(other).waitFor()
    t.same(await card(page).locator('button').allInnerTexts(), ['Allow once', 'Deny'], 'what is offered, and no more')
    t.match(await page.title(), /^\(1\) ask me/)
    await other.getByLabel('Reason of a denial').fill('why I')
    await page.getByRole('button', { name: 'Allow once' }).click()
    await card(page).waitFor({ state: 'detached' })
    await page.getByText(/allowed by user through the server/).waitFor()
    await card(other).waitFor({ state: 'detached' })
    files.asks(id, 'r2')
    await card(other).waitFor()
    await card(page).waitFor()
    // The other one does not hear of it in time.
    await other.route('**/v1/sessions/*', (route) => route.abort())
    await page.getByLabel('Reason of a denial').fill('not on main')
    await page.getByRole('button', { name: 'Deny' }).click()
    await card(page).waitFor({ state: 'detached' })
    await other.getByRole('button', { name: 'Always' }).click()
    await other.getByText(/Somebody was first: denied by user through the server at .*: not on main/).waitFor()
    await other.unroute('**/v1/sessions/*')
    files.say(id, { type: 'input_request', requestId: 'i1', question: 'Which one?', options: ['red', 'blue'] })
    await page.getByRole('button', { name: 'blue' }).waitFor()
    await page.getByLabel('Your answer').fill('green')
    await page.keyboard.press('Enter')
    await page.getByText(/answered “green” by user/).waitFor()
    const answers = readFileSync(sessionLog(home, id), 'utf8').match(/"type":"\w+_response".*/g)
    t.equal(answers?.length, 3, 'each question has one answer')
    await page.context().close()
  })

  t.test('a message, an error, a cancel', async (t) => {
    const id = await files.session('listen')
    const { page } = await logIn(browser, home, site, `/s/${id}`)
    const box = page.getByLabel('Message to the session')
    await box.fill('first line')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('second')
    await page.keyboard.press('Enter')
    await page
      .locator('.turn')
      .getByText(/first line\s+second/)
      .waitFor()
    await until(async () => (await box.inputValue()) === '', 'the box is empty once it is sent')
    await page.route('**/messages', (route) => route.abort())
    await box.fill('another one')
    await page.keyboard.press('Enter')
    await page
      .getByRole('alert')
      .getByText(/The server does not answer. *Start it: agentz serve/)
      .waitFor()
    t.equal(await box.inputValue(), 'another one', 'what was not taken is not lost')
    await page.unroute('**/messages')
    await page.keyboard.press('Enter')
    await page.locator('.turn').getByText('another one').waitFor()
    page.on('dialog', (dialog) => void dialog.accept())
    await page.getByRole('button', { name: 'Cancel session' }).click()
    await page.getByText('somebody wants it to end').waitFor()
    await page.context().close()
  })

  // One line by hand, with an object for a number of seconds or null for a cause, and the page showed nothing any more.
  t.test('whatever stands in any field of any event, the rest of the page is there', async (t) => {
    const id = await files.session('strange')
    const unspeakable = { toString: 0, valueOf: 0, toLocaleString: 0 }
    for (const value of [unspeakable, [unspeakable], null, 1e308]) {
      for (const { def } of SessionEvent.def.options) {
        const { type, ...rest } = def.shape
        const fields = Object.keys(rest).map((name) => [name, name === 'epoch' && value !== null ? 1e9 : value])
        files.say(id, { ...Object.fromEntries(fields), type: type.def.values[0], missingBytes: value })
      }
      files.say(id, { type: 'daemon_exited', code: value, status: value })
      files.say(id, { type: 'session_failed', cause: { code: value, message: value } })
    }
    const seed = Math.floor(Math.random() * 2 ** 31)
    for (const event of fc.sample(strange, { numRuns: 300, seed })) files.say(id, event)
    files.say(id, { type: 'text', content: 'line 1 of the rest' })
    const { page, complaints } = await logIn(browser, home, site, `/s/${id}`)
    await page.getByText('line 1 of the rest').waitFor()
    await page.evaluate("for (const call of document.querySelectorAll('details')) call.open = true")
    files.say(id, { type: 'text', content: 'line 2 of the rest' })
    await page.getByText('line 2 of the rest').waitFor()
    t.same(complaints, [], `seed ${seed}`)
    t.equal(await page.locator('.complaint').count(), 0, `seed ${seed}`)
    await page.context().close()
  })

  t.test('what an agent writes is only ever text', async (t) => {
    const evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>[x](javascript:alert(1))'
    const id = await files.session(`${evil.slice(0, 80)} \u202egnp.exe`)
    const hidden = `\u202egnp.exe\x1b[31mred\x1b[0m\x1b]0;title\x07 a\u200bb`
    files.say(id, { type: 'text', content: `${evil} ${hidden}` })
    files.say(id, { type: 'tool_use', toolId: evil, tool: evil, input: { command: evil, '<b>': hidden } })
    files.say(id, { type: 'tool_result', toolId: evil, content: hidden })
    files.say(id, { type: 'raw', raw: { evil } })
    files.say(id, { type: '__proto__', content: evil })
    files.say(id, { type: 'plan', entries: [{ content: evil, status: evil }, null, 7] })
    files.say(id, { type: 'tool_use', tool: null, input: [null] })
    files.say(id, { type: 'text', content: { toString: 0 } })
    files.say(id, { type: 'user_message', by: 'user', content: ['x'] })
    files.say(id, { type: 'text', content: `${'y'.repeat(5_000_000)} the end` })
    files.asks(id, evil, {
      tool: evil,
      input: { command: `echo ok \x1b[8m; rm -rf ~ \u2066` },
      title: hidden,
      options: [{ decision: 'allow', label: evil }],
    })
    const { page, complaints, called } = await logIn(browser, home, site, `/s/${id}`)
    await page.locator('.question').waitFor()
    t.match(
      await page.locator('.question .block').innerText(),
      'echo ok ␛[8m; rm -rf ~ ⟨U+2066⟩',
      'every character that it asks for',
    )
    t.match(await page.locator('.said.agent').first().innerText(), '⟨U+202E⟩gnp.exered a⟨U+200B⟩b')
    for (const summary of await page.locator('.call > summary').all()) await summary.click()
    await page.getByRole('button', { name: /Show all 5,000,008 characters/ }).click()
    const odd = '.events img, .events script, .events a:not(.anchor), header img, footer img, footer a'
    t.equal(await page.locator(odd).count(), 0, 'no markup')
    t.match(await page.title(), /<img.*⟨U\+202E⟩|<img/)
    t.equal(await page.getByText('⟨U+202E⟩gnp.exe').first().isVisible(), true)
    await picture(page, 'hostile')
    await page.getByRole('button', { name: 'Allow once' }).click()
    await page.locator('.question').waitFor({ state: 'detached' })
    t.same(complaints, [])
    t.same(new Set(called.map((url) => new URL(url).origin)), new Set([site]))
    await page.context().close()
  })

  t.test('a log of 100,000 events', async (t) => {
    const id = await files.session('a long one')
    const path = sessionLog(home, id)
    const line = (n: number) =>
      `${JSON.stringify({ type: 'text', timestamp: '2026-01-01T00:00:00Z', by: 'agent', epoch: 1, content: `line ${n} ${'.'.repeat(200)}` })}\n`
    for (let n = 0; n < 100_000; n += 10_000)
      appendFileSync(path, Array.from({ length: 10_000 }, (_, k) => line(n + k)).join(''))
    const { page } = await logIn(browser, home, site, `/s/${id}`)
    await page.getByText('line 99999').waitFor()
    t.ok(Number(await page.evaluate(atEnd)) < 50, 'it opens at the end')
    for (let step = 0; step < 4; step++) {
      const first = (await numbers(page))[0]!
      await page.evaluate("document.querySelector('.scroller').scrollTop = 0")
      await until(async () => (await numbers(page))[0]! < first, 'older ones come')
    }
    const shown = await numbers(page)
    t.ok(rising(shown), 'without a gap')
    t.ok(shown.length <= 3000 && (await entries(page).count()) < 3500, `${shown.length} of them are on the page`)
    files.say(id, { type: 'text', content: 'line 100000 is new' })
    await page.getByRole('button', { name: /new|To the end/ }).click()
    await page.getByText('line 100000 is new').waitFor()
    // The page may still be on its way to the end, which is where it was sent to.
    await until(async () => {
      if (Number(await page.evaluate(atEnd)) < 200)
        await page.evaluate("document.querySelector('.scroller').scrollTop -= 300")
      await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
      return Number(await page.evaluate(atEnd)) > 200
    }, 'it is further up')
    files.say(id, { type: 'text', content: 'line 100001 is newer' })
    await page.getByRole('button', { name: '1 new' }).waitFor()
    t.ok(Number(await page.evaluate(atEnd)) > 200, 'who reads further up is left there')
    await page.keyboard.press('G')
    await page.getByText('line 100001 is newer').waitFor()
    t.equal(await page.locator('.pill').isVisible(), false)
    t.ok(rising(await numbers(page)))

    const middle = readFileSync(path, 'utf8').indexOf('line 50000 ')
    const offset = readFileSync(path).indexOf('\n', middle) + 1
    await page.goto(`${site}/s/${id}#e=${offset}`)
    await page.locator('.linked').getByText('line 50000').waitFor()
    await page.reload()
    await page.locator('.linked').getByText('line 50000').waitFor()
    const last = (await numbers(page)).at(-1)!
    await page.evaluate("document.querySelector('.scroller').scrollTop = 1e9")
    await until(async () => (await numbers(page)).at(-1)! > last, 'newer ones come')
    t.ok(rising(await numbers(page)))
    await page.getByRole('button', { name: /To the end/ }).click()
    await page.getByText('line 100001 is newer').waitFor()
    await page.goto(`${site}/s/${id}#e=7`)
    await page
      .getByRole('alert')
      .getByText('This link leads to no event of the session. The end of the session is shown instead.')
      .waitFor()
    await page.context().close()
  })
})
