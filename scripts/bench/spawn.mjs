// How long `agentz run -d` takes, and how soon its agent's first line is in the file.
// Floors: `systemd-run --user --wait true` plus one bare `node -e 0`; systemd-run starting a bare node that writes a line.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { agentz, changed, cli, freshHome, inTurn, median, quantile, row, time } from './measure.mjs'

const home = freshHome()
const times = Number(process.argv[2] ?? 15)
agentz('run', '-d', '-a', 'command', '--', 'true')

const [ours, floor] = await inTurn(
  times,
  () => time(process.execPath, [cli, 'run', '-d', '-a', 'command', '--', 'true']),
  async () =>
    (await time('systemd-run', ['--user', '--quiet', '--wait', 'true'])) + (await time(process.execPath, ['-e', '0'])),
)
row('agentz run -d returns', median(ours), median(floor), 2.5)
console.log(`  p90 ${quantile(ours, 0.9).toFixed(0)} ms, floor p90 ${quantile(floor, 0.9).toFixed(0)} ms`)

const marker = join(home, 'first')
async function bareFirstLine() {
  writeFileSync(marker, '')
  const start = performance.now()
  const code = `require('fs').appendFileSync(${JSON.stringify(marker)}, 'x\\n')`
  spawn('systemd-run', ['--user', '--quiet', '--no-block', process.execPath, '-e', code], { stdio: 'inherit' })
  await changed(marker, () => (readFileSync(marker).length > 0 ? true : undefined))
  return performance.now() - start
}

/** From the moment the session exists on disk, when the unit is asked for, to its first output line in the file. */
const fromSpawn = []
async function ourFirstLine() {
  const start = performance.now()
  const startDate = Date.now()
  const { log } = JSON.parse(agentz('run', '--json', '-a', 'command', '--', 'echo', 'x'))
  const line = await changed(log, () =>
    readFileSync(log, 'utf8')
      .split('\n')
      .find((text) => text.startsWith('{"type":"text"')),
  )
  const total = performance.now() - start
  const created = JSON.parse(readFileSync(log, 'utf8').split('\n')[0]).timestamp
  fromSpawn.push(Date.parse(JSON.parse(line).timestamp) - Date.parse(created))
  return Math.min(total, Date.parse(JSON.parse(line).timestamp) - startDate + 1)
}
const [first, bare] = await inTurn(times, ourFirstLine, bareFirstLine)
row('spawn to first output line', median(fromSpawn), median(bare), 2)
console.log(
  `  from typing the command: ${median(first).toFixed(0)} ms (${(median(first) / median(bare)).toFixed(2)} of the floor)`,
)
