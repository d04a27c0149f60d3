import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import type { Document } from '../../../src/server/api/document.js'
import { pageOf } from '../../../src/server/api/page.js'
import { newBrowser } from '../../helpers/browser.js'
import { HOST, newApp, newServer } from '../helpers.js'

const evil = `<img src=x onerror="alert('1')">`
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** A directory for pictures of the page, for people to look at. */
const pictures = process.env.AGENTZ_PICTURES

t.test('it says all that the document says, and is text', async (t) => {
  const { app } = await newApp(t)
  const answer = await app.inject({ url: '/docs', headers: HOST })
  t.equal(answer.statusCode, 200)
  t.match(answer.headers['content-security-policy'], /^default-src 'none'; style-src 'self'/)
  t.notMatch(
    answer.body,
    /<script|<style| style=| on\w+=|https?:\/\/(?!localhost)/,
    'nothing inline, nothing from elsewhere',
  )
  const document: Document = (await app.inject({ url: '/openapi.json', headers: HOST })).json()
  const ids = [...answer.body.matchAll(/ id="([^"]+)"/g)].map((match) => match[1])
  t.equal(new Set(ids).size, ids.length, 'no id comes twice')
  const links = new Set([...answer.body.matchAll(/href="#([^"]+)"/g)].map((match) => match[1]))
  t.same(
    [...links].filter((link) => !ids.includes(link)),
    [],
    'each link leads somewhere',
  )
  for (const operations of Object.values(document.paths)) {
    for (const { operationId } of Object.values(operations)) {
      if (!ids.includes(operationId)) t.fail(`${operationId} is on the page`)
    }
  }
  const hostile = JSON.parse(
    JSON.stringify(document)
      .replaceAll('Start a session', JSON.stringify(evil).slice(1, -1))
      .replaceAll('workingDir', JSON.stringify(evil).slice(1, -1)),
  )
  t.notMatch(pageOf(hostile), '<img')
})

t.test('in a browser: phone and desk, dark and light', async (t) => {
  const server = await newServer(t)
  const browser = await newBrowser(t)
  const looks = [
    { name: 'docs-phone-dark', viewport: { width: 360, height: 640 }, colorScheme: 'dark' as const },
    { name: 'docs-desk-light', viewport: { width: 1280, height: 800 }, colorScheme: 'light' as const },
  ]
  for (const { name, ...look } of looks) {
    const page = await (await browser.newContext(look)).newPage()
    const complaints: string[] = []
    const called = new Set<string>()
    page.on('console', (message) => complaints.push(message.text()))
    page.on('request', (request) => called.add(request.url().replace(server.url, '')))
    t.equal((await page.goto(`${server.url}/docs`))?.status(), 200, 'nobody has to log in to read it')
    await page.locator('#postSessions > summary').click()
    await page.locator('#getSessionsIdEvents > summary').click()
    await page.getByText('Null lifts the limit').first().waitFor()
    t.match(
      await page.locator('#postSessions pre').innerText(),
      /^curl --unix-socket \$S http:\/\/localhost\/v1\/sessions -H/,
    )
    await page.locator('#postSessions a', { hasText: 'Created' }).click()
    t.ok(page.url().endsWith('/docs#schema-Created'))
    const [inner, outer] = (await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')) as [
      number,
      number,
    ]
    t.ok(inner <= outer, `${name}: nothing stands out at the side`)
    if (pictures !== undefined) {
      mkdirSync(pictures, { recursive: true })
      await page.evaluate('scrollTo(0, 0)')
      await page.screenshot({ path: join(pictures, `${name}.png`) })
      await page.locator('#postSessions').scrollIntoViewIfNeeded()
      await page.evaluate(`document.getElementById('postSessions').scrollIntoView()`)
      await page.screenshot({ path: join(pictures, `${name}-open.png`) })
    }
    t.same(complaints, [], 'nothing that its policy forbids')
    t.same(
      [...called].filter((url) => !['/docs', '/viewer/docs.css', '/viewer/icon.svg'].includes(url)),
      [],
      'no other request',
    )
    // It comes by the debugger, which no policy binds.
    await page.evaluate(axe)
    const { violations } = (await page.evaluate('axe.run()')) as {
      violations: { id: string; nodes: { html: string }[] }[]
    }
    t.same(
      violations.map(({ id, nodes }) => `${id} ${nodes[0]?.html}`),
      [],
      `${name}: axe finds nothing`,
    )
    await page.context().close()
  }
})
