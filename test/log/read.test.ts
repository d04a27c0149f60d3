import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { foldLog } from '../../src/log/fold.js'
import { type Damage, isAddress, openLog, readLog, splitLines } from '../../src/log/read.js'
import { tempDir } from '../helpers/home.js'

function readAll(path: string, from = 0, to?: number) {
  const records: { text: string; offset: number }[] = []
  const damaged: Damage[] = []
  const end = readLog(path, { from, to, onDamage: (damage) => damaged.push(damage) }, ({ bytes, offset }) =>
    records.push({ text: bytes.toString(), offset }),
  )
  return { records, damaged, end }
}

t.test('an address is the byte offset after the newline, for us and for tail -c', async (t) => {
  const path = join(tempDir(t), 'log.ndjson')
  writeFileSync(path, '{"n":1}\n\n{"s":"größer"}\nbroken\n{"n":3}\n{"part')
  const { records, damaged, end } = readAll(path)
  t.same(
    records.map(({ text }) => text),
    ['{"n":1}', '{"s":"größer"}', '{"n":3}'],
  )
  t.same(damaged, [{ at: 26, length: 6 }])
  t.equal(end, 41, 'what comes after the last newline is not data yet')
  const bytes = readFileSync(path)
  for (const { offset } of records) {
    t.equal(bytes[offset - 1], 0x0a)
    const { stdout } = spawnSync('tail', ['-c', `+${offset + 1}`, path])
    t.ok(stdout.equals(bytes.subarray(offset)), `tail -c +${offset + 1} begins where reading from ${offset} begins`)
    t.same(
      readAll(path, offset).records,
      records.filter((record) => record.offset > offset),
    )
  }
  t.same(readAll(path, 0, 9).records, records.slice(0, 1), 'a reader can be told where to end')
})

t.test('isAddress', async (t) => {
  const path = join(tempDir(t), 'log.ndjson')
  writeFileSync(path, '{"n":1}\n\n{"n":2}\n')
  const fd = openSync(path, 'r')
  t.teardown(() => closeSync(fd))
  const table: [number, boolean][] = [
    [0, true],
    [8, true],
    [9, true],
    [17, true],
    [7, false],
    [1, false],
    [16, false],
    [18, false],
    [1e9, false],
    [-1, false],
    [0.5, false],
    [Number.NaN, false],
    [Number.POSITIVE_INFINITY, false],
    [2 ** 53, false],
  ]
  for (const [offset, expected] of table) t.equal(isAddress(fd, offset), expected, `${offset}`)
})

t.test('bytes that are no UTF-8 pass as they are', async (t) => {
  const path = join(tempDir(t), 'log.ndjson')
  const line = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff, 0xfe, 0xc3]), Buffer.from('"}')])
  writeFileSync(path, Buffer.concat([Buffer.from('{"n":1}\n'), line, Buffer.from('\n{"n":2}\n')]))
  const copies: Buffer[] = []
  readLog(path, {}, ({ bytes }) => copies.push(Buffer.from(bytes)))
  t.equal(copies.length, 3)
  t.ok(copies[1]?.equals(line))
  const folded: unknown[] = []
  const { damaged } = foldLog(path, 0, ({ a, n }) => folded.push(a ?? n))
  t.same(folded, [1, '\ufffd\ufffd\ufffd', 2], 'people see replacement characters')
  t.same(damaged, [])
})

t.test('lines longer than the buffer', async (t) => {
  const path = join(tempDir(t), 'log.ndjson')
  const long = `{"a":"${'x'.repeat(5 * 1024 * 1024)}"}`
  writeFileSync(path, `{"n":1}\n${long}\n{"n":2}\n${long.slice(0, 700_000)}`)
  const { records, end } = readAll(path)
  t.equal(records.length, 3)
  t.ok(records[1]?.text === long)
  t.equal(records[2]?.offset, end)
  t.equal(end, long.length + 17)
})

