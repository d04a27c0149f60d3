// What the daemon adds to the CPU of a real claude over an answer of 10,000 deltas from a scripted model. Needs the agents of the
// tests: `npm ci` in test/agents.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startServer } from '../../test/mock-model/server.mjs'
import { agentz, freshHome, median } from './measure.mjs'
import { childrenOf, cpuSeconds } from './process.mjs'

const home = freshHome()
const DELTAS = Number(process.argv[2] ?? 10_000)
const bin = fileURLToPath(new URL('../../test/agents/node_modules/.bin', import.meta.url))
const own = join(home, 'own')
mkdirSync(own)
const mock = await startServer()
Object.assign(process.env, {
  PATH: `${bin}:${process.env.PATH}`,
  HOME: own,
  ANTHROPIC_BASE_URL: mock.url,
  ANTHROPIC_API_KEY: 'mock',
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  DISABLE_AUTOUPDATER: '1',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  NO_PROXY: '127.0.0.1',
})

/** Seconds of CPU of daemon and agent from the beginning of the turn to when both were last seen. */
async function run() {
  const { sessionId, log } = JSON.parse(agentz('run', '--json', '-C', own, `MOCK: flood ${DELTAS}`))
  let first
  let last
  for (;;) {
    const events = readFileSync(log, 'utf8')
    const pid = Number(/"daemon_started".*?"pid":(\d+)/.exec(events)?.[1])
    if (pid) last = look(pid) ?? last
    if (events.includes('"turn_started"')) first ??= last
    if (/"type":"session_(completed|failed)"/.test(events)) {
      const text =
        /"type":"text"[^\n]*"content":"([^"]*)"/.exec(events.replaceAll(/.*"partial":true.*/g, ''))?.[1] ?? ''
      if (text.split(' ').length < DELTAS) throw new Error(`the answer of ${sessionId} is not whole`)
      return { daemon: last.daemon - first.daemon, agent: last.agent - first.agent }
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

function look(pid) {
  try {
    const agents = childrenOf(pid).filter((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8').includes('claude'))
    if (agents.length === 0) return undefined
    return { daemon: cpuSeconds(pid), agent: agents.reduce((sum, agent) => sum + cpuSeconds(agent), 0) }
  } catch {
    // One of them has just ended.
    return undefined
  }
}

const runs = []
for (let i = 0; i < 6; i++) runs.push(await run())
// The first one warms the disk.
const shares = runs.slice(1).map(({ daemon, agent }) => (daemon / agent) * 100)
const share = median(shares)
console.log(
  `CPU of the daemon over an answer of ${DELTAS} deltas, of the agent's own: ${share.toFixed(1)} % (target 10 %) ${share <= 10 ? 'met' : 'MISSED'}`,
)
console.log(
  `  daemon ${runs.map(({ daemon }) => daemon.toFixed(2)).join(' ')} s, agent ${runs.map(({ agent }) => agent.toFixed(2)).join(' ')} s`,
)
await mock.close()
