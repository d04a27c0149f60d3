/** Another user of the machine, at everything that is the server's: files, sockets, ports, the process; and ground that was prepared. */
import { execFile, spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { ownName } from '../../src/base/cookie.js'
import { issueCode } from '../../src/base/login.js'
import { ensureHome, homePaths, sessionLog } from '../../src/base/paths.js'
import { ensureToken } from '../../src/base/token.js'
import { call, cookieOf, login } from '../helpers/call.js'
import { isRoot } from '../helpers/home.js'
import { get, newHome, newServer, newSession, send } from './helpers.js'

const able = isRoot && spawnSync('setpriv', ['--version']).status === 0
const skip = able ? false : 'needs root and setpriv'

/** Runs lines of JavaScript as nobody, who says what came of each by `tell(name, value)`. */
async function asNobody(script: string, ...args: string[]): Promise<Record<string, string>> {
  const prelude = `
    const fs = require('node:fs'), net = require('node:net'), http = require('node:http')
    const told = {}, args = process.argv.slice(1)
    const tell = (name, value) => { told[name] = String(value) }
    const attempt = (name, act) => { try { act(); tell(name, 'done') } catch (error) { tell(name, error.code) } }
    process.on('exit', () => console.log(JSON.stringify(told)))
  `
  const who = ['--reuid=65534', '--regid=65534', '--clear-groups']
  // Without the test runner, which would write down what it sees where nobody may not. Not in step: the server is this very process.
  const options = { env: { PATH: process.env.PATH }, cwd: '/', timeout: 60_000 }
  const { stdout, stderr } = await promisify(execFile)(
    'setpriv',
    [...who, process.execPath, '-e', prelude + script, ...args],
    options,
  )
  const line = stdout.trim().split('\n').at(-1)
  if (!line?.startsWith('{')) throw new Error(`the other user said nothing: ${stdout} ${stderr}`)
  return JSON.parse(line)
}

const TRIES = `
  const [root, log, socket, code, pid, port, host] = args
  attempt('list the home', () => fs.readdirSync(root))
  attempt('list the sessions', () => fs.readdirSync(root + '/sessions'))
  attempt('list the codes', () => fs.readdirSync(root + '/cache/logins'))
  attempt('read the token', () => fs.readFileSync(root + '/token'))
  attempt('read a log', () => fs.readFileSync(log))
  attempt('read a code', () => fs.readFileSync(code))
  attempt('read an environment', () => fs.readFileSync(log.replace(/ndjson$/, 'env')))
  attempt('list the sockets', () => fs.readdirSync(socket.slice(0, socket.lastIndexOf('/'))))
  attempt('make a socket', () => fs.writeFileSync(socket + 'x', ''))
  attempt('take a lock', () => fs.mkdirSync(root + '/registry.ndjson.lock'))
  attempt('read streams', () => fs.readdirSync(root + '/streams'))
  attempt('write a checkpoint', () => fs.writeFileSync(root + '/cache/registry.json', ''))
  attempt('append to a log', () => fs.closeSync(fs.openSync(log, 'a')))
  attempt('append to the registry', () => fs.closeSync(fs.openSync(root + '/registry.ndjson', 'a')))
  attempt('write a config', () => fs.closeSync(fs.openSync(root + '/config.json', 'a')))
  attempt('write a code', () => fs.closeSync(fs.openSync(root + '/cache/logins/x', 'w')))
  attempt('replace the token', () => fs.symlinkSync('/dev/null', root + '/token2'))
  attempt('move the home away', () => fs.renameSync(root, root + '-away'))
  attempt('remove the socket', () => fs.unlinkSync(socket))
  attempt('replace the socket', () => fs.renameSync(socket, socket + '2'))
  attempt('read the environment', () => fs.readFileSync('/proc/' + pid + '/environ'))
  attempt('look at open files', () => fs.readdirSync('/proc/' + pid + '/fd'))
  attempt('send a signal', () => process.kill(Number(pid), 0))
  net.connect(socket).on('connect', function () { tell('connect', 'done'); this.destroy() }).on('error', (error) => tell('connect', error.code))
  for (const at of ['127.0.0.1', '::1', '0.0.0.0', '::']) {
    const name = 'listen at ' + at
    const ear = net.createServer().on('error', (error) => tell(name, error.code))
    ear.listen(port, at, () => { tell(name, 'done'); ear.close() })
  }
  for (const [name, headers] of Object.entries({ plain: {}, guess: { authorization: 'Bearer ' + 'a'.repeat(43) } })) {
    http.get({ port, host: '127.0.0.1', path: '/v1/sessions', headers }, (response) => tell('ask, ' + name, response.resume().statusCode))
  }
`

t.test('what another user can do', { skip }, async (t) => {
  const server = await newServer(t)
  const { home } = server
  const { sessionId } = await newSession(home)
  issueCode(home)
  t.equal((await send(server.socketPath, '/v1/stream/mine', 'x', {}, 'PUT')).status, 201)
  const code = join(home.logins, readdirSync(home.logins)[0] ?? '')
  const log = sessionLog(home, sessionId)
  const { port } = new URL(server.url)
  const args = [home.root, log, server.socketPath, code, String(process.pid), port]
  const told = await asNobody(TRIES, ...args)
  const files = Object.keys(told).filter((name) => !/^(listen|ask|send a signal)/.test(name))
  t.equal(files.length, 23)
  for (const name of files) t.match(told[name], /^(EACCES|EPERM)$/, name)
  t.equal(told['send a signal'], 'EPERM')
  for (const at of ['127.0.0.1', '0.0.0.0']) t.equal(told[`listen at ${at}`], 'EADDRINUSE', at)
  // A machine without IPv6 has no such address for anybody.
  for (const at of ['::1', '::']) t.match(told[`listen at ${at}`], /^(EADDRINUSE|EADDRNOTAVAIL|EAFNOSUPPORT)$/, at)
  t.equal(told['ask, plain'], '401')
  t.equal(told['ask, guess'], '401')

  // Each of the inner doors is closed by itself, not only the outer one.
  chmodSync(home.root, 0o755)
  const inside = await asNobody(TRIES, ...args)
  for (const name of files.filter((each) => each !== 'list the home')) t.match(inside[name], /^(EACCES|EPERM)$/, name)
  t.equal(inside['list the home'], 'done', 'the tries themselves work')
  chmodSync(home.root, 0o700)
  t.equal((await get(server.socketPath, '/v1/sessions')).status, 200)
})

t.test('ground that another user has prepared is not built on', { skip }, async (t) => {
  const shared = mkdtempSync(join(tmpdir(), 'agentz-shared-'))
  t.teardown(() => rmSync(shared, { recursive: true, force: true }))
  chmodSync(shared, 0o1777)
  mkdirSync(join(shared, 'ours'), { mode: 0o700 })
  await asNobody(
    `
    fs.mkdirSync(args[0] + '/theirs', { mode: 0o777 })
    fs.symlinkSync(args[0] + '/ours', args[0] + '/link')
    fs.writeFileSync(args[0] + '/file', '')
    fs.symlinkSync('/nonexistent/x', args[0] + '/dangling')
  `,
    shared,
  )
  for (const [name, why] of Object.entries({
    theirs: /belongs to uid 65534/,
    link: /symbolic link/,
    file: /not a directory/,
    dangling: /cannot use/,
  })) {
    const socket = join(shared, name, 's')
    await t.rejects(newServer(t, { socket }), { code: 'HOME_UNUSABLE', message: why }, `${name}, for the socket`)
    t.throws(
      () => ensureHome(homePaths(join(shared, name))),
      { code: 'HOME_UNUSABLE', message: why },
      `${name}, as home`,
    )
  }
  t.same(readdirSync(join(shared, 'theirs')), [], 'nothing was put there')
})

t.test('a token that is replaced while the server runs', async (t) => {
  const server = await newServer(t)
  const { home } = server
  const token = ensureToken(home)
  const headers = { authorization: `Bearer ${token}` }
  const status = async () => (await call(`${server.url}/v1/sessions`, { headers })).status
  t.equal(await status(), 200)
  const other = join(home.root, 'other')
  writeFileSync(other, `${token}\n`, { mode: 0o600 })
  const places: Record<string, () => void> = {
    'a link to a file with the same token': () => symlinkSync(other, home.token),
    'a directory': () => mkdirSync(home.token),
    'a pipe, which never ends': () => void spawnSync('mkfifo', ['-m', '600', home.token]),
    'a file that others may read': () => writeFileSync(home.token, `${token}\n`, { mode: 0o644 }),
    'nothing in it': () => writeFileSync(home.token, '', { mode: 0o600 }),
  }
  for (const [name, place] of Object.entries(places)) {
    rmSync(home.token, { recursive: true })
    place()
    t.equal(await status(), 500, name)
  }
  rmSync(home.token)
  t.equal(await status(), 401, 'taken away, another one is made, and the old one is none')
  t.not(ensureToken(home), token)
})

t.test('of servers that start at once on one socket there is one', async (t) => {
  const home = newHome(t)
  const all = await Promise.allSettled([1, 2, 3, 4].map(() => newServer(t, { home })))
  t.equal(all.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const each of all) {
    if (each.status === 'rejected') t.match(each.reason, { code: 'SERVER_LISTEN', message: /another server/ })
  }
})

t.test('what a request carries to be let in is in no file but its own', async (t) => {
  const server = await newServer(t)
  const { home, url } = server
  const token = ensureToken(home)
  const site = `http://${ownName(token)}:${new URL(url).port}`
  const code = issueCode(home)
  const cookie = cookieOf(await login(site, code))
  const body = JSON.stringify({ agentType: 'command', command: ['true'], workingDir: home.root })
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  t.equal((await call(`${url}/v1/sessions`, { method: 'POST', headers, body })).status, 201)
  t.equal((await call(`${site}/v1/sessions`, { headers: { cookie } })).status, 200)
  const files = readdirSync(home.root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  t.ok(files.length > 3)
  for (const secret of [token, code, cookie.split('=')[1] ?? '?']) {
    const found = files.filter(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8').includes(secret))
    t.same(
      found.map(({ name }) => name),
      secret === token ? ['token'] : [],
    )
  }
})
