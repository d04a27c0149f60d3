// How soon an answer reaches an agent that waits for it, among many that wait: by HTTP, and by a line that is appended by hand and rings no bell. And
// what such a session costs beside its agent: private memory and idle CPU of its daemon. The agents are a script that speaks claude's protocol.
import { execFileSync, spawn } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { agentz, cli, freshHome, median, quantile, until } from './measure.mjs'
import { cpuSeconds, privateMegabytes } from './process.mjs'

const home = freshHome()
const FLEET = Number(process.argv[2] ?? 200)
const ROUNDS = Number(process.argv[3] ?? 300)
const bin = join(home, 'bin')
mkdirSync(bin)
writeFileSync(
  join(bin, 'claude'),
  `#!/usr/bin/env bash
n=0
ask() { n=$((n + 1)); printf '{"type":"control_request","request_id":"r%d","request":{"subtype":"can_use_tool","tool_name":"Bash","input":{"command":"true"}}}\\n' "$n"; }
while IFS= read -r line; do
  case "$line" in
    *'"subtype":"initialize"'*) echo '{"type":"control_response","response":{"subtype":"success","request_id":"initialize","response":{}}}' ;;
    *'"set_permission_mode"'*) echo '{"type":"control_response","response":{"subtype":"success","request_id":"mode","response":{"mode":"default"}}}' ;;
    *'"behavior"'*) echo "$EPOCHREALTIME" >> "${home}/arrived-$AGENTZ_SESSION_ID"; ask ;;
    *'"type":"user"'*)
      [[ $line =~ \\"uuid\\":\\"([^\\"]*)\\" ]]
      echo '{"type":"system","subtype":"init","session_id":"s","permissionMode":"default"}'
      printf '{"type":"user","isReplay":true,"uuid":"%s","message":{"role":"user","content":[]}}\\n' "\${BASH_REMATCH[1]}"
      ask ;;
  esac
done
`,
)
chmodSync(join(bin, 'claude'), 0o755)
process.env.PATH = `${bin}:${process.env.PATH}`
const ids = Array.from({ length: FLEET }, () => JSON.parse(agentz('run', '--json', 'wait for answers')).sessionId)
const log = (id) => join(home, 'sessions', `${id}.ndjson`)
const question = (id) => [...readFileSync(log(id), 'utf8').matchAll(/"requestId":"(r\d+)"/g)].at(-1)?.[1]
await until(() => ids.every(question), 'all of them ask', { every: 200 })

const socket = execFileSync(process.execPath, [cli, 'serve', '--how'], { encoding: 'utf8' }).split(' ')[2]
const server = spawn(process.execPath, [cli, 'serve', '--port', '0'], { stdio: 'ignore' })
while (!(await serves())) await new Promise((resolve) => setTimeout(resolve, 50))

async function serves() {
  try {
    return await post('GET', '/healthz')
  } catch {
    // It does not listen yet.
    return false
  }
}

function post(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const call = request({ socketPath: socket, path, method, headers }, (response) => {
      response.resume()
      response.on('end', () =>
        response.statusCode < 300 ? resolve(true) : reject(new Error(`${response.statusCode}`)),
      )
    })
    call.on('error', reject)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** The seconds at which the agent of a session has had its answers. */
function arrivals(id) {
  try {
    return readFileSync(join(home, `arrived-${id}`), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map(Number)
  } catch {
    // It has had none yet.
    return []
  }
}

/** Milliseconds from the beginning of `send` to the arrival at the agent. */
async function round(send) {
  const id = ids[Math.floor(Math.random() * ids.length)]
  const before = arrivals(id).length
  const requestId = question(id)
  const start = (performance.timeOrigin + performance.now()) / 1000
  await send(id, requestId)
  await until(() => arrivals(id).length > before, 'the answer arrives')
  await until(() => question(id) !== requestId, 'it asks again')
  return (arrivals(id).at(-1) - start) * 1000
}

const byHttp = []
for (let i = 0; i < ROUNDS; i++) {
  byHttp.push(
    await round((id, requestId) => post('POST', `/v1/sessions/${id}/approvals/${requestId}`, { decision: 'allow' })),
  )
}
const byHand = []
for (let i = 0; i < 20; i++) {
  byHand.push(
    await round((id, requestId) =>
      appendFileSync(
        log(id),
        `\n${JSON.stringify({ type: 'approval_response', requestId, decision: 'allow', by: 'user' })}\n`,
      ),
    ),
  )
}
server.kill()

const rows = agentz('ls', '--json')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line))
const pids = rows.map(({ pid }) => pid)
const memory = pids.map(privateMegabytes)
const cpuBefore = pids.map(cpuSeconds)
await new Promise((resolve) => setTimeout(resolve, 20_000))
const shares = pids.map((pid, at) => ((cpuSeconds(pid) - cpuBefore[at]) / 20) * 100)

const report = (what, value, target, unit) =>
  console.log(
    `${what}: ${value.toFixed(unit === '%' ? 3 : 1)} ${unit} (target ${target} ${unit}) ${value <= target ? 'met' : 'MISSED'}`,
  )
report(`answer by HTTP to the agent, p50 of ${ROUNDS} among ${FLEET}`, median(byHttp), 50, 'ms')
report('  p95', quantile(byHttp, 0.95), 300, 'ms')
report('answer appended by hand, most of 20', quantile(byHand, 1), 1000, 'ms')
report(`private memory of a daemon beside its agent, median of ${FLEET}`, median(memory), 25, 'MB')
report('CPU of a daemon that waits, mean over 20 s', shares.reduce((a, b) => a + b) / FLEET, 0.1, '%')
agentz('cancel', '--json', ...ids)
