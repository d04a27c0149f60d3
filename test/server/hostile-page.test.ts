/**
 * Pages of other origins in a real browser, whose owner is logged in: what they can read, and what they can change. foreign-page.js is
 * what they try.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { ownName } from '../../src/base/cookie.js'
import { issueCode } from '../../src/base/login.js'
import { sessionLog } from '../../src/base/paths.js'
import { ensureToken } from '../../src/base/token.js'
import { newBrowser } from '../helpers/browser.js'
import { until } from '../helpers/home.js'
import { newServer, newSession } from './helpers.js'

const attack = readFileSync(new URL('foreign-page.js', import.meta.url))

/** Somebody else's server on this machine. It keeps what browsers send it. */
async function foreignServer(t: Test) {
  const got: IncomingMessage[] = []
  const server = createServer((request, response) => {
    got.push(request)
    const isScript = request.url === '/foreign-page.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? attack : '<!doctype html><title>foreign</title><body>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close().closeAllConnections())
  return { got, port: (server.address() as AddressInfo).port }
}

/** What a try may tell: that it was kept out, or that something came which it cannot look into. */
const harmless: Record<string, RegExp> = {
  'fetch no-cors': /^(opaque|TypeError)$/,
  'append to a stream': /^(opaque|TypeError)$/,
  'post text': /^(opaque|TypeError)$/,
  'post untyped': /^(opaque|TypeError)$/,
  'post nothing': /^(opaque|TypeError)$/,
  'post kept alive': /^(opaque|TypeError)$/,
  'xhr get': /^error 0 $/,
  'xhr post': /^error 0 $/,
  beacon: /^true$/,
  'window of the list': /^SecurityError$/,
  'window of the page': /^closed$/,
}
/** Routes that a window with the login page, and then with the viewer, asks for. */
const page = new Set([
  ...['/login', '/s/:id', '/viewer/:file', '/v1/server'],
  ...['/v1/sessions/:id', '/v1/sessions/:id/page', '/v1/sessions/:id/events'],
])
const refused = /^(TypeError|SecurityError|error)$/

t.test('pages of other origins', async (t) => {
  const lines: string[] = []
  const logger = pino({ level: 'info' }, { write: (text: string) => void lines.push(text) })
  const server = await newServer(t, { logger })
  const { home, supervisor } = server
  const { sessionId } = await newSession(home)
  supervisor.units.set(sessionId, { active: 'active', sub: 'running' })
  const { port } = new URL(server.url)
  const name = ownName(ensureToken(home))
  const foreign = await foreignServer(t)
  const browser = await newBrowser(t, '--host-resolver-rules=MAP *.test 127.0.0.1')
  const context = await browser.newContext()
  const requests = () => lines.map((text) => JSON.parse(text)).filter(({ msg }) => msg === 'request')
  const log = () => readFileSync(sessionLog(home, sessionId), 'utf8')
  const [before, registry] = [log(), readFileSync(home.registry, 'utf8')]

  const victim = await context.newPage()
  await victim.goto(`http://${name}:${port}/login#${issueCode(home)}`)
  await victim.getByRole('button', { name: 'New session' }).waitFor()
  // A page without a stream.
  await victim.goto(`http://${name}:${port}/healthz`)

  /** A page of `host` tries everything on `site`, at most once each. */
  const attackFrom = async (t: Test, host: string, site: string) => {
    // As the same person, in a context of its own: a window that is on its way to another page may never be closed by itself.
    const own = await browser.newContext({ storageState: await context.storageState() })
    const page = await own.newPage()
    await page.goto(`http://${host}:${foreign.port}/`)
    const from = requests().length
    const script = `import('/foreign-page.js').then(({ tryAll }) => tryAll(${JSON.stringify(site)}, '${sessionId}'))`
    const told = (await page.evaluate(script)) as Record<string, string>
    // No answer in ten seconds, on a machine with much to do, is none that tells anything.
    const ended = Object.entries(told).filter(([, end]) => end !== 'silence')
    for (const [what, end] of ended) t.match(end, harmless[what] ?? refused, `${what}: ${end}`)
    t.ok(ended.length > 20, `${ended.length} came to an end`)
    const sent = () => requests().slice(from)
    // What is sent behind the page's back comes a moment later.
    const cancels = () => sent().filter(({ route }) => route === '/v1/sessions/:id/cancel').length
    await until(() => cancels() >= 5, 'all of them have come')
    await own.close()
    return sent()
  }

  const check = async (t: Test, host: string, site: string) => {
    const all = await attackFrom(t, host, site)
    // A page of ours may be opened in a window, where it asks by itself who is logged in, and tells nobody; a browser looks for
    // an icon there.
    const own = all.filter(({ site }) => site === 'same-origin')
    const answered = all.filter(({ refused }) => refused === undefined).map(({ route }) => route)
    t.same(
      answered.filter((route) => !page.has(route)),
      [],
    )
    const kept = all.filter((each) => each.refused !== undefined && !own.includes(each))
    t.ok(kept.length >= 25, `${kept.length} refusals, each with its line`)
    for (const line of kept) {
      t.match(line, { refused: 'FORBIDDEN_ORIGIN', status: 403, door: 'tcp', by: undefined })
      t.ok(line.origin !== undefined || ['cross-site', 'same-site'].includes(line.site), 'it says of whom')
    }
  }
  for (const host of ['127.0.0.1', 'localhost', 'other.localhost', 'evil.test']) {
    await t.test(`from ${host}`, (t) => check(t, host, `http://${name}:${port}`))
  }
  await t.test('of another port of the same host', (t) => check(t, '127.0.0.1', `http://127.0.0.1:${port}`))
  t.notOk(
    foreign.got.some(({ headers }) => /agentz-/.test(headers.cookie ?? '')),
    'none of them was sent the cookie',
  )
  await t.test('of the name of the server itself, had it become known', async (t) => {
    await check(t, name, `http://${name}:${port}`)
    t.ok(
      foreign.got.some(({ headers }) => /agentz-/.test(headers.cookie ?? '')),
      'browsers send it there: this is why the name is a secret',
    )
  })

  await t.test('a name that leads to the server, of which it knows nothing', async (t) => {
    const rebound = await context.newPage()
    const from = requests().length
    const paths = ['/v1/sessions', '/healthz', `/v1/sessions/${sessionId}`, `/login#/${sessionId}`]
    for (const path of paths) {
      t.equal((await rebound.goto(`http://evil.test:${port}${path}`))?.status(), 421, path)
      // Of that name, but without leave to ask for anything.
      const told = await rebound.evaluate("fetch('/v1/sessions').then(({ status }) => status, ({ name }) => name)")
      t.equal(told, 'TypeError', path)
    }
    t.ok(requests().length >= from + paths.length)
    for (const line of requests().slice(from)) t.match(line, { refused: 'WRONG_HOST', host: `evil.test:${port}` })
    await rebound.close()
  })

  t.equal(log(), before, 'nothing was said to the session')
  t.equal(readFileSync(home.registry, 'utf8'), registry)
  t.same([...supervisor.units.keys()], [sessionId], 'it still runs')
  await until(() => server.streams.size === 0, 'the streams of windows end with them')
  t.notOk(existsSync(join(home.root, 'streams')), 'no stream was made')
  await victim.goto(`http://${name}:${port}/`)
  await victim.getByRole('button', { name: 'New session' }).waitFor()
})
