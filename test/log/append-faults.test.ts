import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Appender, createLog } from '../../src/log/append.js'
import { readLog } from '../../src/log/read.js'
import { isRoot, tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'

const has = (tool: string) => spawnSync(tool, ['--version']).error === undefined

function read(path: string): { lines: string[]; damaged: number } {
  const lines: string[] = []
  let damaged = 0
  readLog(path, { onDamage: () => damaged++ }, ({ bytes }) => lines.push(bytes.toString()))
  return { lines, damaged }
}

const line = (n: number) => JSON.stringify({ type: 'text', n, content: 'x'.repeat(270) })

/** Appends batches until one is not taken whole. Returns what was acknowledged, and what was not. */
function fill(appender: Appender): { taken: string[]; rest: string[]; sawShort: boolean } {
  const taken: string[] = []
  for (let n = 0; n < 10_000; n += 7) {
    const batch = Array.from({ length: 7 }, (_, i) => line(n + i))
    const { lines, bytes, error } = appender.append(batch)
    taken.push(...batch.slice(0, lines))
    if (error !== undefined) return { taken, rest: batch.slice(lines), sawShort: bytes > 0 }
  }
  throw new Error('it never became full')
}

// fs.writeSync gives a short count and no error: a writer that does not compare it glues the next line to the torn one.
t.test('a full disk: what was acknowledged is there once, and so is the rest when there is space again', async (t) => {
  const directory = tempDir(t)
  const mounted = isRoot && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', directory]).status === 0
  const unmountable = 'a small file system takes root and the right to mount'
  if (!mounted) return void t.pass(unmountable, { skip: unmountable })
  t.teardown(() => spawnSync('umount', [directory]))
  const ballast = join(directory, 'ballast')
  writeFileSync(ballast, Buffer.alloc(16 * 1024))
  const path = join(directory, 'log.ndjson')
  createLog(path, '{"type":"session_created"}')
  const appender = new Appender(path)
  const { taken, rest, sawShort } = fill(appender)
  t.ok(sawShort, 'the write was short, or this test is blind')
  t.match(appender.append(rest), { lines: 0, bytes: 0, error: { code: 'LOG_WRITE', message: /ENOSPC/ } })
  const other = join(directory, 'other.ndjson')
  t.throws(() => createLog(other, line(1)), { code: 'LOG_WRITE' })
  t.throws(() => statSync(other), { code: 'ENOENT' }, 'a log that got no first line is taken away')
  rmSync(ballast)
  t.same(appender.append(rest).lines, rest.length)
  const more = [line(20_001), line(20_002)]
  t.match(appender.append(more), { lines: 2 })
  await appender.sync()
  appender.close()
  const found = read(path)
  t.same(found.lines, ['{"type":"session_created"}', ...taken, ...rest, ...more], 'each once, in order, no glue')
  t.ok(found.damaged <= 1, 'at most the torn line is damaged')
})

t.test('a file size limit', { skip: has('prlimit') ? false : 'there is no prlimit here' }, async (t) => {
  const directory = tempDir(t)
  const path = join(directory, 'log.ndjson')
  const writer = await program(
    directory,
    `import { Appender } from './src/log/append.js'
    process.on('SIGXFSZ', () => {})
    const appender = new Appender(process.argv[2])
    const results = []
    for (let n = 0; n < 10; n++) {
      const lines = [n * 2, n * 2 + 1].map((n) => JSON.stringify({ n, content: 'x'.repeat(90) }))
      const { lines: taken, error } = appender.append(lines)
      results.push({ taken: lines.slice(0, taken), error: error?.code })
    }
    console.log(JSON.stringify(results))`,
  )
  const { stdout, stderr } = await start(t, ['prlimit', '--fsize=1000', process.execPath, writer, path]).ended
  t.equal(stderr, '')
  const results: { taken: string[]; error?: string }[] = JSON.parse(stdout)
  const taken = results.flatMap((result) => result.taken)
  t.ok(taken.length > 4 && taken.length < 20, 'some fitted, some did not')
  t.equal(results.at(-1)?.error, 'LOG_WRITE')
  t.same(read(path).lines, taken, 'nothing more and nothing less than what was acknowledged')
  const appender = new Appender(path)
  t.match(appender.append(['{"n":"next"}']), { lines: 1 })
  appender.close()
  t.same(read(path), { lines: [...taken, '{"n":"next"}'], damaged: 1 })
})

t.test('four processes interleave nothing', async (t) => {
  const directory = tempDir(t)
  const path = join(directory, 'log.ndjson')
  createLog(path, '{"type":"session_created"}')
  const writer = await program(
    directory,
    `import { Appender, appendOnce } from './src/log/append.js'
    const [path, who] = process.argv.slice(2)
    const appender = new Appender(path)
    for (let n = 0; n < 150; n++) {
      const lines = [0, 1, 2].map((part) => JSON.stringify({ who, n, part, pad: who.repeat((n * 977) % 30000) }))
      appender.append(lines)
      if (n % 50 === 0) appendOnce(path, JSON.stringify({ who, once: n }))
    }`,
  )
  const writers = ['a', 'b', 'c', 'd'].map((who) => start(t, [process.execPath, writer, path, who]))
  for (const { ended } of writers) t.match(await ended, { code: 0, stderr: '' })
  const { lines, damaged } = read(path)
  t.equal(damaged, 0)
  t.equal(lines.length, 1 + 4 * (450 + 3))
  const seen: Record<string, string[]> = {}
  for (const text of lines.slice(1)) {
    const { who, n, part, once, pad } = JSON.parse(text)
    if (once !== undefined) continue
    if (pad !== who.repeat((n * 977) % 30000)) t.fail('a line holds the bytes of another writer')
    seen[who] ??= []
    seen[who].push(`${n}.${part}`)
  }
  const expected = Array.from({ length: 450 }, (_, i) => `${Math.floor(i / 3)}.${i % 3}`)
  for (const who of 'abcd') t.same(seen[who], expected, `the order of ${who} is the order of the file`)
})

/** Runs a program whose first fdatasync of a thread fails. Undefined where processes cannot be traced. */
async function withBrokenSync(test: Test, body: string): Promise<Record<string, string> | undefined> {
  const directory = tempDir(test)
  mkdirSync(join(directory, 'logs'))
  const path = join(directory, 'logs', 'log.ndjson')
  const source = `import { Appender, appendOnce } from './src/log/append.js'
    const path = process.argv[2]
    const said = {}
    const attempt = async (name, work) => {
      try { await work(); said[name] = 'ok' } catch (error) { said[name] = error.code }
    }
    ${body}
    console.log(JSON.stringify(said))`
  const inject = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO:when=1..1']
  const argv = ['strace', '-f', '-qq', '-o', '/dev/null', ...inject, process.execPath, await program(directory, source)]
  // When= counts for each thread: with one of them, the second sync is told OK.
  const { stdout, stderr } = await start(test, [...argv, path], { UV_THREADPOOL_SIZE: '1' }).ended
  if (/ptrace|not permitted/i.test(stderr)) return undefined
  return JSON.parse(stdout)
}

const strace = { skip: has('strace') ? false : 'there is no strace here' }
const untraceable = 'processes may not be traced here'

// The kernel reports a failed write-back once and then says OK: who retries acknowledges what is lost.
t.test('after a failed fdatasync nothing is acknowledged any more', strace, async (t) => {
  const said = await withBrokenSync(
    t,
    `const appender = new Appender(path)
    await attempt('append', () => appender.append(['{"n":1}']))
    await attempt('sync', () => appender.sync())
    await attempt('append again', () => appender.append(['{"n":2}']))
    await attempt('sync again', () => appender.sync())
    await attempt('syncNow', () => appender.syncNow())
    await attempt('syncNow again', () => appender.syncNow())`,
  )
  if (said === undefined) return void t.pass(untraceable, { skip: untraceable })
  const broken = 'LOG_WRITE'
  const after = { 'append again': broken, 'sync again': broken, syncNow: broken, 'syncNow again': broken }
  t.same(said, { append: 'ok', sync: broken, ...after })
})

// The second of two syncs at once is told OK by the kernel, for the very bytes that the first one lost.
t.test('a sync that runs beside a failing one fails too', strace, async (t) => {
  const said = await withBrokenSync(
    t,
    `const appender = new Appender(path)
    appender.append(['{"n":1}'])
    await Promise.all([attempt('one', () => appender.sync()), attempt('two', () => appender.sync())])`,
  )
  if (said === undefined) return void t.pass(untraceable, { skip: untraceable })
  t.same(said, { one: 'LOG_WRITE', two: 'LOG_WRITE' })
})

t.test('a one-shot writer does not acknowledge what was not synced', strace, async (t) => {
  const said = await withBrokenSync(t, `await attempt('once', () => appendOnce(path, '{"n":1}'))`)
  if (said === undefined) return void t.pass(untraceable, { skip: untraceable })
  t.same(said, { once: 'LOG_WRITE' })
})

t.test('a writer killed at its work leaves at most one damaged line, and every line it told of', async (t) => {
  const directory = tempDir(t)
  const path = join(directory, 'log.ndjson')
  const writer = await program(
    directory,
    `import { Appender } from './src/log/append.js'
    import { writeSync } from 'node:fs'
    const appender = new Appender(process.argv[2])
    for (let n = Number(process.argv[3]); ; n++) {
      if (appender.append([JSON.stringify({ n, pad: 'x'.repeat(9000) })]).lines === 1) writeSync(1, n + '\\n')
    }`,
  )
  for (let round = 0; round < 5; round++) {
    const child = start(t, [process.execPath, writer, path, String(round * 1_000_000)])
    await child.said('9\n')
    child.process.kill('SIGKILL')
    const { stdout } = await child.ended
    const told = stdout.split('\n').slice(0, -1)
    const { lines, damaged } = read(path)
    const found = new Set(lines.map((text) => String(JSON.parse(text).n)))
    t.same(
      told.filter((n) => !found.has(n)),
      [],
      `round ${round}: all ${told.length} are there`,
    )
    t.ok(damaged <= round + 1, `round ${round}: ${damaged} damaged`)
  }
  t.equal(readFileSync(path).at(0), '{'.charCodeAt(0))
})
