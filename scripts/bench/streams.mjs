/**
 * Durable streams beside the official server and the least that could serve them (floor-server.mjs), in turns and in one run: what
 * counts are the ratios. All are asked over loopback TCP, and sync to the disk before they answer.
 *
 *   npm run build && node scripts/bench/streams.mjs [--only PHASE,...] [--seconds N] [--mb N] [--rounds N] [--cap N] [--json FILE] [--md]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { median } from './measure.mjs'
import * as phases from './stream-phases.mjs'
import { Floor, Official, Ours, SESSION } from './stream-servers.mjs'

const { values: flags } = parseArgs({
  options: {
    ...{ only: { type: 'string' }, json: { type: 'string' }, md: { type: 'boolean' } },
    ...{ seconds: { type: 'string', default: '5' }, mb: { type: 'string', default: '100' } },
    ...{ rounds: { type: 'string', default: '3' }, cap: { type: 'string', default: '80' } },
  },
})
const [seconds, mb, rounds, cap] = [flags.seconds, flags.mb, flags.rounds, flags.cap].map(Number)
/** Whatever hangs, the run does not. */
const MOST_MS = 40 * 60_000
const READERS = 200
const EVENTS = 200

const root = mkdtempSync(join(os.tmpdir(), 'agentz-bench-'))
const [official, ours, floor] = [new Official(root), new Ours(root), new Floor(root)]
const all = [official, ours, floor]
const sessionStream = ours.as('session stream', () => `/v1/stream/sessions/${SESSION}`)
const sessionEvents = ours.as('session events', () => `/v1/sessions/${SESSION}/events`)
const rows = []

/** Runs a phase on servers in turn; of each the median of its rounds, field by field. */
async function inTurns(servers, times, phase) {
  const seen = new Map(servers.map(({ label }) => [label, []]))
  for (let round = 0; round < times; round++) {
    for (const server of round % 2 === 0 ? servers : [...servers].reverse()) {
      // The official server is slow where it is slow, and once is enough to see it.
      if (server === official && round > 0) continue
      const result = await phase(server)
      seen.get(server.label).push(typeof result === 'number' ? { value: result } : result)
    }
  }
  const merged = (list) =>
    Object.fromEntries(Object.keys(list[0]).map((key) => [key, median(list.map((each) => each[key]))]))
  return Object.fromEntries([...seen].map(([label, list]) => [label, merged(list)]))
}

const number = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

/**
 * @param cells of each server: a number, or undefined where there is none @param target of ours as a share of the floor's, or a
 * function of ours and the floor's
 */
function row(what, unit, cells, target) {
  const { official, agentz, floor } = cells
  const ratio = floor === undefined ? undefined : agentz / floor
  const met = target.met(agentz, floor)
  rows.push({ what, unit, official, agentz, floor, ratio, target: target.text, met })
  const shown = (value) => (value === undefined ? '-' : number(value))
  console.error(
    `${what}: agentz ${shown(agentz)}, floor ${shown(floor)}, official ${shown(official)} ${unit}; ratio ${shown(ratio)} (target ${target.text}) ${met ? 'met' : 'MISSED'}`,
  )
}

const least = (share) => ({ text: `>= ${share}`, met: (value, of) => value >= share * of })
const most = (share) => ({ text: `<= ${share}`, met: (value, of) => value <= share * of })
const atMost = (limit, unit) => ({ text: `<= ${limit} ${unit}`, met: (value) => value <= limit })
const pick = (results, key, from = ours.label) => ({
  official: results.official?.[key],
  agentz: results[from]?.[key],
  floor: results.floor?.[key],
})

/** Lines of a session that nothing runs. */
const newSession = () =>
  phases.writeLines(
    ours.session(SESSION),
    '{"type":"session_created","timestamp":"2026-01-01T00:00:00.000Z","by":"user"}\n',
    0.0001,
  )

const live = '?offset=now&live=sse'
const direct = [
  { label: 'stream', server: sessionStream, options: { file: ours.session(SESSION) } },
  { label: 'events', server: sessionEvents, options: { file: ours.session(SESSION), query: '?offset=tail' } },
]

