// `agentz ls` on 10,000 sessions with a warm checkpoint, against a bare `node -e 0`; and a cold fold of 1,000,000
// registry events, against a bare JSON.parse loop over the same lines.
import { randomBytes } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { cli, freshHome, inTurn, median, row, time } from './measure.mjs'

const home = freshHome()
const registry = join(home, 'registry.ndjson')
const directory = join(home, 'sessions')

function write(sessions, eventsEach) {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { mode: 0o700 })
  const fd = openSync(registry, 'w', 0o600)
  let clock = Date.parse('2026-01-01T00:00:00Z')
  let batch = []
  const line = (event) => {
    const { type, ...rest } = event
    clock += 10
    batch.push(JSON.stringify({ type, timestamp: new Date(clock).toISOString(), ...rest }))
    if (batch.length === 1000) {
      writeSync(fd, `${batch.join('\n')}\n`)
      batch = []
    }
  }
  for (let i = 0; i < sessions; i++) {
    const sessionId = randomBytes(6).toString('hex')
    const unit = `agentz-session-${sessionId}.service`
    const bootId = 'c931162c-0f85-4993-af9e-c2f52ac56001'
    const invocationId = randomBytes(16).toString('hex')
    const prompt = `Fix the failing test number ${i} in the parser, run the whole suite again, and say what was wrong`
    // What the registry is held against is that they are there; a sound one has none of them opened.
    writeFileSync(join(directory, `${sessionId}.ndjson`), '', { mode: 0o600 })
    writeFileSync(join(directory, `${sessionId}.env`), '', { mode: 0o600 })
    line({
      type: 'session_created',
      by: 'user',
      sessionId,
      agentType: 'claude',
      prompt,
      title: prompt.slice(0, 60),
      workingDir: '/home/me/src/project',
    })
    line({ type: 'daemon_started', by: 'daemon', epoch: 1, sessionId, unit, pid: 1000 + i, bootId, invocationId })
    for (let k = 4; k < eventsEach; k++)
      line({
        type: 'session_updated',
        by: 'daemon',
        epoch: 1,
        sessionId,
        status: k % 2 ? 'running' : 'waiting_approval',
      })
    line({ type: 'session_completed', by: 'daemon', epoch: 1, sessionId, metadata: { durationMs: 51234, turns: 3 } })
    line({
      type: 'daemon_exited',
      by: 'supervisor',
      epoch: 1,
      sessionId,
      unit,
      invocationId,
      result: 'success',
      code: 'exited',
      status: 0,
      manager: 'running',
    })
  }
  if (batch.length > 0) writeSync(fd, `${batch.join('\n')}\n`)
  closeSync(fd)
}

write(10_000, 4)
await time(process.execPath, [cli, 'ls', '-q'])
await new Promise((resolve) => setTimeout(resolve, 2_500))
await time(process.execPath, [cli, 'ls', '-q'])
const [ls, bare] = await inTurn(
  15,
  () => time(process.execPath, [cli, 'ls', '--json']),
  () => time(process.execPath, ['-e', '0']),
)
row('agentz ls --json of 10,000 sessions, warm', median(ls), median(bare), 2.5)
const [plain] = await inTurn(
  9,
  () => time(process.execPath, [cli, 'ls']),
  () => time(process.execPath, ['-e', '0']),
)
row('agentz ls of 10,000 sessions, warm', median(plain), median(bare), 2.5)

write(10_000, 100)
console.log(`registry of 1,000,000 events: ${(readFileSync(registry).length / 1e6).toFixed(0)} MB`)
const loop = `let n=0;for(const l of require('fs').readFileSync(${JSON.stringify(registry)},'utf8').split('\\n'))if(l){JSON.parse(l);n++}if(n!==1000000)throw n`
const cold = () => {
  rmSync(join(home, 'cache'), { recursive: true, force: true })
  return time(process.execPath, [cli, 'ls', '-q'])
}
const [fold, parse] = await inTurn(5, cold, () => time(process.execPath, ['-e', loop]))
row('cold fold of 1,000,000 events', median(fold), median(parse), 1.5)
