import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { type Frame, type Frames, pump } from '../../src/delivery/pump.js'
import { until } from '../helpers/home.js'

/** A real response, and who gets it. */
async function newPair(t: Test) {
  const server = createServer()
  const raw = new Promise<ServerResponse>((resolve) => server.once('request', (_, response) => resolve(response)))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const asked = request({ port, host: '127.0.0.1', agent: false })
  const got = new Promise<IncomingMessage>((resolve) => asked.once('response', resolve))
  asked.once('error', () => undefined).end()
  t.teardown(() => {
    asked.destroy()
    server.close()
  })
  const response = await raw
  response.flushHeaders()
  return { raw: response, got: await got, leave: () => asked.destroy() }
}

/** Frames that a test puts there. */
class Made implements Frames {
  readonly waiting: (Frame | 'end' | Error)[] = []
  wake = (): void => undefined
  asked = 0
  left = 0
  next() {
    this.asked++
    const next = this.waiting.shift()
    if (next instanceof Error) throw next
    return next ?? 'wait'
  }
  onMore(wake: () => void) {
    this.wake = wake
  }
  leave() {
    this.left++
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  return text
}

t.test('what there is, what comes, and the end', async (t) => {
  const { raw, got } = await newPair(t)
  const frames = new Made()
  frames.waiting.push({ bytes: Buffer.from('a') }, { bytes: Buffer.from('b') })
  pump(raw, frames, () => undefined, 0)
  t.equal(frames.waiting.length, 0)
  frames.waiting.push({ bytes: Buffer.from('c') })
  frames.wake()
  t.equal(frames.waiting.length, 0, 'sent before the one who woke it goes on')
  frames.waiting.push('end')
  frames.wake()
  t.equal(await textOf(got), 'abc')
  frames.wake()
  t.equal(frames.left, 1, 'left once')
})

t.test('memory that is lent is not touched before its bytes have left', async (t) => {
  const { raw, got } = await newPair(t)
  got.pause()
  const [SIZE, COUNT] = [1024 * 1024, 40]
  const memory = Buffer.alloc(SIZE)
  let sent = 0
  const frames: Frames = {
    next() {
      if (sent === COUNT) return 'end'
      memory.fill(sent++)
      return { bytes: memory, isLent: true }
    },
    onMore: () => undefined,
    leave: () => undefined,
  }
  pump(raw, frames, (error) => t.fail(String(error)), 0)
  await until(() => raw.writableLength > 0, 'the client takes no more')
  t.ok(sent < COUNT, `asked for ${sent} only`)
  const chunks: Buffer[] = []
  for await (const chunk of got) chunks.push(chunk)
  const whole = Buffer.concat(chunks)
  t.equal(whole.length, SIZE * COUNT)
  for (let n = 0; n < COUNT; n++) {
    t.ok(whole.subarray(n * SIZE, (n + 1) * SIZE).equals(Buffer.alloc(SIZE, n)), `piece ${n}`)
  }
})

t.test('a client that has gone, in the middle of a frame', async (t) => {
  const { raw, got, leave } = await newPair(t)
  got.pause().on('error', () => undefined)
  const frames = new Made()
  frames.waiting.push({ bytes: Buffer.alloc(64 * 1024 * 1024) }, { bytes: Buffer.from('b') })
  pump(raw, frames, () => t.fail('nothing was thrown'), 0)
  t.equal(frames.waiting.length, 1, 'one at a time')
  leave()
  await until(() => frames.left === 1, 'the frames are let go')
  const { asked } = frames
  frames.wake()
  t.equal(frames.asked, asked, 'and asked for no more')
})

t.test('what is thrown is told, and ends it', async (t) => {
  const { raw, got } = await newPair(t)
  const frames = new Made()
  frames.waiting.push({ bytes: Buffer.from('a') }, new Error('no more'))
  pump(raw, frames, (error) => raw.write(String(error)), 0)
  t.equal(await textOf(got), 'aError: no more')
  t.equal(frames.left, 1)
})

t.test('silence is broken', async (t) => {
  const { raw, got } = await newPair(t)
  const frames = new Made()
  pump(raw, frames, () => undefined, 20)
  let text = ''
  got.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  await until(() => text === ': nothing new\n\n'.repeat(2), 'two heartbeats')
  frames.waiting.push('end')
  frames.wake()
  await until(() => got.complete, 'the end')
})
