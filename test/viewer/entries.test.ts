/** What stands in a transcript, entry by entry, in a real browser. */
import { appendFileSync, readFileSync } from 'node:fs'
import type { Locator } from 'playwright-core'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { newBrowser } from '../helpers/browser.js'
import { newServer } from '../server/helpers.js'
import { Files, logIn, siteOf } from './helpers.js'

t.test('the entries of a transcript', async (t) => {
  const server = await newServer(t)
  const { home } = server
  const files = new Files(home, server.supervisor)
  const site = siteOf(home, server.url)
  const browser = await newBrowser(t)

  t.test('what a person has denied did not fail', async (t) => {
    const id = await files.session('clean up')
    files.say(id, { type: 'tool_use', toolId: 't1', tool: 'Bash', input: { command: ['rm', '-rf', 'my build'] } })
    files.say(id, { type: 'approval_request', requestId: 'r1', toolId: 't1', tool: 'Bash', input: {} })
    files.say(id, { type: 'approval_response', by: 'user', requestId: 'r1', decision: 'deny', via: 'cli' })
    files.say(id, { type: 'tool_result', toolId: 't1', content: 'The user denied this.', isError: true })
    files.say(id, { type: 'tool_use', toolId: 't2', tool: 'Bash', input: { command: 'ls' } })
    files.say(id, { type: 'approval_request', requestId: 'r2', toolId: 't2', tool: 'Bash', input: {} })
    files.say(id, { type: 'approval_response', by: 'user', requestId: 'r2', decision: 'allow', via: 'cli' })
    files.say(id, { type: 'tool_result', toolId: 't2', content: 'no such file', isError: true })
    const { page, complaints } = await logIn(browser, home, site, `/s/${id}`)
    const calls = page.locator('details.call')
    await calls.nth(1).getByText('failed').waitFor()
    t.match(await calls.first().innerText(), /^Bash\s+rm -rf 'my build'\s+denied$/)
    await page.getByText(/denied by user on the command line at \d/).waitFor()
    t.same(complaints, [])
    await page.context().close()
  })

  t.test('a total is not taken for the last turn', async (t) => {
    const id = await files.session('go on')
    files.say(id, { type: 'session_completed', metadata: { durationMs: 5300, costUsd: 0.25, turns: 1 } })
    files.say(id, { type: 'user_message', by: 'user', messageId: 'm', content: 'and now?' })
    files.say(id, { type: 'session_completed', metadata: { durationMs: 93_000, costUsd: 0.5, turns: 2 } })
    const { page } = await logIn(browser, home, site, `/s/${id}`)
    const ends = page.locator('.note.end')
    await ends.nth(1).waitFor()
    t.same(await ends.allInnerTexts(), [
      'completed in 5.3 s for $0.2500',
      'completed; all 2 turns so far in 1 min 33 s for $0.5000',
    ])
    await page.context().close()
  })

  t.test('each entry shows its line as it stands in the file', async (t) => {
    const id = await files.session('look closer')
    const path = sessionLog(home, id)
    files.say(id, { type: 'text', partial: true, delta: ['The ', 'cart'] })
    files.say(id, { type: 'text', content: 'The cart \u202eis <b>empty</b>.', more: [1] })
    files.say(id, { type: 'tool_use', toolId: 't1', tool: 'Bash', input: { command: 'ls' } })
    files.say(id, { type: 'tool_result', toolId: 't1', content: 'a\nb' })
    appendFileSync(path, 'torn\n')
    const lines = readFileSync(path, 'utf8').split('\n')
    const { page, complaints } = await logIn(browser, home, site, `/s/${id}`)
    await page.getByText(/damaged: 4 bytes/).waitFor()
    const shown = async (entry: Locator) => {
      await entry.hover()
      await entry.getByRole('button', { name: /Line of event/ }).click()
      await entry.locator('.raw pre').last().waitFor()
      return entry.locator('.raw pre').allInnerTexts()
    }
    const entry = (text: string | RegExp) => page.locator('.events > li').filter({ hasText: text })
    t.same(await shown(entry('do: look closer')), [lines[0]])
    t.same(await shown(entry('The cart')), [lines[3]?.replace('\u202e', '⟨U+202E⟩')], 'every character of it')
    t.same(await shown(entry('2 lines')), [lines[4], lines[5]], 'a call, and what it gave')
    t.same(await shown(entry(/damaged/)), ['torn'])
    appendFileSync(path, 'worn\n')
    files.say(id, { type: 'text', content: 'It goes on.' })
    await page.getByText('It goes on.').waitFor()
    t.same(await shown(entry(/damaged/).last()), ['worn'], 'also of one that was seen as it came')
    t.match(await shown(entry('It goes on.')), [/"content":"It goes on."}$/])
    await page
      .getByRole('button', { name: /Line of event/, expanded: true })
      .first()
      .click()
    t.equal(await entry('do: look closer').locator('.raw').isVisible(), false)
    t.match(await page.locator('.turn .anchor').first().innerText(), /^\d+:\d\d:\d\d/)
    t.match(await page.locator('.turn .anchor').first().getAttribute('title'), /20\d\d.*; link to this event$/)
    await page.route('**/log', (route) => route.abort())
    t.same(await page.locator('.raw .complaint').count(), 0)
    await entry('It goes on.')
      .getByRole('button', { name: /Line of event/ })
      .click()
    await entry('It goes on.')
      .getByRole('button', { name: /Line of event/ })
      .click()
    await entry('It goes on.').getByText('The server does not answer').waitFor()
    t.same(
      complaints.filter((text) => !/ERR_FAILED/.test(text)),
      [],
    )
    await page.context().close()
  })

  t.test('a diff has colours, and its text is untouched', async (t) => {
    const id = await files.session('mend it')
    const diff = [
      '--- a/cart.ts',
      '+++ b/cart.ts',
      '@@ -1,3 +1,3 @@ class Cart {',
      ' one',
      '-<b>two</b>',
      '+<i>two</i>',
      '\\ No newline at end of file',
      ' three',
      '- no part of it',
      '@@ -9 +9,0 @@',
      '--- a dash',
      'the end',
    ].join('\n')
    files.say(id, { type: 'tool_use', toolId: 't1', tool: 'Patch', input: { changes: [{ path: 'cart.ts', diff }] } })
    files.say(id, { type: 'tool_result', toolId: 't1', content: diff })
    files.say(id, { type: 'tool_use', toolId: 't2', tool: 'Bash', input: { command: '+1\n-1' } })
    const { page, complaints } = await logIn(browser, home, site, `/s/${id}`)
    await page.locator('.call').nth(1).waitFor()
    for (const summary of await page.locator('.call > summary').all()) await summary.click()
    const [input, output, other] = [0, 1, 2].map((index) => page.locator('.call .block').nth(index))
    t.equal(await output?.innerText(), diff)
    t.equal(await input?.innerText(), `changes.0.path: cart.ts\nchanges.0.diff:\n${diff}`)
    for (const block of [input, output]) {
      t.same(await block?.locator('.added').allInnerTexts(), ['+<i>two</i>\n'])
      t.same(await block?.locator('.removed').allInnerTexts(), ['-<b>two</b>\n', '--- a dash\n'])
      t.equal(await block?.locator('.hunk').count(), 2)
    }
    t.equal(await other?.locator('span').count(), 0, 'what is none has none')
    t.equal(await page.locator('.events b, .events i').count(), 0)
    t.same(complaints, [])
    await page.context().close()
  })
})
