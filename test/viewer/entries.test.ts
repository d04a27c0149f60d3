/** What stands in a transcript, entry by entry, in a real browser. */
import t from 'tap'
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
})
