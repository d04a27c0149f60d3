// How soon after kill -9 of a daemon, and of an agent, its cause is on the disk, and then in every status: HTTP and `ls --json`. The budget is two
// seconds from the kill, for the last of them too. A daemon is started again after a second, and only then says that its program has ended for good:
// within two seconds of the cause.
import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { agentz, cli, freshHome, median, quantile, until } from './measure.mjs'
import { childrenOf } from './process.mjs'

const home = freshHome()
const ROUNDS = Number(process.argv[2] ?? 50)
const BUDGET_MS = 2_000

const socketPath = execFileSync(process.execPath, [cli, 'serve', '--how'], { encoding: 'utf8' }).split(' ')[2]
const server = spawn(process.execPath, [cli, 'serve', '--port', '0'], { stdio: 'ignore' })
process.on('exit', () => server.kill())
while ((await get('/healthz')) === undefined) await new Promise((resolve) => setTimeout(resolve, 50))

/** The answer, or undefined while nobody listens. */
function get(path) {
  return new Promise((resolve) => {
    const call = request({ socketPath, path }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (data) => {
        text += data
      })
      response.on('end', () => resolve(JSON.parse(text)))
    })
    call.on('error', () => resolve(undefined)).end()
  })
}

/** The first line of a type in a session's file. */
function lineOf(id, type) {
  const lines = readFileSync(join(home, 'sessions', `${id}.ndjson`), 'utf8').split('\n')
  const line = lines.find((each) => each.startsWith(`{"type":"${type}"`) && each.endsWith('}'))
  return line && JSON.parse(line)
}

const isTold = (row, status) => row?.status === status && row.cause?.result === 'signal' && row.cause.status === 'KILL'

/** Asks until the answer is right. @returns milliseconds since `start` */
async function told(start, ask, status) {
  while (!isTold(await ask(), status))
    if (performance.now() - start > 60_000) throw new Error(`never told as ${status}`)
  return performance.now() - start
}

async function round(whom) {
  const { sessionId: id } = JSON.parse(agentz('run', '--json', '-a', 'command', '--', 'sleep', '600'))
  const { pid } = await until(() => lineOf(id, 'daemon_started'), 'it has started')
  const agent = () => childrenOf(pid).find((child) => readFileSync(`/proc/${child}/comm`, 'utf8') === 'sleep\n')
  const victim =
    whom === 'daemon' ? (await until(agent, 'its agent runs')) && pid : await until(agent, 'its agent runs')
  const [status, fact, last] =
    whom === 'daemon'
      ? ['interrupted', 'daemon_exited', 'session_interrupted']
      : ['failed', 'session_failed', 'session_failed']
  const start = performance.now()
  process.kill(victim, 'SIGKILL')
  await until(() => lineOf(id, fact), 'its cause is on the disk')
  const onDisk = performance.now() - start
  const http = await told(start, () => get(`/v1/sessions/${id}`), status)
  const list = () =>
    agentz('ls', '--json')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .find(({ sessionId }) => sessionId === id)
  const ls = await told(start, list, status)
  await until(() => lineOf(id, last), 'it has ended for good')
  return { onDisk, http, ls, terminal: performance.now() - start - onDisk }
}

for (const whom of ['daemon', 'agent']) {
  const rounds = []
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round(whom))
  const rows = { onDisk: 'its cause is on the disk', http: 'HTTP tells it', ls: '`ls --json` has printed it' }
  if (whom === 'daemon') rows.terminal = 'its end for good is on the disk, from its cause on'
  for (const [key, what] of Object.entries(rows)) {
    const values = rounds.map((each) => each[key])
    const [p50, p99] = [median(values), quantile(values, 0.99)]
    const met = p99 <= BUDGET_MS ? 'met' : 'MISSED'
    console.log(
      `kill -9 of the ${whom} until ${what}: p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms of ${ROUNDS} (budget ${BUDGET_MS} ms) ${met}`,
    )
  }
}
server.kill()
process.exit(0)
