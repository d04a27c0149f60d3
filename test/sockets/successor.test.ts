/** Another server in the place of one that runs: nobody is refused, who follows misses nothing, and one that cannot start changes nothing. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import t from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { presentLoopback } from '../../src/sockets/loopback.js'
import { Agentz, isAlive } from '../helpers/agentz.js'
import { until } from '../helpers/home.js'
import { get, line, newSession, SseClient } from '../server/helpers.js'

interface Said {
  readonly pid: number
  readonly url: string
  readonly socketPath: string
}

t.test('by hand', { skip: process.platform !== 'linux' && 'descriptors are looked up in /proc' }, async (t) => {
  const a = new Agentz(t)
  const { sessionId } = await newSession(a.home)
  const log = sessionLog(a.home, sessionId)
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
  const ask = (door: object) =>
    new Promise<number>((resolve, reject) => {
      const asked = request({ ...door, path: '/healthz', agent: false, timeout: 60_000 }, (response) => {
        response
          .resume()
          .once('end', () => resolve(response.statusCode ?? 0))
          .once('error', reject)
      })
      asked.once('timeout', () => asked.destroy(new Error('no answer in 60 s'))).once('error', reject)
      asked.end()
    })
  const replace = () => {
    const { status, stdout, stderr } = a.do('serve', '--replace', '--json')
    t.equal(status, 0, stderr)
    return JSON.parse(stdout) as Said
  }

  await t.test('under load, again and again', async (t) => {
    let isOver = false
    const counts = doors.map(() => 0)
    const hammer = async (door: object, at: number) => {
      while (!isOver) {
        const status = await ask(door)
        if (status !== 200) t.fail(`door ${at} answered ${status}`)
        counts[at]!++
        // Some hundred a second are enough, and leave a processor to the one that starts.
        await new Promise((resolve) => setTimeout(resolve, 3))
      }
    }
    const seen: string[] = []
    const follow = async () => {
      let last = '0'
      while (!isOver || last !== String(readFileSync(log).length)) {
        const client = new SseClient(socketPath, `/v1/sessions/${sessionId}/events`, { 'last-event-id': last })
        await client.until(() => client.ended || (isOver && client.lastId === String(readFileSync(log).length)))
        client.close()
        seen.push(...client.events.map(({ data }) => data))
        last = client.lastId || last
      }
    }
    const write = async () => {
      for (let n = 1; !isOver; n++) {
        appendFileSync(log, `${line(n)}\n`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    // However this ends, nobody goes on.
    t.teardown(() => {
      isOver = true
    })
    const all = Promise.all([...doors.map(hammer), follow(), write()])
    all.catch(() => undefined)
    let before = first.pid
    for (let round = 0; round < 2; round++) {
      const least = counts.map((count) => count + 20)
      await until(() => counts.every((count, at) => count > least[at]!), 'clients are served by each door')
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
    const least = counts.map((count) => count + 5)
    await until(() => counts.every((count, at) => count > least[at]!), 'they are served by the last one')
    isOver = true
    await all
    t.strictSame(seen, readFileSync(log, 'utf8').split('\n').filter(Boolean), 'each line once, in order')
  })

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
