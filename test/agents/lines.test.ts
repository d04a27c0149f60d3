import { PassThrough, Readable } from 'node:stream'
import * as fc from 'fast-check'
import t from 'tap'
import { type LineOptions, readLines } from '../../src/agents/lines.js'
import { deferred } from './recorder.js'

type Line = [text: string, missing: number]

async function read(chunks: Iterable<Uint8Array>, options?: LineOptions): Promise<Line[]> {
  const lines: Line[] = []
  const source = Readable.from(Array.from(chunks, (chunk) => Buffer.from(chunk)))
  await readLines(source, (line, missing) => lines.push([line, missing]), options)
  return lines
}

const readText = (text: string, options?: LineOptions) => read([Buffer.from(text)], options)
const whole = (...lines: string[]): Line[] => lines.map((line) => [line, 0])

/** What the lines of a text are, said the slow way. */
function expected(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line) => line.replace(/\r$/, ''))
}

t.test('ends of lines', async (t) => {
  t.same(await readText(''), [])
  t.same(await readText('a\nb\n'), whole('a', 'b'))
  t.same(await readText('a\r\nb'), whole('a', 'b'))
  t.same(await readText('\n\n\r\nx\n'), whole('', '', '', 'x'))
})

t.test('invalid UTF-8 becomes U+FFFD, wherever it stands', async (t) => {
  t.same(await read([Buffer.of(0x61, 0xff, 0x0a, 0xe2, 0x82, 0x0a, 0xc3)]), whole('a\ufffd', '\ufffd', '\ufffd'))
})

const alphabet = fc.constantFrom('a', '\n', '\r', '\r\n', 'é', '€', '😀', '\0', '\n\n')
const someText = fc.array(alphabet, { maxLength: 120 }).map((parts) => parts.join(''))

t.test('however the bytes are parted into chunks', async () => {
  await fc.assert(
    fc.asyncProperty(someText, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 200 }), async (text, sizes) => {
      const lines = await read(parted(Buffer.from(text), sizes))
      return JSON.stringify(lines) === JSON.stringify(whole(...expected(text)))
    }),
    { numRuns: 1000 },
  )
})

t.test('a cap: what is kept is a prefix of whole characters, and every byte is accounted for', async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 200 })
  await fc.assert(
    fc.asyncProperty(someText, sizes, fc.integer({ min: 1, max: 12 }), async (text, sizes, cap) => {
      const lines = await read(parted(Buffer.from(text), sizes), { cap })
      const want = text.split('\n')
      if (want.at(-1) === '') want.pop()
      return (
        lines.length === want.length &&
        lines.every(([line, missing], n) => {
          // The "\r" of an end is in neither half, where a newline follows.
          const original = want[n] ?? ''
          const kept = Buffer.byteLength(line)
          const sum = [original, original.replace(/\r$/, '')].map((full) => Buffer.byteLength(full))
          return original.startsWith(line) && kept <= cap + 3 && sum.includes(kept + missing)
        })
      )
    }),
    { numRuns: 1000 },
  )
})

t.test('a line of 200 MB without a newline costs no more than the cap', async (t) => {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const before = process.memoryUsage().rss
  let most = 0
  function* endless() {
    for (let n = 0; n < 3200; n++) {
      if (n % 100 === 0) most = Math.max(most, process.memoryUsage().rss - before)
      yield chunk
    }
    yield Buffer.from('\nnext\n')
  }
  const lines: Line[] = []
  await readLines(Readable.from(endless()), (line, missing) => lines.push([line, missing]), { cap: 1024 * 1024 })
  t.equal(lines.length, 2)
  t.equal(lines[0]?.[0].length, 1024 * 1024)
  t.equal(lines[0]?.[1], 3200 * 64 * 1024 - 1024 * 1024)
  t.same(lines[1], ['next', 0])
  t.ok(most < 64 * 1024 * 1024, `grew by ${most} bytes`)
})

t.test('a child that writes byte by byte does not cost an object a byte', async (t) => {
  const source = new PassThrough()
  const lines: string[] = []
  const done = readLines(source, (line) => lines.push(line))
  for (let n = 0; n < 5000; n++) source.write('y')
  source.end('\n')
  await done
  t.same(lines, ['y'.repeat(5000)])
})

t.test('the lines of one read can be taken together', async (t) => {
  const reads: string[][] = []
  let lines: string[] = []
  const delivered = () => {
    reads.push(lines)
    lines = []
  }
  const source = Readable.from([Buffer.from('a\nb\nc'), Buffer.from('d\ne')])
  await readLines(source, (line) => lines.push(line), { delivered })
  t.same(reads, [['a', 'b'], ['cd'], ['e']])
})

t.test('while the log is full, nothing is read', async (t) => {
  const gate = deferred()
  const asked = deferred()
  let wait: Promise<void> | undefined
  const lines: string[] = []
  const source = new PassThrough()
  const onLine = (line: string) => {
    lines.push(line)
    if (line === 'one') wait = gate.promise
  }
  const full = () => {
    if (wait !== undefined) asked.resolve()
    return wait
  }
  const done = readLines(source, onLine, { full })
  source.write('one\n')
  await asked.promise
  source.end('two\n')
  await new Promise((resolve) => setImmediate(resolve))
  t.same(lines, ['one'])
  t.ok(source.isPaused())
  wait = undefined
  gate.resolve()
  await done
  t.same(lines, ['one', 'two'])
})

t.test('a source that is destroyed still gives its last piece', async (t) => {
  const source = new PassThrough()
  const lines: string[] = []
  const done = readLines(source, (line) => lines.push(line))
  source.write('whole\npiece')
  await new Promise((resolve) => setImmediate(resolve))
  source.destroy()
  await done
  t.same(lines, ['whole', 'piece'])
})

t.test('errors of the source and of the receiver come out', async (t) => {
  const broken = new PassThrough()
  const reading = readLines(broken, () => {})
  broken.destroy(new Error('EIO'))
  await t.rejects(reading, { message: 'EIO' })
  const throwing = readLines(Readable.from([Buffer.from('a\nb\n')]), () => {
    throw new Error('no')
  })
  await t.rejects(throwing, { message: 'no' })
  const delivered = () => {
    throw new Error('full')
  }
  for (const text of ['a\n', 'a']) {
    await t.rejects(
      readLines(Readable.from([Buffer.from(text)]), () => {}, { delivered }),
      { message: 'full' },
    )
  }
})

function* parted(bytes: Buffer, sizes: readonly number[]): Iterable<Buffer> {
  let at = 0
  for (const size of sizes) {
    if (at >= bytes.length) return
    yield bytes.subarray(at, at + size)
    at += size
  }
  if (at < bytes.length) yield bytes.subarray(at)
}
