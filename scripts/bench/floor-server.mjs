// The least that could serve streams: a file a stream, pread, write and fdatasync. No guard, types, producers, expiry, forks or limits.
//   node scripts/bench/floor-server.mjs DIRECTORY        prints {"url"}
import fs from 'node:fs'
import http from 'node:http'
import { join } from 'node:path'

const streams = new Map()
const PIECE = 1024 * 1024

function stream(name) {
  if (streams.has(name)) return streams.get(name)
  const fd = fs.openSync(join(process.argv[2], `${name}.ndjson`), 'a+')
  const opened = { fd, end: fs.fstatSync(fd).size, readers: new Set() }
  streams.set(name, opened)
  return opened
}

/** Whole lines at an offset, as an array; the array is one byte longer than they are. */
function arrayAt({ fd, end }, at) {
  const bytes = Buffer.allocUnsafe(Math.min(PIECE, end - at) + 1)
  const count = fs.readSync(fd, bytes, 1, bytes.length - 1, at)
  const length = bytes.lastIndexOf(10, count) + 1
  for (let i = bytes.indexOf(10); i >= 0 && i < length; i = bytes.indexOf(10, i + 1)) bytes[i] = 44
  bytes[0] = 91
  bytes[length - 1] = 93
  return bytes.subarray(0, length)
}

const framed = (array, to) =>
  Buffer.concat([
    Buffer.from('event: data\ndata:'),
    array,
    Buffer.from(`\n\nevent: control\ndata:{"streamNextOffset":"${to}"}\n\n`),
  ])

/** History by pread, as the client takes it; then what the others get, too. */
function follow(from, at, response) {
  while (at < from.end) {
    const array = arrayAt(from, at)
    at += array.length - 1
    if (!response.write(framed(array, at))) return response.once('drain', () => follow(from, at, response))
  }
  from.readers.add(response)
}

function grow(of, size) {
  if (size <= of.end) return
  const at = of.end
  of.end = size
  if (of.readers.size === 0) return
  const array = arrayAt(of, at)
  const frame = framed(array, size)
  for (const reader of of.readers) reader.write(frame)
}

function append(to, request, response) {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    if (body.length === 0) return response.writeHead(201).end()
    const value = JSON.parse(body)
    const lines = Array.isArray(value) ? value.map((each) => `${JSON.stringify(each)}\n`).join('') : `${body}\n`
    fs.writeSync(to.fd, lines)
    fs.fdatasync(to.fd, () => {
      const { size } = fs.fstatSync(to.fd)
      response.writeHead(request.headers['producer-id'] ? 200 : 204, { 'Stream-Next-Offset': String(size) }).end()
      grow(to, size)
    })
  })
}

const server = http.createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://floor')
  const asked = stream(pathname.split('/').pop())
  const at = searchParams.get('offset') === 'now' ? asked.end : Math.max(0, Number(searchParams.get('offset')))
  if (request.method === 'PUT' || request.method === 'POST') return append(asked, request, response)
  if (request.method === 'DELETE') return response.writeHead(204).end()
  if (searchParams.has('live')) {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
    // What others append to the file.
    if (searchParams.has('watch'))
      asked.watch ??= fs.watch(join(process.argv[2], `${pathname.split('/').pop()}.ndjson`), () =>
        grow(asked, fs.fstatSync(asked.fd).size),
      )
    response.once('close', () => asked.readers.delete(response))
    return follow(asked, at, response)
  }
  const array = request.method === 'GET' && at < asked.end ? arrayAt(asked, at) : Buffer.from('[]')
  const to = array.length > 2 ? at + array.length - 1 : asked.end
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Content-Length': array.length,
    'Stream-Next-Offset': String(to),
    ...(to === asked.end && { 'Stream-Up-To-Date': 'true' }),
  })
  response.end(request.method === 'GET' ? array : undefined)
})
server.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` })))
