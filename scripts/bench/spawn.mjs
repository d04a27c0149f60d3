// How long `agentz run -d` takes, and how soon its agent's first line is in the file.
// Floors: `systemd-run --user --wait true` plus one bare `node -e 0`; systemd-run starting a bare node that writes a line.
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { agentz, changed, cli, freshHome, inTurn, median, quantile, row, time, until } from './measure.mjs'

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

/** From the moment the session exists, when its unit is asked for, to its first output line in the file. */
const fromSpawn = []
async function ourFirstLine() {
  const start = performance.now()
  const size = readFileSync(join(home, 'registry.ndjson')).length
  const child = spawn(process.execPath, [cli, 'run', '-d', '-a', 'command', '--', 'echo', 'x'], { stdio: 'ignore' })
  const created = await changed(join(home, 'registry.ndjson'), () => {
    const added = readFileSync(join(home, 'registry.ndjson')).subarray(size).toString()
    return /"session_created".*?"sessionId":"([0-9a-f]{12})".*\n/.exec(added)?.[1]
  })
  const spawned = performance.now()
  const log = join(home, 'sessions', `${created}.ndjson`)
  await changed(log, () => (readFileSync(log).includes('\n{"type":"text"') ? true : undefined))
  fromSpawn.push(performance.now() - spawned)
  const total = performance.now() - start
  await until(() => child.exitCode !== null && readFileSync(log).includes('daemon_exited'), 'it has ended')
  return total
}
const [first, bare] = await inTurn(times, ourFirstLine, bareFirstLine)
row('spawn to first output line', median(fromSpawn), median(bare), 2)
console.log(
  `  from typing the command: ${median(first).toFixed(0)} ms (${(median(first) / median(bare)).toFixed(2)} of the floor)`,
)