const table = {
  async posts(suffix = '', servers = all) {
    const one = await inTurns(servers, rounds, (server) => phases.posts(server, { seconds }))
    row(`sequential durable POST of 200 B${suffix}`, '/s', pick(one, 'value'), least(0.9))
    const many = await inTurns(servers, rounds, (server) => phases.posts(server, { seconds, writers: 16 }))
    row(`16 writers on 16 streams${suffix}`, '/s', pick(many, 'value'), least(0.9))
  },
  async producer() {
    const result = await inTurns(all, rounds, (server) => phases.producer(server, { messages: 100_000 }))
    row('idempotent producer, 100,000 messages', '/s', pick(result, 'value'), least(0.9))
  },
  async latency(suffix = '', servers = all, history = 0) {
    const name = `latency-${history}-${rows.length}`
    for (const server of servers) await phases.fill(server, name, history)
    const result = await inTurns(servers, rounds, (server) => phases.latency(server, { seconds, name }))
    for (const key of ['p50', 'p99'])
      row(`POST to SSE at 50/s, ${history} MB of history${suffix}, ${key}`, 'ms', pick(result, key), most(1.15))
    await this.direct(suffix, history)
  },
  /** What a daemon does: lines appended to the file. */
  async direct(suffix, history) {
    const name = `direct-${history}-${rows.length}`
    for (const path of [ours.session(SESSION), floor.file(name)]) {
      rmSync(path, { force: true })
      newSession()
      phases.writeLines(path, `${'{"type":"text","by":"agent","content":"'.padEnd(198, 'x')}"}\n`, history)
    }
    await floor.restart()
    const bare = { label: 'floor', server: floor, options: { name, file: floor.file(name), query: `${live}&watch=1` } }
    const ways = [...direct, bare].map((each) =>
      Object.assign(Object.create(each.server, { label: { value: each.label } }), { options: each.options }),
    )
    const result = await inTurns(ways, rounds, (server) => phases.latency(server, { seconds, ...server.options }))
    for (const label of ['stream', 'events']) {
      for (const [key, limit] of [
        ['p50', 1],
        ['p99', 4],
      ]) {
        row(
          `session file to SSE of ${label}, ${history} MB of history${suffix}, ${key}`,
          'ms',
          pick(result, key, label),
          atMost(limit, 'ms'),
        )
      }
    }
  },
  async history() {
    await this.latency('', all, 10)
    await this.latency('', [ours, floor], 1000)
  },
  async replay() {
    for (const server of all) await phases.fill(server, 'replay', mb)
    rmSync(ours.session(SESSION), { force: true })
    newSession()
    phases.writeLines(ours.session(SESSION), `${'{"type":"text","by":"agent","content":"'.padEnd(198, 'x')}"}\n`, mb)
    const size = mb * 1e6
    const got = await inTurns([...all, sessionStream], rounds, (server) => phases.replay(server, { name: 'replay' }))
    for (const [what, label] of [
      ['a stream', ours.label],
      ['a session', 'session stream'],
    ]) {
      row(`GET replay of ${mb} MB of ${what}`, 'MB/s', pick(got, 'rate', label), least(0.85))
      row(`GET replay of ${mb} MB of ${what}, first byte`, 'ms', pick(got, 'first', label), atMost(10, 'ms'))
    }
    const raw = await inTurns([sessionEvents, floor], rounds, (server) =>
      phases.replay(server, { name: 'replay', ...(server !== floor && { query: () => '?offset=0&follow=0' }) }),
    )
    row(`GET of ${mb} MB of /events?follow=0`, 'MB/s', pick(raw, 'rate', 'session events'), least(0.85))
    const sse = await inTurns([...all, sessionStream], rounds, (server) =>
      phases.replayEvents(server, { name: 'replay', size }),
    )
    for (const [what, label] of [
      ['a stream', ours.label],
      ['a session', 'session stream'],
    ])
      row(`SSE replay of ${mb} MB of ${what}`, 'MB/s', pick(sse, 'rate', label), least(0.85))
    const events = await inTurns([sessionEvents, floor], rounds, (server) =>
      phases.replayEvents(server, { name: 'replay', size, ...(server !== floor && { query: '?offset=0' }) }),
    )
    row(
      `SSE replay of ${mb} MB of /events, a frame a line`,
      'MB/s',
      pick(events, 'rate', 'session events'),
      least(0.85),
    )
  },
  async memory() {
    for (const server of all) await phases.fill(server, 'memory', mb)
    const peak = await inTurns(all, 1, async (server) => {
      await server.restart()
      await phases.replay(server, { name: 'memory' })
      await phases.replayEvents(server, { name: 'memory', size: mb * 1e6 })
      return server.memory('VmHWM')
    })
    row(`peak memory in a replay of ${mb} MB by GET, then SSE`, 'MB', pick(peak, 'value'), atMost(130, 'MB'))
    const grown = await inTurns([official, ours], 1, async (server) => {
      await server.restart()
      return await phases.idleReaders(server, { name: 'memory', readers: 5, mb: 40, cap })
    })
    row('5 readers that never read: grown by', 'MB', pick(grown, 'grown'), atMost(40, 'MB'))
  },
  async fan() {
    const options = { readers: READERS, count: EVENTS, cap, name: `fan-${rows.length}` }
    for (const server of all) await phases.fill(server, options.name, 0)
    const posted = await inTurns(all, rounds, (server) => phases.fanOut(server, options))
    row(
      `${EVENTS} events to ${READERS} subscribers${posted.official.share < 1 ? ` (official: ${number(posted.official.share * 100)} % of them)` : ''}`,
      's',
      pick(posted, 'seconds'),
      most(1),
    )
    rmSync(ours.session(SESSION), { force: true })
    newSession()
    for (const { label, server, options: own } of direct) {
      const result = await inTurns([server], rounds, (each) => phases.fanOut(each, { ...options, ...own }))
      row(
        `${EVENTS} events of a session file to ${READERS} subscribers of ${label}`,
        's',
        { agentz: result[server.label].seconds, floor: posted.floor.seconds },
        most(1),
      )
    }
  },
  async restart() {
    for (const [name, size] of [
      ['empty', 0],
      ['large', 1000],
    ])
      for (const server of [official, ours]) await phases.fill(server, name, size)
    const [none, large] = [[], []]
    for (let round = 0; round < rounds; round++) {
      none.push(await phases.restart(ours, { name: 'empty' }))
      large.push(await phases.restart(ours, { name: 'large' }))
    }
    const theirs = await phases.restart(official, { name: 'large' })
    row(
      'ready after a restart with 1 GB (floor: with an empty stream)',
      'ms',
      { official: theirs, agentz: median(large), floor: median(none) },
      most(1.15),
    )
  },
  async many() {
    for (let n = 0; n < 10_000; n++) {
      const id = n.toString(16).padStart(12, 'a')
      writeFileSync(
        ours.session(id),
        `{"type":"session_created","timestamp":"2026-01-01T00:00:00.000Z","by":"user","sessionId":"${id}"}\n`,
        { mode: 0o600 },
      )
    }
    await ours.restart()
    const suffix = ' among 10,000 sessions'
    await this.posts(suffix, [ours, floor])
    await this.latency(suffix, [ours, floor], 0)
  },
}

