// 50 sessions started at once from 10 processes, 1,000 lines of output each: everything completes, nothing is lost.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { agentz, cli, freshHome, quantile, time } from './measure.mjs'

const home = freshHome()
const PROCESSES = 10
const EACH = 5
const LINES = 1000
agentz('run', '-d', '-a', 'command', '--', 'true')

const spawns = []
const begin = Date.now()
await Promise.all(
  Array.from({ length: PROCESSES }, async () => {
    for (let i = 0; i < EACH; i++) {
      spawns.push(
        await time(process.execPath, [
          cli,
          'run',
          '-d',
          '-l',
          'bench=fleet',
          '-a',
          'command',
          '--',
          'seq',
          '-f',
          'line %g',
          String(LINES),
        ]),
      )
    }
  }),
)
const rows = () =>
  agentz('ls', '--json', '-l', 'bench=fleet')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
const ids = rows().map(({ sessionId }) => sessionId)
agentz('wait', ...ids)
const seconds = (Date.now() - begin) / 1000
let lines = 0
for (const { log, status, sessionId } of rows()) {
  if (status !== 'completed') throw new Error(`${sessionId} is ${status}`)
  const texts = readFileSync(log, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('{"type":"text"'))
    .map((line) => JSON.parse(line).content)
  const right = texts.length === LINES && texts.every((text, at) => text === `line ${at + 1}`)
  if (!right) throw new Error(`${sessionId}: ${texts.length} lines, or not in order`)
  lines += texts.length
}
if (ids.length !== PROCESSES * EACH) throw new Error(`${ids.length} sessions of ${PROCESSES * EACH}`)
const count = readFileSync(join(home, 'registry.ndjson'), 'utf8')
  .split('\n')
  .filter((line) => line.includes('"session_completed"')).length
if (count < ids.length) throw new Error(`${count} completions in the registry`)
const ms = (value) => `${value.toFixed(0)} ms`
console.log(
  `${ids.length} sessions from ${PROCESSES} processes: all completed, ${lines} lines, nothing lost, ${seconds.toFixed(1)} s`,
)
console.log(
  `run -d: p50 ${ms(quantile(spawns, 0.5))}, p99 ${ms(quantile(spawns, 0.99))}; ${Math.round(lines / seconds)} lines/s over all`,
)

// The registry's lock, as its writers meet it: 10 processes append cancel requests at once to sessions that run.
const waits = []
const child = (code) =>
  new Promise((resolve, reject) => {
    const each = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    each.stdout.on('data', (chunk) => (out += chunk))
    each.on('exit', (status) => (status === 0 ? resolve(JSON.parse(out)) : reject(new Error(`lock child: ${status}`))))
  })
const lockModule = JSON.stringify(new URL('../../node_modules/proper-lockfile/index.js', import.meta.url).href)
const code = `import lock from ${lockModule}
const waits = []
for (let i = 0; i < 20; i++) {
  const start = performance.now()
  for (;;) {
    try { const release = await lock.lock(${JSON.stringify(join(home, 'bench-lock'))}, { realpath: false, stale: 2000 }); waits.push(performance.now() - start); await release(); break }
    catch { await new Promise((r) => setTimeout(r, 2 + Math.random() * 20)) }
  }
}
console.log(JSON.stringify(waits))`
for (const each of await Promise.all(Array.from({ length: PROCESSES }, () => child(code)))) waits.push(...each)
console.log(
  `lock wait of ${PROCESSES} processes at once: p50 ${ms(quantile(waits, 0.5))}, p99 ${ms(quantile(waits, 0.99))}`,
)
