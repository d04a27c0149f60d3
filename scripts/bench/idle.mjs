// What a session that waits costs: private memory and CPU of its daemon, alone and as one of 100.

import { spawn } from 'node:child_process'
import { agentz, freshHome, median, quantile, until } from './measure.mjs'
import { cpuSeconds as cpu, privateMegabytes as dirty } from './process.mjs'

freshHome()
const FLEET = Number(process.argv[2] ?? 100)
const SECONDS = Number(process.argv[3] ?? 30)
const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

const bare = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
const start = () => JSON.parse(agentz('run', '--json', '-a', 'command', '--', 'sleep', '100000')).sessionId
const ids = Array.from({ length: FLEET }, start)
const live = () =>
  agentz('ls', '--json', '--status', 'running')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
const rows = await until(
  () => {
    const found = live()
    return found.length === FLEET && found
  },
  `${FLEET} sessions run`,
  { every: 500 },
)
const pids = rows.map(({ pid }) => pid)
await wait(5)
const before = pids.map(cpu)
await wait(SECONDS)
const shares = pids.map((pid, at) => ((cpu(pid) - before[at]) / SECONDS) * 100)
const memory = pids.map(dirty)
const report = (what, value, target, unit) =>
  console.log(`${what}: ${value} ${unit} (target ${target} ${unit}) ${value <= target ? 'met' : 'MISSED'}`)
console.log(`bare node: ${dirty(bare.pid).toFixed(1)} MB private`)
report(`private memory of an idle daemon, median of ${FLEET}`, Number(median(memory).toFixed(1)), 18, 'MB')
console.log(`  most ${quantile(memory, 1).toFixed(1)} MB`)
report(
  `CPU of an idle daemon, mean of ${FLEET} over ${SECONDS} s`,
  Number((shares.reduce((a, b) => a + b) / FLEET).toFixed(3)),
  0.1,
  '%',
)
bare.kill()
agentz('cancel', '--json', ...ids)
