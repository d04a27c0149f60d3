/** Sockets that a server is handed: those of the unit of ours, and anything else with a word about what is wrong with it. */
import { spawn } from 'node:child_process'
import { chmodSync, linkSync, mkdirSync, openSync, renameSync } from 'node:fs'
import { createServer, type ListenOptions, type Server } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { inheritedSockets } from '../../src/sockets/inherited.js'
import { presentLoopback } from '../../src/sockets/loopback.js'
import { cliPath } from '../helpers/agentz.js'
import { tempDir, until } from '../helpers/home.js'
import { freePort, get } from '../server/helpers.js'

/** Node keeps it to itself. */
const fdOf = (server: Server) => (server as unknown as { _handle: { fd: number } })._handle.fd

t.test('the variables are for the process that they name, and for none of its children', async (t) => {
  const env = { LISTEN_FDS: '3', LISTEN_PID: '42', LISTEN_FDNAMES: 'a:b:c', PATH: '/bin' }
  t.same(inheritedSockets({ ...env }, 42), { fds: [3, 4, 5], fromServer: false })
  t.match(inheritedSockets({ ...env, LISTEN_FDNAMES: 'agentz-predecessor' }, 42), { fromServer: true })
  for (const pid of [42, 43]) {
    const own = { ...env }
    inheritedSockets(own, pid)
    t.same(own, { PATH: '/bin' })
  }
  t.equal(inheritedSockets({ ...env }, 43), undefined, 'those of somebody else are not ours')
  t.equal(inheritedSockets({}, 42), undefined)
  t.equal(inheritedSockets({ LISTEN_FDS: '0', LISTEN_PID: '42' }, 42), undefined)
  for (const count of ['', '-1', 'three', '3.5', '99999999']) {
    t.throws(() => inheritedSockets({ LISTEN_FDS: count, LISTEN_PID: '42' }, 42), { code: 'SERVER_LISTEN' }, count)
  }
})

t.test(
  'what is handed over',
  { skip: process.platform !== 'linux' && 'sockets are handed over by systemd' },
  async (t) => {
    const dir = tempDir(t)
    chmodSync(dir, 0o700)
    const open = join(dir, 'open')
    mkdirSync(open)
    chmodSync(open, 0o755)
    const port = await freePort()
    const hear = async (at: ListenOptions): Promise<Server> => {
      const server = createServer()
      // Closing it is for the one that was handed it: here, it would take the path away.
      server.unref()
      await new Promise<void>((resolve, reject) => server.once('error', reject).listen(at, resolve))
      if (at.path) chmodSync(at.path, 0o600)
      return server
    }
    const unix = await hear({ path: join(dir, 's') })
    const tcp = await Promise.all(presentLoopback().map((host) => hear({ host, port })))
    const serve = (handed: (Server | number)[], count = String(handed.length)) => {
      const env = { ...process.env, NODE_OPTIONS: '', AGENTZ_HOME: join(dir, 'home'), LISTEN_FDS: count }
      const script = 'LISTEN_PID=$$ exec "$@"'
      const stdio = [
        'ignore',
        'pipe',
        'pipe',
        ...handed.map((each) => (typeof each === 'number' ? each : fdOf(each))),
      ] as const
      const argv = ['-c', script, 'sh', process.execPath, cliPath, 'serve', '--json', '--port', '0']
      const child = spawn('sh', argv, { env, stdio: [...stdio] })
      t.teardown(() => child.kill('SIGKILL'))
      let said = ''
      for (const from of [child.stdout, child.stderr]) {
        from?.on('data', (data) => {
          said += data
        })
      }
      return { child, said: () => said }
    }

    const everywhere = await hear({ host: '0.0.0.0', port: 0 })
    const elsewhere = await hear({ host: '127.0.0.1', port: 0 })
    const file = openSync('/dev/null', 'r')
    const bad: [string, (Server | number)[], RegExp, string?][] = [
      ['not a number', [unix], /LISTEN_FDS is "many"/, 'many'],
      ['none is there', [], /descriptor 3 (cannot be used|is not a socket)/, '1'],
      ['a file', [file], /descriptor 3 is not a socket/],
      ['TCP alone', tcp, /none is a Unix socket/],
      ['two Unix sockets', [unix, await hear({ path: join(dir, 't') }), ...tcp], /more than one is a Unix socket/],
      ['too many', [unix, ...tcp, everywhere, elsewhere], /there are \d of them/],
      ['open to the network', [unix, everywhere], /0\.0\.0\.0 is not a loopback address/],
      ['a directory of others', [await hear({ path: join(open, 's') }), ...tcp], /others may enter it/],
      ['no TCP', [unix], /127\.0\.0\.1 .*is not among them/],
    ]
    if (tcp.length > 1) bad.push(['two ports', [unix, elsewhere, tcp[1]!], /their ports differ/])
    await Promise.all(
      bad.map(async ([what, handed, why, count]) => {
        const { child, said } = serve(handed, count)
        t.equal(await new Promise((resolve) => child.once('close', resolve)), 1, what)
        t.match(said(), why, what)
        t.match(said(), /agentz: cannot (listen on the sockets|use)/, what)
      }),
    )

    await t.test('the sockets of our unit, in any order', async (t) => {
      const { child, said } = serve([...tcp, unix])
      // They are the server's alone from here on; but the path goes with the one that made it.
      linkSync(join(dir, 's'), join(dir, 'kept'))
      for (const each of [...tcp, unix]) each.close()
      renameSync(join(dir, 'kept'), join(dir, 's'))
      await until(() => said().includes('socketPath'), 'it listens')
      t.match(JSON.parse(said()), { socketPath: join(dir, 's'), url: `http://127.0.0.1:${port}` })
      t.equal((await get(join(dir, 's'), '/v1/sessions')).status, 200)
      for (const host of presentLoopback()) {
        const name = host === '::1' ? '[::1]' : host
        t.equal((await fetch(`http://${name}:${port}/v1/sessions`)).status, 401)
      }
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      t.equal(await gone, 0)
    })
  },
)
