import { spawnSync } from 'node:child_process'
import { appendFileSync, chownSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Appender, appendOnce, createLog } from '../../src/log/append.js'
import { MAX_LINE } from '../../src/log/line.js'
import { type Damage, readLog } from '../../src/log/read.js'
import { isRoot, tempDir } from '../helpers/home.js'

const text = (path: string) => readFileSync(path, 'utf8')
const newLog = (test: Test) => join(tempDir(test), 'log.ndjson')

function read(path: string): { lines: string[]; damaged: Damage[] } {
  const lines: string[] = []
  const damaged: Damage[] = []
  readLog(path, { onDamage: (damage) => damaged.push(damage) }, ({ bytes }) => lines.push(bytes.toString()))
  return { lines, damaged }
}

t.test('a one-shot writer begins with a newline, but for the first line of a file', async (t) => {
  const path = newLog(t)
  t.equal(appendOnce(path, '{"n":1}'), 8, 'the size of the file is the address of its line')
  t.equal(text(path), '{"n":1}\n')
  t.equal(appendOnce(path, '{"n":2}'), 17)
  t.equal(text(path), '{"n":1}\n\n{"n":2}\n')
  t.same(read(path).lines, ['{"n":1}', '{"n":2}'])
})

t.test('a lasting writer begins with a newline only the first time', async (t) => {
  const path = newLog(t)
  createLog(path, '{"n":1}')
  const appender = new Appender(path)
  t.same(appender.append(['{"n":2}', '{"n":3}']), { lines: 2, bytes: 17 })
  t.same(appender.append(['{"n":4}']), { lines: 1, bytes: 8 })
  t.equal(text(path), '{"n":1}\n\n{"n":2}\n{"n":3}\n{"n":4}\n')
  t.equal(appender.size(), 33)
  await appender.sync()
  appender.close()
})

// A writer that trusts the last byte to be a newline glues its line to a torn one, and both are lost.
t.test('a tail torn at any byte harms no neighbour and is reported once, with its offset', async (t) => {
  const first = '{"type":"text","content":"before"}'
  const torn = '{"type":"text","content":"größer","n":{"a":1}}\n'
  const bytes = Buffer.from(torn)
  for (const write of ['once', 'lasting'] as const) {
    for (let cut = 0; cut <= bytes.length; cut++) {
      const path = join(tempDir(t), 'log.ndjson')
      appendOnce(path, first)
      const at = statSync(path).size
      appendFileSync(path, bytes.subarray(0, cut))
      if (write === 'once') appendOnce(path, '{"n":"after"}')
      else {
        const appender = new Appender(path)
        appender.append(['{"n":"after"}'])
        appender.close()
      }
      const { lines, damaged } = read(path)
      const whole = cut === bytes.length ? [torn.trimEnd()] : []
      const expected = cut === 0 || cut === bytes.length ? [] : [{ at, length: cut + 1 }]
      t.same(lines, [first, ...whole, '{"n":"after"}'], `cut at ${cut}, ${write}: the neighbours stand`)
      t.same(damaged, expected, `cut at ${cut}, ${write}: the damage`)
    }
  }
})

// Two writers may see the same torn tail and both seal it; the second seal is then a line of one CAN.
t.test('a seal on a tail that got its newline meanwhile is no damage', async (t) => {
  const path = newLog(t)
  appendFileSync(path, '{"n":1}\n\x18\n{"n":2}\n{"to\x18\n{"n":3}\n')
  const { lines, damaged } = read(path)
  t.same(lines, ['{"n":1}', '{"n":2}', '{"n":3}'])
  t.same(damaged, [{ at: 18, length: 5 }])
})

t.test('a line that is too long is refused before anything is written', async (t) => {
  const path = newLog(t)
  const line = (length: number) => `{"a":"${'x'.repeat(length - 8)}"}`
  createLog(path, '{"n":1}')
  const appender = new Appender(path)
  t.throws(() => appender.append(['{"n":2}', line(MAX_LINE)]), { code: 'LOG_TOO_LONG' })
  t.equal(text(path), '{"n":1}\n', 'nor were its neighbours')
  t.match(appender.append([line(MAX_LINE - 1)]), { lines: 1 }, 'the longest line fits, with its newline')
  // Counted in bytes: a third of the characters may be too many already.
  t.throws(() => appender.append([`{"a":"${'€'.repeat(MAX_LINE / 3)}"}`]), { code: 'LOG_TOO_LONG' })
  appender.close()
  const other = join(tempDir(t), 'other.ndjson')
  t.throws(() => createLog(other, line(MAX_LINE)), { code: 'LOG_TOO_LONG' })
  t.throws(() => statSync(other), { code: 'ENOENT' }, 'no empty file is left')
})

t.test('createLog refuses a file that exists, and leaves it as it is', async (t) => {
  const path = newLog(t)
  createLog(path, '{"n":1}')
  t.throws(() => createLog(path, '{"n":2}'), { code: 'LOG_WRITE' })
  t.equal(text(path), '{"n":1}\n')
})

t.test('only a regular file of this user is written to', async (t) => {
  const directory = tempDir(t)
  const target = join(directory, 'target')
  writeFileSync(target, '')
  const link = join(directory, 'link.ndjson')
  symlinkSync(target, link)
  t.throws(() => appendOnce(link, '{"n":1}'), { code: 'LOG_WRITE' })
  t.equal(text(target), '', 'nothing went through the link')
  const dangling = join(directory, 'dangling.ndjson')
  symlinkSync(join(directory, 'nothing'), dangling)
  t.throws(() => appendOnce(dangling, '{"n":1}'), { code: 'LOG_WRITE' })
  const fifo = join(directory, 'fifo.ndjson')
  t.equal(spawnSync('mkfifo', [fifo]).status, 0)
  t.throws(() => appendOnce(fifo, '{"n":1}'), { code: 'LOG_WRITE', message: /regular file/ }, 'and it does not hang')
  t.throws(() => appendOnce(directory, '{"n":1}'), { code: 'LOG_WRITE' })
  t.throws(() => appendOnce(join(directory, 'no', 'such.ndjson'), '{"n":1}'), { code: 'LOG_WRITE', message: /ENOENT/ })
})

t.test('a file of another user is refused', { skip: isRoot ? false : 'only root can give a file away' }, async (t) => {
  const path = newLog(t)
  writeFileSync(path, '')
  chownSync(path, 65534, 65534)
  t.throws(() => appendOnce(path, '{"n":1}'), { code: 'LOG_WRITE', message: /of this user/ })
  t.equal(text(path), '')
})

t.test('files are 0600 whatever the umask, and wider ones are closed', async (t) => {
  const mode = (path: string) => lstatSync(path).mode & 0o777
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  const path = newLog(t)
  appendOnce(path, '{"n":1}')
  t.equal(mode(path), 0o600)
  const wide = newLog(t)
  writeFileSync(wide, '', { mode: 0o666 })
  t.equal(mode(wide), 0o666)
  appendOnce(wide, '{"n":1}')
  t.equal(mode(wide), 0o600)
  process.umask(0o777)
  const narrow = newLog(t)
  appendOnce(narrow, '{"n":1}')
  t.equal(mode(narrow), 0o600)
})
