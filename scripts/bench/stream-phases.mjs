// The phases of the benchmark of streams. Each takes a server and gives one number or several; none goes on for ever.
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { DurableStream, IdempotentProducer } from '@durable-streams/client'
import { quantile, until } from './measure.mjs'
import { Events, Wire } from './wire.mjs'

const RATE = 50
/** 200 bytes. */
const message = (n) => `{"type":"text","by":"agent","n":${n},"content":"`.padEnd(198, 'x').concat('"}')
let names = 0
const fresh = (what) => `${what}-${process.pid}-${++names}`

/** Durable appends in a second, of `writers` that each wait for their answer, on a stream each. */
export async function posts(server, { seconds, writers = 1 }) {
  const wire = new Wire(server, writers)
  const streams = Array.from({ length: writers }, () => fresh('post'))
  for (const name of streams) await wire.create(name)
  const end = performance.now() + seconds * 1000
  let count = 0
  const start = performance.now()
  await Promise.all(
    streams.map(async (name) => {
      for (; performance.now() < end; count++) await wire.append(name, message(count))
    }),
  )
  const took = performance.now() - start
  for (const name of streams) await wire.drop(name)
  wire.close()
  return (count / took) * 1000
}

/** Messages in a second by the official client's producer. */
export async function producer(server, { messages }) {
  const wire = new Wire(server)
  const name = fresh('producer')
  await wire.create(name)
  const stream = new DurableStream({
    url: `${server.url}${server.path(name)}`,
    headers: server.headers,
    contentType: 'application/json',
  })
  let failure
  const idempotent = new IdempotentProducer(stream, 'bench', { onError: (error) => (failure = error) })
  const start = performance.now()
  for (let n = 0; n < messages; n++) {
    idempotent.append(message(n))
    // As a program that does something else too.
    if (n % 1000 === 999) await sleep(0)
  }
  await idempotent.flush()
  const took = performance.now() - start
  await idempotent.close().catch(() => undefined)
  await wire.drop(name)
  wire.close()
  if (failure !== undefined) throw failure
  return (messages / took) * 1000
}

/**
 * Milliseconds from before an append to its arrival as an event, at 50 a second.
 * @param name a stream that is there @param file where lines are appended to directly, instead of by POST
 */
export async function latency(server, { seconds, name, file, query = '?offset=now&live=sse' }) {
  const wire = new Wire(server)
  const [sent, took] = [new Map(), []]
  const events = await new Events(server, name, query, (n, now) => {
    took.push(now - sent.get(n))
    sent.delete(n)
  }).open()
  await sleep(300)
  const fd = file && openSync(file, 'a')
  const start = performance.now()
  const posted = []
  for (let n = 0; n < seconds * RATE; n++) {
    await sleep(Math.max(0, start + (n * 1000) / RATE - performance.now()))
    // A server that has fallen behind is measured no longer.
    if (sent.size > RATE) break
    sent.set(n, performance.now())
    if (fd) writeSync(fd, `${message(n)}\n`)
    else posted.push(wire.append(name, message(n)))
  }
  await Promise.all(posted)
  await until(() => sent.size === 0, 'all events are there', { timeout: 20_000 }).catch(() => undefined)
  if (fd) closeSync(fd)
  events.close()
  wire.close()
  // What has not come by now has taken that long, at least.
  for (const at of sent.values()) took.push(performance.now() - at)
  return { p50: quantile(took, 0.5), p99: quantile(took, 0.99) }
}

/** MB in a second, and milliseconds to the first byte, of all of a stream by GET, in as many answers as the server likes. */
export async function replay(server, { name, query = (offset) => `?offset=${offset}` }) {
  const wire = new Wire(server)
  const start = performance.now()
  let [bytes, first] = [0, undefined]
  for (let offset = '-1'; offset !== undefined; ) {
    const { headers, body } = await wire.send('GET', name, {
      query: query(offset),
      read: (response) =>
        new Promise((resolve, reject) => {
          let length = 0
          response.on('data', (chunk) => {
            first ??= performance.now() - start
            length += chunk.length
          })
          response.once('end', () => resolve(length)).once('error', reject)
        }),
    })
    bytes += body
    offset = headers['stream-up-to-date'] || body === 0 ? undefined : headers['stream-next-offset']
  }
  wire.close()
  return { rate: bytes / 1000 / (performance.now() - start), first }
}

