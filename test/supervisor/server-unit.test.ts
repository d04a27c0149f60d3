/** The server under socket activation: a real manager holds its sockets, so that no client is refused whatever becomes of it. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import { Agentz, requireManager } from '../helpers/agentz.js'
import { newHome, tempDir, until } from '../helpers/home.js'
import { Manager } from '../helpers/manager.js'
import { ask, underLoad } from '../server/crowd.js'
import { freePort, SseClient } from '../server/helpers.js'

requireManager()

const unit = 'agentz-server.service'

t.test('under a real manager', async (t) => {
  const manager = new Manager(t)
  const home = tempDir(t)
  await manager.start({ home })
  const a = new Agentz(t, undefined, manager.env)
  const port = await freePort()
  // Not waited for in one piece: clients go on meanwhile.
  const systemctl = (...words: string[]) =>
    new Promise<string>((resolve) => {
      execFile('systemctl', ['--user', ...words], { env: a.env }, (_, stdout, stderr) =>
        resolve((stdout || stderr).trim()),
      )
    })
  const pid = async () => Number(await systemctl('show', '-P', 'MainPID', unit))
  const state = () => systemctl('is-active', unit)
  mkdirSync(a.home.root, { recursive: true, mode: 0o700 })
  const config = (text: string) => writeFileSync(a.home.config, text)

  config('{"server":{"port":0}}')
  t.match(a.do('install', '--server'), { status: 1, stderr: /server\.port is 0/ })
  config(JSON.stringify({ server: { port } }))
  t.match(a.do('install', '--server', '--how').stdout, /systemctl --user enable --now agentz-server\.socket/)
  t.match(a.do('install', '--server'), { status: 0, stdout: /agentz-server\.socket is enabled/ })
  const settings = join(home, '.config/systemd/user/agentz-server.socket.d/home.conf')
  const socket = /^ListenStream=(\/.*)$/m.exec(readFileSync(settings, 'utf8'))?.[1] ?? ''
  t.equal(await state(), 'inactive', 'nothing runs yet')

  const doors = [
    { socketPath: socket, headers: { host: 'localhost' } },
    { host: '127.0.0.1', port },
    { host: '::1', port },
  ]

  await t.test('the first connection starts it, whichever way it comes', async (t) => {
    for (const door of doors) {
      t.equal(await ask(door), 200)
      await systemctl('stop', unit)
    }
    t.equal(await ask(doors[1]!, '/v1/sessions'), 401, 'by TCP it asks for the token')
    t.equal(await ask(doors[0]!, '/v1/sessions'), 200)
    t.notMatch(readFileSync(`/proc/${await pid()}/environ`, 'latin1'), /AGENTZ_SUPERVISOR/)
    t.match(a.do('serve', '--port', '0'), { status: 1, stderr: /another server listens/ })
    t.match(a.do('install', '--server'), { status: 0 }, 'again is no error')
    t.ok((await pid()) > 0, 'and ends nothing')
  })

  await t.test('restarted under load: none is refused, and who follows misses nothing', (t) =>
    underLoad(t, { home: a.home, socketPath: socket, doors }, async (served) => {
      for (let round = 0; round < 3; round++) {
        const before = await pid()
        await served(20, 'clients are served by each door')
        await systemctl('restart', unit)
        await until(async () => ![0, before].includes(await pid()), 'another one runs')
      }
    }),
  )

  await t.test('killed: the next request starts another', async (t) => {
    const before = await pid()
    process.kill(before, 'SIGKILL')
    const answers = await Promise.all(doors.map((door) => ask(door).catch((error) => error.code)))
    // Who was accepted by the one that died is cut off; nobody is refused.
    for (const answer of answers) t.ok(answer === 200 || answer === 'ECONNRESET', String(answer))
    t.equal(await ask(doors[1]!), 200)
    t.not(await pid(), before)
  })

  await t.test('idle, it ends; who comes at that moment is answered', async (t) => {
    const own = join(home, `.config/systemd/user/${unit}.d/idle.conf`)
    const run = `ExecStart=\nExecStart=/bin/sh -c 'exec "$$AGENTZ_NODE" "$$AGENTZ_CLI" serve --idle-exit 1'`
    writeFileSync(own, `[Service]\n${run}\n`)
    await systemctl('daemon-reload')
    await systemctl('restart', unit)
    const client = new SseClient(socket, '/v1/events')
    await client.opened
    const served = await pid()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    t.equal(await pid(), served, 'a subscriber keeps it')
    client.close()
    await until(async () => (await state()) === 'inactive', 'it ends by itself')
    for (const late of [960, 1000, 1010, 1020, 1040]) {
      t.equal(await ask(doors[late % 3]!), 200)
      await new Promise((resolve) => setTimeout(resolve, late))
      for (const status of await Promise.all(doors.map((door) => ask(door)))) t.equal(status, 200)
    }
    await until(async () => (await state()) === 'inactive', 'it ends again')
  })

  await t.test('two homes: the other one has a server of its own, by hand', async (t) => {
    const other = new Agentz(t, newHome(t), manager.env)
    t.match(other.do('install', '--server'), { status: 3, stderr: /another AGENTZ_HOME/ })
    const child = other.spawn(['serve', '--port', '0', '--json', '--idle-exit', '1'])
    t.teardown(() => child.kill('SIGKILL'))
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const out = await new Promise<Buffer>((resolve) => child.stdout.once('data', resolve))
    const { socketPath } = JSON.parse(String(out)) as { socketPath: string }
    t.not(socketPath, socket)
    t.equal(await ask({ socketPath, headers: { host: 'localhost' } }), 200)
    t.equal(await ended, 0, 'it ends, and nothing holds its sockets')
    t.notOk(existsSync(socketPath))
  })

  await t.test('uninstalled, all of it is gone', async (t) => {
    t.equal(await ask(doors[0]!), 200)
    await systemctl('stop', 'agentz-server.socket')
    t.equal(await state(), 'inactive', 'the server goes with its sockets')
    t.notOk(existsSync(socket))
    await t.rejects(ask(doors[1]!), { code: 'ECONNREFUSED' })
    const hand = a.spawn(['serve', '--port', '0', '--json'])
    t.teardown(() => hand.kill('SIGKILL'))
    await new Promise((resolve) => hand.stdout.once('data', resolve))
    t.match(a.do('install', '--server'), { status: 3, stderr: /started by hand/ })
    t.match(a.do('uninstall').stdout, /agentz-server\.socket is gone/)
    t.notOk(existsSync(dirname(settings)))
    t.notOk(existsSync(join(home, '.config/systemd/user', unit)))
  })
})
