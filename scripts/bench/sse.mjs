/**
 * How long an appended event takes to an SSE client: `agentz serve` through its Unix socket, beside the least that could do
 * it (node:http, fs.watch and one read), in the same run, with 0, 10 MB and 1 GB of history.
 *
 *   npm run build && node scripts/bench/sse.mjs [SECONDS]
 */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { cli, quantile, until } from './measure.mjs'

const RATE = 50
const SIZES = [0, 10e6, 1e9]
const self = fileURLToPath(import.meta.url)
/** Milliseconds, p50. */
const TARGET = 1.5

if (process.argv[2] === '--floor') floor(process.argv[3], process.argv[4])
else await main(Number(process.argv[2] ?? 8))

/** Nothing but the event: no guard, no offsets, no other subscriber, no second file. */
function floor(log, socket) {
  http
    .createServer((_, response) => {
      const fd = fs.openSync(log, 'r')
      const buffer = Buffer.alloc(65536)
      let at = fs.fstatSync(fd).size
      response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
      fs.watch(log, () => {
        const count = fs.readSync(fd, buffer, 0, buffer.length, at)
        at += count
        if (count > 0) response.write(`data: ${buffer.toString('utf8', 0, count)}\n`)
      })
    })
    .listen(socket)
}

async function main(seconds) {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'agentz-bench-'))
  const home = path.join(root, 'home')
  const env = { ...process.env, AGENTZ_HOME: home, XDG_RUNTIME_DIR: root, AGENTZ_LOG_LEVEL: 'warn' }
  fs.mkdirSync(path.join(home, 'sessions'), { recursive: true, mode: 0o700 })
  const children = []
  const start = (...args) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
    children.push(child)
    return child
  }
  try {
    start(cli, 'serve', '--port', '0')
    const sockets = path.join(root, 'agentz')
    await there(sockets)
    const found = () => fs.readdirSync(sockets).find((name) => name.endsWith('.sock'))
    const socket = path.join(sockets, await until(found, 'the server listens'))
    for (const [index, size] of SIZES.entries()) {
      const id = String(index).padStart(12, '0')
      const log = path.join(home, 'sessions', `${id}.ndjson`)
      fill(log, id, size)
      const bare = path.join(root, `floor-${index}`)
      start(self, '--floor', log, bare)
      await there(bare)
      // In turns, so that what else the machine does falls on both.
      const [ours, least] = [[], []]
      for (let turn = 0; turn < 2; turn++) {
        least.push(...(await measure(bare, '/', log, seconds / 2)))
        ours.push(...(await measure(socket, `/v1/sessions/${id}/events?offset=tail`, log, seconds / 2)))
      }
      report(size, ours, least)
      fs.rmSync(log)
    }
  } finally {
    for (const child of children) child.kill()
    fs.rmSync(root, { recursive: true, force: true })
  }
}

function there(socket) {
  return until(() => fs.existsSync(socket), `${socket} is there`)
}

function fill(log, sessionId, size) {
  const spec = { sessionId, agentType: 'command', prompt: '', title: 'bench', command: ['true'], workingDir: '/' }
  const frame = { timestamp: new Date().toISOString(), by: 'user' }
  fs.writeFileSync(log, `${JSON.stringify({ type: 'session_created', ...frame, sessionId, spec })}\n`, { mode: 0o600 })
  const line = `${JSON.stringify({ type: 'text', ...frame, by: 'agent', epoch: 1, content: 'x'.repeat(220) })}\n`
  const block = line.repeat(3000)
  const fd = fs.openSync(log, 'a')
  for (let written = 0; written < size; written += block.length) fs.writeSync(fd, block)
  fs.closeSync(fd)
}

/** Milliseconds from before each append until its event is here. */
async function measure(socketPath, url, log, seconds) {
  const fd = fs.openSync(log, 'a')
  const sent = new Map()
  const took = []
  const request = http.request({ socketPath, path: url, headers: { host: 'localhost' } })
  const response = await new Promise((resolve, reject) => request.once('response', resolve).once('error', reject).end())
  response.setEncoding('utf8').on('data', (text) => {
    const now = performance.now()
    for (const [, n] of text.matchAll(/"n":([0-9]+)/g)) {
      took.push(now - sent.get(n))
      sent.delete(n)
    }
  })
  response.on('error', () => undefined)
  await sleep(300)
  for (let n = 0; n < seconds * RATE; n++) {
    const line = `{"type":"text","timestamp":"${new Date().toISOString()}","by":"agent","epoch":1,"content":"hello","n":${n}}\n`
    sent.set(String(n), performance.now())
    fs.writeSync(fd, line)
    await sleep(1000 / RATE)
  }
  await sleep(300)
  request.destroy()
  fs.closeSync(fd)
  if (sent.size > 0) throw new Error(`${sent.size} events never came from ${url}`)
  return took
}

function report(size, ours, least) {
  const cells = [0.5, 0.99].map((part) => {
    const [a, b] = [quantile(ours, part), quantile(least, part)]
    return `p${part * 100} ${a.toFixed(2)} ms, floor ${b.toFixed(2)} ms, ratio ${(a / b).toFixed(2)}`
  })
  const met = quantile(ours, 0.5) <= TARGET ? 'met' : 'MISSED'
  const what = `append to SSE, ${(size / 1e6).toFixed(0)} MB of history`
  console.log(`${what}: ${cells.join('; ')} (target p50 ${TARGET} ms) ${met}`)
}
