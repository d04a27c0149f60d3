/** What answers in the place of our server may be of another version, or no server of ours. */
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname } from 'node:path'
import t from 'tap'
import { serverSocket } from '../../src/base/paths.js'
import { runningServer } from '../../src/cli/running.js'
import { newHome } from '../helpers/home.js'

// The socket of these tests belongs to their own AGENTZ_HOME, not to the login.
delete process.env.XDG_RUNTIME_DIR

t.test('its answer is read as what it is, or refused', async (t) => {
  const home = newHome(t)
  let answer = ''
  mkdirSync(dirname(serverSocket(home)), { recursive: true, mode: 0o700 })
  const server = createServer((_, response) => response.end(answer))
  await new Promise<void>((resolve) => server.listen(serverSocket(home), resolve))
  t.teardown(() => server.close())
  const good = { version: '9', pid: process.pid, url: 'http://127.0.0.1:1', page: 'http://agentz-0.localhost:1' }
  answer = JSON.stringify({ ...good, further: true })
  t.same(await runningServer(home), good)
  const odd: object[] = [
    {},
    [good],
    { server: good },
    { ...good, pid: String(process.pid) },
    // As the target of a signal these are groups of processes, and who starts all others.
    ...[0, -1, 1, 1.5].map((pid) => ({ ...good, pid })),
    { ...good, page: 'http://agentz-0.localhost:1/"><script>' },
    { ...good, page: 'file:///etc/passwd' },
    { version: `"page":"${good.page}","pid":${process.pid}` },
  ]
  for (const text of ['', 'no JSON', '{"pid":', ...odd.map((each) => JSON.stringify(each))]) {
    answer = text
    await t.rejects(runningServer(home), { code: 'NO_SERVER', message: /it is of another version$/ }, text)
  }
})

t.test('nobody listens', async (t) => {
  await t.rejects(runningServer(newHome(t)), { code: 'NO_SERVER', message: /none runs$/ })
})
