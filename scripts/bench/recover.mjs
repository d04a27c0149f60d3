// How long `agentz recover` takes to bring back a fleet whose manager was killed, or ended, and what became of each session. Needs root.
// Arguments: sessions that wait for an answer, sessions in the middle of a turn, `kill` or `end`. The agents are a script.
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { agentz, freshHome, until } from './measure.mjs'

const [IDLE, BUSY, HOW] = [Number(process.argv[2] ?? 100), Number(process.argv[3] ?? 20), process.argv[4] ?? 'kill']
const home = freshHome()
const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url))
mkdirSync(join(home, 'bin'))
writeFileSync(
  join(home, 'bin', 'claude'),
  `#!/bin/sh\nexec '${process.execPath}' '${path('test/helpers/fake-claude.mjs')}'\n`,
)
chmodSync(join(home, 'bin', 'claude'), 0o755)
const runtime = mkdtempSync(join(tmpdir(), 'agentz-runtime-'))
Object.assign(process.env, { PATH: `${join(home, 'bin')}:${process.env.PATH}`, XDG_RUNTIME_DIR: runtime })
process.env.DBUS_SESSION_BUS_ADDRESS = `unix:path=${runtime}/bus`

async function start() {
  const argv = ['--new', '--runtime', runtime, 'sh', '-c', 'echo "$MANAGER_PID"; exec cat']
  const holder = spawn(path('scripts/with-user-manager'), argv, { stdio: ['pipe', 'pipe', 'inherit'] })
  const pid = Number(await new Promise((resolve) => holder.stdout.once('data', resolve)))
  const gone = new Promise((resolve) => holder.once('close', resolve))
  return async (how) => {
    if (how === 'kill') process.kill(pid, 'SIGKILL')
    holder.stdin.end()
    await gone
  }
}

let stop = await start()
const begin = (prompt) => JSON.parse(agentz('run', '--json', prompt)).sessionId
const ids = Array.from({ length: IDLE + BUSY }, (_, at) => begin(at < IDLE ? 'ask one' : `hold ${home}/never`))
const log = (id) => readFileSync(join(home, 'sessions', `${id}.ndjson`), 'utf8')
const works = (id) => log(id).includes(ids.indexOf(id) < IDLE ? '"approval_request"' : '"message_accepted"')
await until(() => ids.every(works), 'all of them wait or work', { every: 200 })
await stop(HOW)
stop = await start()
const from = performance.now()
const results = agentz('recover', '--json', '--spacing', '0.05')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line))
const seconds = (performance.now() - from) / 1000
const counts = {}
for (const { action, why } of results) counts[`${action}: ${why}`] = (counts[`${action}: ${why}`] ?? 0) + 1
console.log(`${IDLE} idle, ${BUSY} busy, ${HOW}: ${results.length} recovered in ${seconds.toFixed(1)} s`, counts)
const twice = ids.filter(
  (id) =>
    log(id)
      .split('"type":"message_sent"')
      .filter((part) => part.includes('"messageId":"prompt"')).length > 1,
)
console.log(`prompts sent twice: ${twice.length}`)
await stop('end')
rmSync(runtime, { recursive: true, force: true })
