/** Answers of durable streams share memory that is used again; none may ever hold what belongs to another. */
import { connect, type Socket } from 'node:net'
import t from 'tap'
import { newServer, send } from '../helpers.js'

/** Bytes of one answer at most (CHUNK in src/server/streams/read.ts). */
const CHUNK = 1024 * 1024

interface Answer {
  readonly socket: Socket
  /** Its bytes behind the head, once it has ended. */
  readonly body: Promise<Buffer>
}

/** Asks, and takes nothing before `resume`: the answer stands in the memory of the server and of the kernel until then. */
function ask(path: string, target: string): Answer {
  const socket = connect(path)
  socket.pause().write(`GET ${target} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
  const body = new Promise<Buffer>((resolve, reject) => {
    const pieces: Buffer[] = []
    socket.on('data', (piece) => pieces.push(piece)).once('error', reject)
    socket.once('close', () => {
      const all = Buffer.concat(pieces)
      resolve(all.subarray(all.indexOf('\r\n\r\n') + 4))
    })
  })
  return { socket, body }
}

t.test('many answers at once, to clients that wait, leave or read at once, hold their own bytes', async (t) => {
  const { socketPath } = await newServer(t)
  const letters = [...'abcdefgh']
  const octets = { 'content-type': 'application/octet-stream' }
  for (const letter of letters) {
    const { status } = await send(socketPath, `/v1/stream/${letter}`, letter.repeat(CHUNK), octets, 'PUT')
    t.equal(status, 201)
  }
  for (let round = 0; round < 6; round++) {
    // Each waits with some of its answer still in the server; then some go away, and others come.
    const waiting = letters.map((letter) => ({ letter, ...ask(socketPath, `/v1/stream/${letter}?offset=-1`) }))
    await Promise.all(waiting.map(({ socket }) => new Promise((resolve) => socket.once('readable', resolve))))
    const [leaving, staying] = [waiting.slice(0, 3), waiting.slice(3)]
    for (const { socket } of leaving) socket.destroy()
    const quick = letters.map((letter) => ({ letter, ...ask(socketPath, `/v1/stream/${letter}?offset=-1`) }))
    for (const { socket } of [...quick, ...staying]) socket.resume()
    for (const { letter, body } of [...quick, ...staying]) {
      const bytes = await body
      t.equal(bytes.length, CHUNK)
      t.ok(bytes.equals(Buffer.alloc(CHUNK, letter)), `only ${letter}`)
    }
  }
})

t.test('readers of events at different paces get their own bytes', async (t) => {
  const { socketPath } = await newServer(t)
  const letters = [...'abcdef']
  for (const letter of letters) {
    const line = JSON.stringify({ text: letter.repeat(1000) })
    const body = `[${Array.from({ length: 3000 }, () => line).join(',')}]`
    await send(socketPath, `/v1/stream/${letter}`, body, { 'content-type': 'application/json' }, 'PUT')
    const closed = { 'content-type': 'application/json', 'stream-closed': 'true' }
    t.equal((await send(socketPath, `/v1/stream/${letter}`, '', closed)).status, 204)
  }
  const readers = [...letters, ...letters].map((letter) => ({
    letter,
    ...ask(socketPath, `/v1/stream/${letter}?offset=-1&live=sse`),
  }))
  await Promise.all(readers.map(({ socket }) => new Promise((resolve) => socket.once('readable', resolve))))
  // The first half goes on before the second has taken a byte.
  for (const [at, { socket }] of readers.entries()) setTimeout(() => socket.resume(), at * 5)
  for (const { letter, body } of readers) {
    const texts = [...(await body).toString().matchAll(/"text":"(\w+)"/g)].map(([, text]) => text)
    t.equal(texts.length, 3000, `${letter} whole`)
    t.ok(
      texts.every((text) => text === letter.repeat(1000)),
      `only ${letter}`,
    )
  }
})
