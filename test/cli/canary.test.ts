/** Secrets of a session, looked for wherever something of it comes out. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { ensureToken } from '../../src/base/token.js'
import { Agentz, cliPath, requireManager, systemctl } from '../helpers/agentz.js'
import { tempDir, until } from '../helpers/home.js'
import { get } from '../server/helpers.js'

requireManager()

/** All that stands in the regular files below a directory, by path. */
function textsIn(directory: string): [path: string, text: string][] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .map((path) => [path, readFileSync(path, 'latin1')])
}

/** What all users of the machine may read of a process. */
const commandLines = (): string[] =>
  readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return []
    try {
      return [readFileSync(`/proc/${name}/cmdline`, 'latin1')]
    } catch {
      // It has ended meanwhile.
      return []
    }
  })

/** Prints a variable in six codings, and the token. */
const tell = String.raw`
printf 'plain %s\n' "$KEY"
printf '{"json":"%s"}\n' "$KEY"
printf 'user:%s' "$KEY" | base64 -w 0; echo
printf 'https://h/?q=%s\n' "$(printf %s "$KEY" | sed 's/+/%2B/g; s/=/%3D/g')"
printf 'split %s' "$(printf %s "$KEY" | cut -c 1-9)"; sleep 0.1; printf '%s\n' "$(printf %s "$KEY" | cut -c 10-)"
printf -- '-KEY=%s\n+KEY=none\n' "$KEY"
printf 'on the other one %s\n' "$KEY" >&2
`

t.test('secrets of a session come out nowhere', async (t) => {
  // Another run of this test may be under way on the same machine.
  const canary = (where: string) => `canary-${randomBytes(6).toString('hex')}/of+the-${where}==`
  const keys = { ANTHROPIC_API_KEY: canary('caller'), GH_TOKEN: canary('home'), MINE_SECRET: canary('flag') }
  const a = new Agentz(t, undefined, { ANTHROPIC_API_KEY: keys.ANTHROPIC_API_KEY })
  writeFileSync(a.home.env, `GH_TOKEN=${keys.GH_TOKEN}\n`, { mode: 0o600 })
  const token = ensureToken(a.home)
  const secrets = [...Object.values(keys), token]
  const forms = secrets.flatMap((secret) => [
    secret,
    encodeURIComponent(secret),
    // What of its base64 is made of it alone, wherever it begins.
    ...[0, 1, 2].map((at) =>
      Buffer.from('x'.repeat(at) + secret)
        .toString('base64')
        .slice(at + 1, -4),
    ),
  ])
  const shows = (text: string) => forms.filter((form) => text.includes(form))

  const server = spawn(process.execPath, [cliPath, 'serve', '--port', '0', '--json'], { env: a.env })
  t.teardown(() => server.kill('SIGKILL'))
  let [out, log] = ['', '']
  server.stdout.on('data', (data) => {
    out += data
  })
  server.stderr.on('data', (data) => {
    log += data
  })
  const file = join(tempDir(t), 'go on')
  const script = `${Object.keys(keys)
    .map((name) => `KEY=$${name}; ${tell}`)
    .join('')} cat "$AGENTZ_HOME/token"; echo told; while ! [ -e "$0" ]; do sleep 0.05; done; exit 3`
  const { sessionId, unit } = a.run(
    '-e',
    `MINE_SECRET=${keys.MINE_SECRET}`,
    '-a',
    'command',
    '--',
    'sh',
    '-c',
    script,
    file,
  )
  await a.until(sessionId, (events) => events.some(({ content }) => content === 'told'), 'it has told all')
  t.same(commandLines().flatMap(shows), [], 'on no command line')
  t.same(shows(systemctl('show', unit)), [], 'in no property of the unit')
  await until(() => out.includes('\n'), 'the server listens')
  const { socketPath } = JSON.parse(out)
  const paths = ['', `/${sessionId}`, `/${sessionId}/events?follow=0`].map((rest) => `/v1/sessions${rest}`)
  for (const path of [...paths, '/v1/approvals', '/v1/events?follow=0', `/v1/stream/sessions/${sessionId}?offset=-1`]) {
    const { status, body } = await get(socketPath, path)
    t.equal(status, 200, path)
    t.same(shows(body.toString()), [], `in no answer: ${path}`)
  }
  writeFileSync(file, '')
  await a.untilType(sessionId, 'daemon_exited')
  const own = [a.home.env, a.home.token, join(a.home.sessions, `${sessionId}.env`)]
  const found = [...textsIn(a.home.root), ...textsIn(process.env.XDG_RUNTIME_DIR ?? '')].filter(
    ([, text]) => shows(text).length > 0,
  )
  t.same(found.map(([path]) => path).sort(), [...own].sort(), 'in no file but those that are there for it')
  for (const path of own) t.equal(statSync(path).mode & 0o777, 0o600, path)
  t.same(shows(log), [], 'in no log of access')
  for (const args of [
    ['show', sessionId, '--json'],
    ['logs', sessionId],
    ['ls', '--json'],
    ['run', '--how', 'x'],
  ]) {
    const { stdout, stderr } = a.do(...args)
    t.same(shows(stdout + stderr), [], args.join(' '))
  }
  const masked = a.events(sessionId).filter(({ content }) => String(content).includes('[masked]'))
  t.equal(masked.length, 3 * 7 + 1, 'each was masked')
})