t.test('a fold counts what looks like a record and is none', async (t) => {
  const path = join(tempDir(t), 'log.ndjson')
  writeFileSync(path, '{"n":1}\n{"torn":{"a":1}\n{}\n{\n{no json}\n[1]\nnull\n{"n":2}\n')
  const folded: unknown[] = []
  const { damaged, offset, size } = foldLog(path, 0, ({ n }) => folded.push(n))
  t.same(folded, [1, undefined, 2])
  t.same(
    damaged.map(({ at, length }) => [at, length]).sort((a, b) => Number(a[0]) - Number(b[0])),
    [
      [8, 15],
      [27, 1],
      [29, 9],
      [39, 3],
      [43, 4],
    ],
  )
  t.equal(offset, size)
})

t.test('a link or a FIFO in the place of a log', async (t) => {
  const directory = tempDir(t)
  writeFileSync(join(directory, 'target'), '{"n":1}\n')
  symlinkSync('target', join(directory, 'link'))
  t.throws(() => openLog(join(directory, 'link')), { code: 'HOME_UNUSABLE', message: /it is a symbolic link/ })
  spawnSync('mkfifo', [join(directory, 'fifo')])
  mkdirSync(join(directory, 'directory'))
  for (const name of ['fifo', 'directory'])
    t.throws(() => openLog(join(directory, name)), { code: 'HOME_UNUSABLE', message: /not a regular file/ }, name)
  t.throws(() => openLog(join(directory, 'nothing')), { code: 'ENOENT' }, 'whoever waits for it sees that')
})

// Any bytes at all: every byte before the last newline is in exactly one line, and where reading begins changes nothing.
t.test('property: lines cover the file', async (t) => {
  const path = join(tempDir(t), 'log.ndjson')
  const piece = fc.oneof(
    fc.json().map((text) => `{"v":${text}}\n`),
    fc.constantFrom('\n', '\x18\n', '{"torn', '{}', '}', '\x18', '{"n":1}\n', '\r\n'),
    fc.string(),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const bytes = Buffer.from(pieces.join(''))
      writeFileSync(path, bytes)
      const { records, damaged, end } = readAll(path)
      if (end !== bytes.lastIndexOf(0x0a) + 1) throw new Error(`it ended at ${end}`)
      const lines = bytes.subarray(0, end).toString('latin1').split('\n').slice(0, -1)
      const empty = lines.filter((line) => line === '' || line === '\x18').length
      if (records.length + damaged.length + empty !== lines.length) throw new Error('a line is missing')
      for (const { text, offset } of records) {
        const start = offset - Buffer.byteLength(text) - 1
        if (bytes.subarray(start, offset).toString() !== `${text}\n`) throw new Error(`wrong address ${offset}`)
        const rest = records.filter((record) => record.offset > offset)
        if (JSON.stringify(readAll(path, offset).records) !== JSON.stringify(rest)) throw new Error('a rest differs')
      }
    }),
    { numRuns: 150 },
  )
})

// One rotten bit may cost its own line, and two if it makes or unmakes a newline, but never a line elsewhere.
t.test('each single flipped bit of a log costs at most its own line', async (t) => {
  const lines = Array.from({ length: 20 }, (_, n) => `{"type":"text","n":${n}}`)
  const clean = Buffer.from(`${lines.join('\n')}\n`)
  let worst = 0
  for (let bit = 0; bit < clean.length * 8; bit++) {
    const bytes = Buffer.from(clean)
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    const found = new Set<string>()
    splitLines(bytes, 0, (start, end) => found.add(bytes.subarray(start, end).toString()))
    const lost = lines.filter((line) => !found.has(line)).length
    const allowed = clean[bit >> 3] === 0x0a ? 2 : 1
    if (lost > allowed) t.fail(`bit ${bit} costs ${lost} lines`)
    worst = Math.max(worst, lost)
  }
  t.equal(worst, 2)
})
