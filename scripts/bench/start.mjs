// What the server costs before anybody asks for more than sessions, and what each lazy part adds when it is first asked for: milliseconds
// from the start of the process to its first answer, private memory, and the first and second request; beside a bare Fastify.
//   node scripts/bench/start.mjs [ROUNDS]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { request } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { cli, freshHome, median } from './measure.mjs'
import { privateMegabytes } from './process.mjs'

const ROUNDS = Number(process.argv[2] ?? 9)
const home = freshHome()
// A line for each request would be in the way of the table.
process.env.AGENTZ_LOG_LEVEL = 'error'
const socketPath = join(home, 's')
const fastify = createRequire(import.meta.url).resolve('fastify')
const bare = `const app = require(${JSON.stringify(fastify)})()
app.get('/healthz', async () => ({ status: 'ok' }))
app.listen({ path: ${JSON.stringify(socketPath)} }).then(() => console.log('{}'))`

/** What a first request for it is. */
const parts = {
  streams: ['PUT', '/v1/stream/a', { 'content-type': 'application/json' }],
  'openapi, docs': ['GET', '/openapi.json'],
  metrics: ['GET', '/metrics'],
  viewer: ['GET', '/viewer/viewer.css'],
}

async function ask(path, method, url, headers = {}) {
  const start = performance.now()
  const asked = request({ socketPath: path, method, path: url, headers: { host: 'localhost', ...headers } })
  asked.end()
  const [response] = await once(asked, 'response')
  await once(response.resume(), 'end')
  if (response.statusCode >= 400) throw new Error(`${method} ${url}: ${response.statusCode}`)
  return performance.now() - start
}

async function server(argv) {
  rmSync(socketPath, { force: true })
  const start = performance.now()
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${argv[0]} ended with ${code}`)))
  const [line] = await Promise.race([once(child.stdout, 'data'), ended])
  ended.catch(() => undefined)
  const path = JSON.parse(String(line)).socketPath ?? socketPath
  await ask(path, 'GET', '/healthz')
  const ms = performance.now() - start
  const end = () => {
    const gone = once(child, 'exit')
    child.kill()
    return gone
  }
  return { path, ms, memory: () => privateMegabytes(child.pid), end }
}

const found = {}
const note = (what, values) => {
  found[what] ??= {}
  for (const [name, value] of Object.entries(values)) {
    found[what][name] ??= []
    found[what][name].push(value)
  }
}
const loaded = async (what, names) => {
  const one = await server([cli, 'serve', '--json', '--port', '0'])
  const before = one.memory()
  const times = []
  for (const name of names) {
    const first = await ask(one.path, ...parts[name])
    times.push([first, await ask(one.path, ...parts[name])])
  }
  const [first, second] = [0, 1].map((at) => times.reduce((sum, each) => sum + each[at], 0))
  note(what, { ms: one.ms, memory: one.memory(), added: one.memory() - before, first, second })
  await one.end()
}

for (let round = 0; round < ROUNDS; round++) {
  const least = await server(['-e', bare])
  note('bare Fastify', { ms: least.ms, memory: least.memory() })
  await least.end()
  await loaded('agentz serve', [])
  for (const name of Object.keys(parts)) await loaded(`with ${name}`, [name])
  await loaded('with all', Object.keys(parts))
}

console.log('| server | first answer after | private memory | added | first request | second |')
console.log('|---|---|---|---|---|---|')
for (const [what, values] of Object.entries(found)) {
  const of = (name, unit) => (values[name] === undefined ? '' : `${median(values[name]).toFixed(1)} ${unit}`)
  const rest = what.startsWith('with') ? [of('added', 'MB'), of('first', 'ms'), of('second', 'ms')] : ['', '', '']
  console.log(`| ${[what, of('ms', 'ms'), of('memory', 'MB'), ...rest].join(' | ')} |`)
}
