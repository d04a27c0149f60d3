// 100,000 lines of a `command` session, from the program's start to the last line in the file, against bare Node
// that reads the same program's output, splits it, adds an envelope and writes the file.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { agentz, freshHome, inTurn, median, row } from './measure.mjs'

const home = freshHome()
const LINES = 100_000
const source = join(home, 'source.txt')
writeFileSync(
  source,
  Array.from(
    { length: LINES },
    (_, i) => `${String(i).padStart(6)} some output of a build, as long as such lines usually are, /usr/lib/x86_64\n`,
  ).join(''),
)

const bare = join(home, 'bare.mjs')
writeFileSync(
  bare,
  `import { spawn } from 'node:child_process'
import { openSync, writeSync, fdatasyncSync } from 'node:fs'
const start = performance.now()
const fd = openSync(process.argv[2], 'a')
const child = spawn('sh', ['-c', process.argv[3]], { stdio: ['ignore', 'pipe', 'inherit'] })
let rest = ''
child.stdout.setEncoding('utf8')
child.stdout.on('data', (chunk) => {
  const lines = (rest + chunk).split('\\n')
  rest = lines.pop()
  const timestamp = new Date().toISOString()
  writeSync(fd, lines.map((content) => JSON.stringify({ type: 'text', timestamp, by: 'agent', epoch: 1, stream: 'stdout', content }) + '\\n').join(''))
})
child.on('close', () => { fdatasyncSync(fd); console.log(performance.now() - start) })
`,
)

const command = `cat ${source} | cat`
let count = 0
const floor = async () =>
  Number(execFileSync(process.execPath, [bare, join(home, `bare${count++}.ndjson`), command], { encoding: 'utf8' }))

async function ours() {
  const { sessionId, log } = JSON.parse(agentz('run', '--json', '-a', 'command', '--', 'sh', '-c', command))
  agentz('wait', sessionId)
  const events = readFileSync(log, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
  const texts = events.filter(({ type }) => type === 'text')
  if (texts.length !== LINES) throw new Error(`${texts.length} lines of ${LINES} in ${log}`)
  const done = events.find(({ type }) => type === 'session_completed')
  const started = events.find(({ type }) => type === 'daemon_started')
  return Date.parse(done.timestamp) - Date.parse(started.timestamp)
}

const [session, node] = await inTurn(7, ours, floor)
row('100,000 lines to the file', median(session), median(node), 1.5)
console.log(`  ${Math.round((LINES / median(session)) * 1000).toLocaleString('en')} lines/s`)
