/** The viewer as somebody uses it who has just run `agentz open`: with real sessions, and a server that is killed beside them. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { Agentz, cliPath, requireManager } from '../helpers/agentz.js'
import { newBrowser, newTab } from '../helpers/browser.js'
import { tempDir, until } from '../helpers/home.js'

requireManager()

/** `agentz serve`. @returns undefined if the port is taken */
async function serve(t: Test, a: Agentz, port: number): Promise<ChildProcess | undefined> {
  const child = spawn(process.execPath, [cliPath, 'serve', '--port', String(port), '--json'], {
    env: a.env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let isListening = false
  child.stdout.on('data', () => {
    isListening = true
  })
  await until(() => isListening || child.exitCode !== null, 'the server listens, or says that it cannot')
  return isListening ? child : undefined
}

/** A port that nobody is given by accident while the server is away: below those of the system's own choice. */
async function serveAnywhere(t: Test, a: Agentz): Promise<{ child: ChildProcess; port: number }> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    const child = await serve(t, a, port)
    if (child !== undefined) return { child, port }
  }
}

const open = (a: Agentz, ...id: string[]): string => a.do('open', '--print', ...id).stdout.trim()

t.test('from agentz open to a session that was started, approved, told more, and is finished', async (t) => {
  const a = new Agentz(t)
  const dir = tempDir(t)
  await serveAnywhere(t, a)
  const browser = await newBrowser(t)
  const { page, complaints } = await newTab(await browser.newContext())
  await page.goto(open(a))
  await page.getByText('There is no session yet').waitFor()
  await page.getByRole('button', { name: 'New session' }).click()
  await page.getByLabel('Agent').selectOption('demo')
  await page.getByLabel('Directory').fill(dir)
  await page.getByLabel('Prompt').fill('show me')
  await page.getByRole('button', { name: 'Start' }).click()
  await page.waitForURL(/\/s\/[0-9a-f]{12}$/)
  const id = page.url().slice(-12)
  const allow = page.getByRole('button', { name: 'Allow once' })
  await allow.waitFor()
  t.match(await page.locator('.question').innerText(), /write_file[\s\S]*path: agentz-demo.txt/)
  await allow.click()
  await page.getByText('Made agentz-demo.txt').first().waitFor()
  await page.locator('.badge.completed').waitFor()
  await page.getByLabel('Message to the session').fill('and the time?')
  await page.keyboard.press('Enter')
  await page.getByLabel('Reason of a denial').fill('it is late')
  await page.getByRole('button', { name: 'Deny' }).click()
  await page.getByText(/I did not run it, since I was told: .*it is late/).waitFor()
  await page.locator('.badge.completed').waitFor()
  t.match(a.show(id), { status: 'completed', turns: 2 })
  t.same(complaints, [])

  const other = (await newTab(await browser.newContext())).page
  await other.goto(open(a, id))
  await other.waitForURL(new RegExp(`/s/${id}$`))
  await other.getByText('it is late').first().waitFor()
  await other.goto(new URL('/', other.url()).href)
  await other.locator('section.finished').getByText('show me').waitFor()
})

/** What the session has counted, as the page shows it. */
const counted = async (page: Page): Promise<number[]> =>
  (await page.evaluate(
    "[...document.querySelectorAll('.output')].flatMap((each) => each.innerText.split('\\n')).map((line) => Number(line.slice(2)))",
  )) as number[]

t.test('kill -9 of the server: the page stays, and has everything once when it is back', async (t) => {
  const a = new Agentz(t)
  const { child, port } = await serveAnywhere(t, a)
  const script = 'n=0; while :; do n=$((n+1)); echo "n $n"; sleep 0.1; done'
  const { sessionId } = a.run('-a', 'command', '--', 'sh', '-c', script)
  const browser = await newBrowser(t)
  const { page } = await newTab(await browser.newContext())
  await page.goto(open(a, sessionId))
  await page.getByText(/^n 3$/m).waitFor()
  const list = (await newTab(page.context())).page
  await list.goto(new URL('/', page.url()).href)
  await list.locator('section.working a.row').waitFor()

  child.kill('SIGKILL')
  await page.getByText('The connection is gone').or(page.getByText('The server does not answer')).waitFor()
  await list.locator('#banner').waitFor()
  t.ok((await counted(page)).length >= 3, 'what was there is still there')
  t.equal(await list.locator('a.row').count(), 1)
  const at = a.events(sessionId).length
  await a.until(sessionId, (events) => events.length > at + 10, 'the session goes on')
  const second = a.run('-a', 'command', '--title', 'meanwhile', '--', 'true')
  await a.untilType(second.sessionId, 'daemon_exited')

  t.ok(await serve(t, a, port))
  await page.locator('#banner').waitFor({ state: 'hidden' })
  await list.locator('section.finished').getByText('meanwhile').waitFor()
  page.on('dialog', (dialog) => void dialog.accept())
  await page.getByRole('button', { name: 'Cancel session' }).click()
  await page.locator('.badge.cancelled').waitFor()
  const told = a.events(sessionId).filter(({ stream }) => stream === 'stdout')
  const all = told.flatMap(({ content }) => String(content).split('\n')).map((line) => Number(line.slice(2)))
  await until(async () => (await counted(page)).at(-1) === all.at(-1), 'the page has the last one')
  t.same(await counted(page), all, 'each exactly once, in order')
  await list.locator('section.finished a.row').nth(1).waitFor()
  t.equal(await list.locator('a.row').count(), 2)
})
