import { appendFileSync, existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Home } from '../../src/base/paths.js'
import { readLog } from '../../src/log/read.js'
import { hashOf } from '../../src/session/cache.js'
import type { RegistryEvent } from '../../src/session/events.js'
import { appendRegistry, type Registry, readRegistry } from '../../src/session/registry.js'
import { newHome, tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'

const timestamp = '2026-01-01T00:00:00.000Z'
const idOf = (n: number) => n.toString(16).padStart(12, '0')
const creation = (sessionId: string, title = 'a title') => ({
  ...{ type: 'session_created' as const, timestamp, by: 'user' as const, sessionId, agentType: 'claude' },
  ...{ prompt: 'p', title, workingDir: '/' },
})
const started = (sessionId: string, epoch = 1): RegistryEvent => ({
  ...{ type: 'daemon_started' as const, timestamp, by: 'daemon' as const, sessionId },
  ...{ unit: 'u', pid: 1, bootId: 'b', epoch },
})
const completed = (sessionId: string): RegistryEvent => ({
  ...{ type: 'session_completed', timestamp, by: 'daemon', sessionId, epoch: 1, metadata: {} },
})
const lines = (...events: object[]) => events.map((event) => `${JSON.stringify(event)}\n`).join('')
const plain = (registry: Registry) => ({
  rows: [...registry.rows.values()],
  damaged: registry.damaged,
  ignored: registry.ignored,
  offset: registry.offset,
})

/** All of it as one text, whatever the order of fields: a thousand rows are compared at once. */
const sorted = (_: string, value: unknown) =>
  value?.constructor === Object ? Object.fromEntries(Object.entries(value).sort()) : value
const print = (registry: Registry) => JSON.stringify(plain(registry), sorted)

t.test('the fold', async (t) => {
  const home = newHome(t)
  t.match(plain(readRegistry(home)), { rows: [], offset: 0 }, 'an absent file is an empty one')
  const [a, b, c, d] = [idOf(10), idOf(3), idOf(7), idOf(8)] as const
  writeFileSync(
    home.registry,
    [
      lines(creation(a), creation(b, 'second'), { ...creation(a), title: 'again' }, started(a), started(b)),
      '\n\n{"torn\x18\n{no json}\n',
      lines(completed(a), creation(c), { type: 'session_deleted', sessionId: c }, creation(d)),
      lines({ type: 'session_archived', sessionId: d }, { type: 'later_kind', sessionId: a }),
      '{"type":"session_created","sessionId":"00000000',
    ].join(''),
  )
  const registry = readRegistry(home)
  const { rows, damaged, ignored } = plain(registry)
  t.match(rows, [
    { sessionId: a, title: 'a title', status: 'completed', epoch: 1 },
    { sessionId: b, title: 'second', status: 'running' },
    { sessionId: d, archived: true, status: 'pending' },
  ])
  t.equal(rows.length, 3, 'what was deleted is gone')
  t.equal(damaged, 2)
  t.equal(ignored, 1)
  appendFileSync(home.registry, `\n${lines(completed(b))}`)
  const further = readRegistry(home, registry)
  t.equal(further.rows.get(b)?.status, 'completed')
  t.equal(further.damaged, 3, 'the torn line became a damaged one')
  t.same(plain(further), plain(readRegistry(home)), 'to go on gives the same as to begin again')
})

t.test('ids that are none make no row', async (t) => {
  const home = newHome(t)
  const hostile = ['../../etc/passwd', 'a/b', '-rf', 'a\0b', '..', '.x', '0123456789a\n', '0123456789AB', '', ' ']
  const ids = [...hostile, 'x'.repeat(65), '0'.repeat(65), 5, null, {}, ['0123456789ab'], '__proto__', undefined]
  writeFileSync(home.registry, lines(creation(idOf(1)), ...ids.map((id) => ({ ...creation(''), sessionId: id }))))
  const { rows, ignored, damaged } = plain(readRegistry(home))
  t.same(
    rows.map(({ sessionId }) => sessionId),
    [idOf(1)],
  )
  t.equal(ignored, ids.length)
  t.equal(damaged, 0)
})

t.test('types that are none change nothing', async (t) => {
  const home = newHome(t)
  const types = ['__proto__', 'constructor', 'later', '', 5, null, { toString: 0 }, ['session_deleted']]
  writeFileSync(home.registry, lines(creation(idOf(1)), ...types.map((type) => ({ type, sessionId: idOf(1) }))))
  const { rows, ignored } = plain(readRegistry(home))
  t.match(rows, [{ sessionId: idOf(1), status: 'pending' }])
  t.equal(ignored, types.length)
})

/** A registry large enough for a checkpoint, which a first reading writes. */
function withCheckpoint(home: Home): Registry {
  const events: object[] = []
  for (let n = 0; n < 900; n++) events.push(creation(idOf(n)), started(idOf(n)), completed(idOf(n)))
  writeFileSync(home.registry, `${lines(...events)}{"torn\x18\n`)
  const first = readRegistry(home)
  appendFileSync(home.registry, lines(creation(idOf(5000)), started(idOf(5000))))
  return first
}

function fullFold(home: Home) {
  rmSync(home.checkpoint, { force: true })
  return print(readRegistry(home))
}

t.test('the checkpoint gives what the whole file gives', async (t) => {
  const home = newHome(t)
  withCheckpoint(home)
  const kept = readFileSync(home.checkpoint, 'utf8')
  const short = readRegistry(home)
  t.equal(readFileSync(home.checkpoint, 'utf8'), kept, 'it is not written for so little')
  t.equal(short.rows.size, 901)
  t.equal(short.damaged, 1)
  t.ok(print(short) === fullFold(home))

  // Proof that it is used at all: a title that only the checkpoint knows.
  const rows = kept.slice(kept.indexOf('\n') + 1).replace('a title', 'THE ONE')
  const head = JSON.parse(kept.split('\n', 1)[0] ?? '')
  writeFileSync(home.checkpoint, `${JSON.stringify({ ...head, rowsHash: hashOf(rows) })}\n${rows}`)
  t.equal(readRegistry(home).rows.get(idOf(0))?.title, 'THE ONE')
})

t.test('whatever is wrong with the checkpoint, the whole file is folded', async (t) => {
  const home = newHome(t)
  withCheckpoint(home)
  const kept = readFileSync(home.checkpoint, 'utf8').replaceAll('a title', 'THE ONE')
  const expected = fullFold(home)
  const [head = '', ...rows] = kept.split('\n')
  const header = JSON.parse(head)
  const withHead = (fields: object) => [JSON.stringify({ ...header, ...fields }), ...rows].join('\n')
  const withRow = (row: string) => [head, row, ...rows.slice(1)].join('\n')
  const damages: Record<string, string> = {
    empty: '',
    'half of it': kept.slice(0, kept.length / 2),
    'no JSON': `x${kept}`,
    'JSON null': 'null\n',
    'of another version': withHead({ version: header.version + 1 }),
    'of another inode': withHead({ ino: header.ino + 1 }),
    'of another device': withHead({ dev: header.dev + 1 }),
    'of another hash': withHead({ hash: header.hash.replace(/./, (c: string) => (c === '0' ? '1' : '0')) }),
    'offset elsewhere': withHead({ offset: header.offset - 1 }),
    'offset before the file': withHead({ offset: -5 }),
    'offset behind the file': withHead({ offset: 1e9 }),
    'offset is text': withHead({ offset: '5' }),
    'a row missing': [head, ...rows.slice(1)].join('\n'),
    'a row too many': `${kept}${rows[0]?.replace(idOf(0), idOf(9999))}\n`,
    'a row says something else': kept.replace('"status":"completed"', '"status":"cancelled"'),
    'a row is null': withRow('null'),
    'a row is torn': withRow(rows[0]?.slice(0, 60) ?? ''),
    'a row of a hostile id': withRow(rows[0]?.replace(idOf(0), '../../passwd') ?? ''),
  }
  for (const [what, text] of Object.entries(damages)) {
    writeFileSync(home.checkpoint, text)
    t.ok(print(readRegistry(home)) === expected, what)
    t.notOk(readFileSync(home.checkpoint, 'utf8').includes('THE ONE'), `${what}: and a good one is written`)
  }
})

t.test('a registry that is not the one of the checkpoint', async (t) => {
  const home = newHome(t)
  withCheckpoint(home)
  const checkpoint = readFileSync(home.checkpoint, 'utf8')
  const bytes = readFileSync(home.registry)
  const same = (what: string) => {
    writeFileSync(home.checkpoint, checkpoint)
    const found = readRegistry(home)
    t.ok(print(found) === fullFold(home), what)
    return found.rows.size
  }
  const changed = Buffer.from(bytes)
  changed.write('cancelled', JSON.parse(checkpoint.split('\n')[0] ?? '').offset - 60)
  writeFileSync(home.registry, changed)
  same('changed before the offset')
  writeFileSync(home.registry, bytes)
  truncateSync(home.registry, 5000)
  t.ok(same('truncated') < 20)
  writeFileSync(`${home.registry}.new`, bytes)
  renameSync(`${home.registry}.new`, home.registry)
  t.equal(same('replaced'), 901)
  rmSync(home.registry)
  writeFileSync(home.checkpoint, checkpoint)
  t.same(plain(readRegistry(home)).rows, [], 'deleted')
})

t.test('a repeat is not appended', async (t) => {
  const home = newHome(t)
  const id = idOf(1)
  t.equal(await appendRegistry(home, creation(id)), true)
  t.equal(await appendRegistry(home, creation(id)), false)
  t.equal(await appendRegistry(home, started(id, 1)), true)
  t.equal(await appendRegistry(home, started(id, 1)), false)
  t.equal(await appendRegistry(home, started(id, 2)), true, 'another start is another event')
  t.equal(await appendRegistry(home, started(idOf(2), 1)), true, 'and so is one of another session')
  const update: RegistryEvent = { type: 'session_updated', timestamp, by: 'daemon', sessionId: id, status: 'idle' }
  t.equal(await appendRegistry(home, update), true)
  t.equal(await appendRegistry(home, update), true, 'a status may come again')
})

t.test('eight processes append at once', async (t) => {
  const home = newHome(t)
  const writer = await program(
    tempDir(t),
    `import { homePaths } from './src/base/paths.js'
    import { appendRegistry } from './src/session/registry.js'
    const who = Number(process.argv[2])
    for (let n = 0; n < 25; n++) {
      const sessionId = (who * 100 + n).toString(16).padStart(12, '0')
      const event = { type: 'session_queued', timestamp: '', by: 'user', sessionId }
      if (!(await appendRegistry(homePaths(), event))) throw new Error('refused')
    }`,
  )
  const env = { AGENTZ_HOME: home.root }
  const writers = Array.from({ length: 8 }, (_, n) => start(t, [process.execPath, writer, String(n + 1)], env))
  for (const { ended } of writers) t.match(await ended, { code: 0, stderr: '' })
  const ids = new Set<string>()
  let count = 0
  const onDamage = () => t.fail('a line is damaged')
  readLog(home.registry, { onDamage }, ({ bytes }) => {
    count++
    ids.add(JSON.parse(bytes.toString()).sessionId)
  })
  t.equal(count, 200)
  t.equal(ids.size, 200)
  t.notOk(existsSync(join(home.root, 'registry.ndjson.lock')))
})