const order = ['posts', 'producer', 'latency', 'history', 'replay', 'memory', 'fan', 'restart', 'many']
const wanted = flags.only?.split(',') ?? order
for (const name of wanted) if (!order.includes(name)) throw new Error(`there is no phase ${name}: ${order.join(', ')}`)

const watchdog = setTimeout(() => {
  console.error('the benchmark took too long')
  process.exit(1)
}, MOST_MS)
process.on('exit', () => {
  for (const { child } of all) child?.kill('SIGKILL')
  rmSync(root, { recursive: true, force: true, maxRetries: 5 })
})
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => process.exit(1))

mkdirSync(root, { recursive: true })
const load = () => os.loadavg()[0].toFixed(1)
const before = load()
for (const server of all) await server.start()
for (const name of wanted) await table[name]()
for (const server of all) await server.stop()
clearTimeout(watchdog)

const note = `load before ${before}, after ${load()}; ${os.cpus().length} cores, Node ${process.version}`
if (flags.json !== undefined) writeFileSync(flags.json, JSON.stringify({ note, rows }, undefined, 2))
if (flags.md) {
  const cell = (value, unit) => (value === undefined ? '-' : `${number(value)} ${unit}`)
  console.log('| phase | official | floor | agentz | of the floor | target |\n|---|---|---|---|---|---|')
  for (const { what, unit, official, floor, agentz, ratio, target, met } of rows) {
    console.log(
      `| ${what} | ${cell(official, unit)} | ${cell(floor, unit)} | ${cell(agentz, unit)} | ${ratio === undefined ? '-' : number(ratio)} | ${target}${met ? '' : ': missed'} |`,
    )
  }
}
console.log(note)
