// 50 sessions started at once from 10 processes, 1,000 lines of output each: everything completes, nothing is lost.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
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

// The lock of the log room, as 10 processes meet it that want it at once, over and over.
const program = join(home, 'lock.mjs')
await build({
  stdin: {
    contents: `import { withLock } from './src/log/lock.ts'
const waits = []
for (let i = 0; i < 20; i++) {
  const start = performance.now()
  await withLock(process.argv[2], () => void waits.push(performance.now() - start))
}
console.log(JSON.stringify(waits))`,
    resolveDir: fileURLToPath(new URL('../..', import.meta.url)),
    loader: 'ts',
  },
  outfile: program,
  bundle: true,
  format: 'esm',
  platform: 'node',
  banner: { js: "import{createRequire as __c}from'node:module';const require=__c(import.meta.url);" },
})
const contend = promisify(execFile)
const runs = Array.from({ length: PROCESSES }, () => contend(process.execPath, [program, join(home, 'contended')]))
const waits = (await Promise.all(runs)).flatMap(({ stdout }) => JSON.parse(stdout))
console.log(
  `lock wait of ${PROCESSES} processes at once: p50 ${ms(quantile(waits, 0.5))}, p99 ${ms(quantile(waits, 0.99))}`,
)
