// What `agentz recover` makes of a fleet whose manager was killed, or ended: each session has to be where its policy says, in the mode it
// had, with no message sent twice. Exit status 1 otherwise. Needs root. The agents are a script.
// Arguments: sessions that wait for somebody, sessions in the middle of a turn, `kill` or `end`; then flags of recover.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agentz, cli, freshHome, memAvailable, quantile, until } from './measure.mjs'
import { begin, faults, fleet, log, program } from './recover-fleet.mjs'

const [IDLE, BUSY, HOW] = [Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 20), process.argv[4] ?? 'kill']
const flags = process.argv.slice(5)
const home = freshHome()
program(home)
const runtime = mkdtempSync(join(tmpdir(), 'agentz-runtime-'))
process.env.XDG_RUNTIME_DIR = runtime
process.env.DBUS_SESSION_BUS_ADDRESS = `unix:path=${runtime}/bus`

async function start() {
  const argv = ['--new', '--runtime', runtime, 'sh', '-c', 'echo "$MANAGER_PID"; exec cat']
  const script = fileURLToPath(new URL('../with-user-manager', import.meta.url))
  const holder = spawn(script, argv, { stdio: ['pipe', 'pipe', 'ignore'] })
  const pid = Number(await new Promise((resolve) => holder.stdout.once('data', resolve)))
  const gone = new Promise((resolve) => holder.once('close', resolve))
  return async (how) => {
    if (how === 'kill') process.kill(pid, 'SIGKILL')
    holder.stdin.end()
    await gone
  }
}

/** Runs recover, and looks at the machine meanwhile. */
async function recover() {
  const machine = { least: memAvailable(), load: loadavg()[0] }
  const look = setInterval(() => {
    machine.least = Math.min(machine.least, memAvailable())
    machine.load = Math.max(machine.load, loadavg()[0])
  }, 200)
  const from = performance.now()
  const child = spawn(process.execPath, [cli, 'recover', '--json', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (data) => {
    text += data
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  clearInterval(look)
  const results = text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  return { code, results, seconds: (performance.now() - from) / 1000, ...machine }
}

let stop = await start()
try {
  const sessions = fleet(IDLE, BUSY, home)
  for (const session of sessions) session.id = begin(session)
  await until(() => sessions.every(({ id, ready }) => log(home, id).some(ready)), 'all of them wait or work', {
    every: 200,
  })
  await stop(HOW)
  const free = memAvailable()
  stop = await start()
  const { code, results, seconds, least, load } = await recover()
  const counts = {}
  for (const { action, why } of results) counts[`${action}: ${why}`] = (counts[`${action}: ${why}`] ?? 0) + 1
  const MB = (bytes) => `${(bytes / 1e6).toFixed(0)} MB`
  console.log(`${IDLE} idle, ${BUSY} busy, ${HOW}: ${results.length} recovered in ${seconds.toFixed(1)} s`, counts)
  const starts = sessions
    .flatMap(({ id }) => log(home, id).filter(({ type, epoch }) => type === 'daemon_started' && epoch === 2))
    .map(({ timestamp }) => Date.parse(timestamp))
    .sort((a, b) => a - b)
  const gaps = starts.slice(1).map((at, before) => at - starts[before])
  const spacing = [0, 0.5, 0.95, 1].map((q) => `${quantile(gaps, q)} ms`).join(' / ')
  console.log(`between two starts, least / p50 / p95 / most: ${spacing}`)
  console.log(`memory taken: ${MB(free - least)}; load at most: ${load.toFixed(1)}`)
  await until(() => faults(home, sessions).length === 0 || undefined, 'each is where its policy says', {
    every: 500,
    timeout: 20_000,
  }).catch(() => undefined)
  const bad = faults(home, sessions)
  if (code !== 0) bad.push(`recover exited with ${code}`)
  writeFileSync(join(home, 'release'), '')
  const goesOn = sessions.filter(({ after }) => after === 'running')
  await until(
    () => goesOn.every(({ id }) => log(home, id).some(({ type }) => type === 'session_completed')),
    'those in mid-turn have finished',
    { every: 500, timeout: 30_000 },
  ).catch((error) => bad.push(error.message))
  bad.push(...faults(home, sessions).filter((fault) => /twice|mode/.test(fault)))
  if (agentz('recover', '--json') !== '') bad.push('a second recover has found something')
  console.log(`not as their policy says, sent twice, or in another mode: ${bad.length}`)
  for (const fault of bad) console.log(`  ${fault}`)
  process.exitCode = bad.length > 0 ? 1 : 0
} finally {
  await stop('end')
  rmSync(runtime, { recursive: true, force: true })
}