/** The same by events. @param size after how many bytes of them it is over */
export async function replayEvents(server, { name, size, query = '?offset=-1&live=sse' }) {
  const wire = new Wire(server)
  const start = performance.now()
  const response = await wire.open('GET', name, { query, headers: { accept: 'text/event-stream' } })
  const result = await new Promise((resolve, reject) => {
    let [bytes, first] = [0, undefined]
    const late = setTimeout(() => reject(new Error(`${server.label}: only ${bytes} bytes came`)), 60_000)
    response.on('data', (chunk) => {
      first ??= performance.now() - start
      bytes += chunk.length
      if (bytes < size) return
      clearTimeout(late)
      resolve({ rate: bytes / 1000 / (performance.now() - start), first })
    })
  })
  response.destroy()
  wire.close()
  return result
}

/** Seconds until each of `readers` has each of `count` events, which are appended one after the other. */
export async function fanOut(server, { name, readers, count, file, cap, query = '?offset=now&live=sse' }) {
  const wire = new Wire(server)
  const all = await Promise.all(Array.from({ length: readers }, () => new Events(server, name, query).open()))
  await sleep(500)
  const fd = file && openSync(file, 'a')
  const start = performance.now()
  const over = () => performance.now() - start > cap * 1000
  for (let n = 0; n < count && !over(); n++) {
    if (fd) writeSync(fd, `${message(n)}\n`)
    else await wire.append(name, message(n))
  }
  await until(() => over() || all.every(({ seen }) => seen >= count), 'all have all').catch(() => undefined)
  const took = (performance.now() - start) / 1000
  if (fd) closeSync(fd)
  const seen = all.reduce((sum, each) => sum + each.seen, 0)
  for (const each of all) each.close()
  wire.close()
  return { seconds: took, share: seen / (readers * count) }
}

/** MB that the server grows by while readers of events take nothing of what is appended, all of history included. */
export async function idleReaders(server, { name, readers, mb, cap }) {
  const wire = new Wire(server)
  const before = server.memory('VmRSS')
  const open = await Promise.all(Array.from({ length: readers }, () => wireToNobody(server, name)))
  const block = `[${Array.from({ length: 500 }, (_, n) => message(n)).join()}]`
  const start = performance.now()
  let written = 0
  for (; written < mb * 1e6 && performance.now() - start < cap * 1000; written += block.length)
    await wire.append(name, block)
  await sleep(500)
  const after = server.memory('VmRSS')
  for (const each of open) each.destroy()
  wire.close()
  return { grown: after - before, mb: written / 1e6 }
}

async function wireToNobody(server, name) {
  const wire = new Wire(server)
  const response = await wire.open('GET', name, { query: '?offset=-1&live=sse' })
  response.pause()
  return response
}

/** Milliseconds from the start of the process until it has said where a stream ends. */
export async function restart(server, { name }) {
  await server.stop()
  const start = performance.now()
  await server.start()
  const wire = new Wire(server)
  await wire.send('HEAD', name)
  wire.close()
  return performance.now() - start
}

/** Makes a stream of that many MB: by the file where there is one, else by POST. */
export async function fill(server, name, mb) {
  const wire = new Wire(server)
  await wire.create(name)
  const path = server.file(name)
  const line = `${message(7)}\n`
  if (path !== undefined) {
    await server.stop()
    writeLines(path, line, mb)
    await server.start()
  } else {
    const block = `[${Array.from({ length: 5000 }, () => message(7)).join()}]`
    for (let bytes = 0; bytes < mb * 1e6; bytes += block.length) await wire.append(name, block)
  }
  wire.close()
}

export function writeLines(path, line, mb) {
  const block = line.repeat(Math.ceil(1e6 / line.length))
  const fd = openSync(path, 'a', 0o600)
  for (let bytes = 0; bytes < mb * 1e6; bytes += block.length) writeSync(fd, block)
  // Else the first append of what is measured would wait for all of it.
  fdatasyncSync(fd)
  closeSync(fd)
}
