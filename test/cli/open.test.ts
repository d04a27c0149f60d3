/** agentz open: from the command line to a page that is logged in, without a secret on the way. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Agentz, requireManager } from '../helpers/agentz.js'
import { login } from '../helpers/call.js'
import { tempDir, until } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'

requireManager()

t.test('without a server it says how to start one', async (t) => {
  const a = new Agentz(t)
  t.match(a.do('open'), { status: 1, stdout: '', stderr: /no server of .* answers[\s\S]*agentz serve/ })
  t.notOk(existsSync(a.home.logins), 'and makes no code')
  t.equal(a.do('open', 'nobody').status, 3)
})

t.test('an address that is good once', async (t) => {
  const a = new Agentz(t)
  const { sessionId } = await newSession(a.home)
  await a.serve(t)
  const { status, stdout, stderr } = a.do('open', '--print')
  t.equal(status, 0)
  t.equal(stderr, '')
  const url = new URL(stdout)
  t.match(url.href, /^http:\/\/agentz-[0-9a-f]{16}\.localhost:\d+\/login#[\w-]{43}$/)
  t.equal((await login(url.origin, url.hash.slice(1))).status, 200)
  t.equal((await login(url.origin, url.hash.slice(1))).status, 401)
  const json = JSON.parse(a.do('open', sessionId.slice(0, 6), '--json').stdout)
  t.match(json.url, new RegExp(`#[\\w-]{43}/${sessionId}$`))
  t.ok(Date.parse(json.expiresAt) > Date.now())
  const by = spawnSync('sh', ['-c', a.do('open', '--how').stdout], { encoding: 'utf8' })
  t.match(by.stdout, /^http:\/\/agentz-\w+\.localhost:\d+\/login#[\w-]{43}\n$/, by.stderr)
  t.equal(
    (await login(url.origin, by.stdout.trim().split('#')[1] ?? '')).status,
    200,
    '--how makes a code that is good, too',
  )
})

t.test('a browser is given a file: what stands on its command line everybody may read', async (t) => {
  const a = new Agentz(t)
  await a.serve(t)
  const directory = tempDir(t)
  const browser = join(directory, 'browser')
  writeFileSync(browser, `#!/bin/sh\nprintf '%s\\n' "$@" > ${directory}/words\ncat "$1" > ${directory}/page\n`)
  chmodSync(browser, 0o755)
  const opened = a.with({ env: { DISPLAY: ':1', BROWSER: browser } }, 'open')
  t.match(opened, { status: 0, stdout: '' })
  await until(() => existsSync(join(directory, 'page')), 'the browser runs')
  await until(() => readFileSync(join(directory, 'page'), 'utf8').includes('</a>'), 'it has the page')
  const code = /#([\w-]{43})"/.exec(readFileSync(join(directory, 'page'), 'utf8'))?.[1] ?? '?'
  t.notMatch(readFileSync(join(directory, 'words'), 'utf8') + opened.stderr + readdirSync(a.home.logins).join(), code)
  const none = a.with({ env: { DISPLAY: '', WAYLAND_DISPLAY: '' } }, 'open')
  t.match(none, { status: 0, stdout: /\/login#/, stderr: /no display/ })
  const broken = a.with({ env: { DISPLAY: ':1', BROWSER: '/no/browser' } }, 'open')
  t.match(broken, { status: 0, stdout: /\/login#/, stderr: /cannot start \/no\/browser/ })
})
