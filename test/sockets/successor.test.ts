/** Another server in the place of one that runs: nobody is refused, who follows misses nothing, and one that cannot start changes nothing. */
import { existsSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { presentLoopback } from '../../src/sockets/loopback.js'
import { Agentz, isAlive } from '../helpers/agentz.js'
import { until } from '../helpers/home.js'
import { ask, underLoad } from '../server/crowd.js'
import { get } from '../server/helpers.js'

interface Said {
  readonly pid: number
  readonly url: string
  readonly socketPath: string
}

t.test('by hand', { skip: process.platform !== 'linux' && 'descriptors are looked up in /proc' }, async (t) => {
  const a = new Agentz(t)
  t.match(a.do('serve', '--replace'), { status: 1, stderr: /no server of .* answers .*: none runs/ })
  const first = a.spawn(['serve', '--port', '0', '--json'])
  let [out, err] = ['', '']
  first.stdout.on('data', (data) => {
    out += data
  })
  first.stderr.on('data', (data) => {
    err += data
  })
  await until(() => out.includes('\n'), 'the first one listens')
  const { url, socketPath } = JSON.parse(out) as Said
  t.teardown(async () => {
    out += await get(socketPath, '/v1/server')
      .then(({ body }) => String(body))
      .catch(() => '')
    for (const [, pid] of out.matchAll(/"pid":(\d+)/g)) if (isAlive(Number(pid))) process.kill(Number(pid), 'SIGKILL')
  })
  const doors = [
    { socketPath, headers: { host: 'localhost' } },
    ...presentLoopback().map((host) => ({ host, port: new URL(url).port })),
  ]
  const replace = () => {
    const { status, stdout, stderr } = a.do('serve', '--replace', '--json')
    t.equal(status, 0, stderr)
    return JSON.parse(stdout) as Said
  }

  await t.test('under load, again and again', (t) =>
    underLoad(t, { home: a.home, socketPath, doors, rest: 3 }, async (served) => {
      let before = first.pid
      for (let round = 0; round < 2; round++) {
        await served(20, 'clients are served by each door')
        const said = await new Promise<Said>((resolve, reject) => {
          const child = a.spawn(['serve', '--replace', '--json'])
          child.stdout.once('data', (data) => resolve(JSON.parse(String(data))))
          let why = ''
          child.stderr.on('data', (data) => {
            why += data
          })
          child.once('close', (code) => code !== 0 && reject(new Error(why)))
        })
        t.match(said, { url, socketPath })
        t.not(said.pid, before)
        await until(() => !isAlive(before!), 'the one before has ended')
        before = said.pid
      }
    }),
  )

  await t.test('one that cannot start', async (t) => {
    const { pid } = replace()
    writeFileSync(a.home.config, 'no JSON')
    process.kill(pid, 'SIGUSR2')
    await until(() => /cannot start another server .* exit code [1-9]/.test(err), 'it says why')
    t.match(err, /This one goes on/)
    writeFileSync(a.home.config, '{}')
    t.equal(await ask(doors[1]!), 200)
    const next = replace()
    t.not(next.pid, pid, 'and it may be tried again')
    await until(() => !isAlive(pid), 'the one before has ended')
    t.ok(existsSync(socketPath))
    process.kill(next.pid, 'SIGTERM')
    await until(() => !isAlive(next.pid), 'it ends')
    t.notOk(existsSync(socketPath), 'what was handed over is taken away by the last one')
  })
})
