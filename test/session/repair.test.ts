import { appendFileSync, copyFileSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { type Home, sessionLog } from '../../src/base/paths.js'
import { Account } from '../../src/session/account.js'
import { findSession } from '../../src/session/find.js'
import { appendLifecycle } from '../../src/session/lifecycle.js'
import { type Registry, readRegistry } from '../../src/session/registry.js'
import { readComplete, repairRegistry } from '../../src/session/repair.js'
import { newHome, tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'
import { newSession } from '../helpers/session.js'

const cause = { result: 'stopped' as const, message: 'the unit was stopped' }
const life = (sessionId: string) => ({ sessionId, unit: 'u', bootId: 'b', invocationId: 'i' })

async function began(home: Home, id: string, epoch = 1): Promise<void> {
  await appendLifecycle(home, { type: 'daemon_started', ...life(id), pid: 100 + epoch }, 'daemon', { epoch })
}

async function ended(home: Home, id: string, epoch = 1): Promise<void> {
  const exit = { result: 'success', code: 'exited', status: 0, manager: 'running' }
  await appendLifecycle(home, { type: 'session_interrupted', sessionId: id, cause }, 'daemon', { epoch })
  await appendLifecycle(home, { type: 'daemon_exited', ...life(id), ...exit }, 'supervisor', { epoch })
}

/** One that waits for an answer, one that has ended twice, one that runs. */
async function newFleet(home: Home): Promise<string[]> {
  const ids: string[] = []
  for (const title of ['waits', 'ended', 'runs']) {
    const { sessionId } = await newSession(home, { title, labels: { team: 'web' } })
    ids.push(sessionId)
    await began(home, sessionId)
  }
  const [waits = '', ends = ''] = ids
  appendFileSync(
    sessionLog(home, waits),
    '{"type":"approval_request","timestamp":"2026-01-01T00:00:00.000Z","by":"agent","epoch":1,"requestId":"r","tool":"x"}\n',
  )
  await appendLifecycle(home, { type: 'session_updated', sessionId: waits, status: 'waiting_approval' }, 'daemon', {
    epoch: 1,
  })
  await ended(home, ends)
  await began(home, ends, 2)
  await ended(home, ends, 2)
  return ids
}

const shown = ({ rows }: Registry) => [...rows.values()].map(({ updatedAt, usage, ...row }) => row)
const size = (home: Home) => (existsSync(home.registry) ? readFileSync(home.registry).length : 0)

/** Repairs once, and shows that a second time there is nothing to do. */
async function repaired(home: Home): Promise<{ rows: object[]; appended: number }> {
  const { registry, appended, unwritten } = await repairRegistry(home)
  if (unwritten !== undefined) throw unwritten
  const bytes = size(home)
  const again = await repairRegistry(home)
  if (again.appended !== 0 || size(home) !== bytes) throw new Error('a second repair has appended something')
  if (JSON.stringify(shown(again.registry)) !== JSON.stringify(shown(readRegistry(home))))
    throw new Error('not on disk')
  return { rows: shown(registry), appended }
}

t.test('a sound registry is left alone', async (t) => {
  const home = newHome(t)
  await newFleet(home)
  const bytes = readFileSync(home.registry)
  t.equal((await repaired(home)).appended, 0)
  const thorough = await repairRegistry(home, { thorough: true })
  t.match(thorough, { appended: 0, unread: new Map() }, 'also where every file is opened')
  t.same(readFileSync(home.registry), bytes)
  t.match(await repairRegistry(newHome(t)), { appended: 0 }, 'and a home without sessions has nothing to repair')
})

const faults: Record<string, (home: Home, yesterday: Buffer) => void> = {
  deleted: (home) => rmSync(home.registry),
  emptied: (home) => writeFileSync(home.registry, ''),
  'cut in the middle of a line': (home) => writeFileSync(home.registry, readFileSync(home.registry).subarray(0, 700)),
  'overwritten with NULs': (home) => writeFileSync(home.registry, Buffer.alloc(size(home))),
  'NULs in its middle': (home) => writeFileSync(home.registry, readFileSync(home.registry).fill(0, 300, 1500)),
  'random bytes in its middle': (home) =>
    writeFileSync(home.registry, readFileSync(home.registry).fill('\x93\nq{}\xff7"', 250, 1700, 'latin1')),
  'a line taken out': (home) => {
    const lines = readFileSync(home.registry, 'utf8').split('\n')
    const at = lines.findLastIndex((line) => line.includes('"daemon_started"'))
    writeFileSync(home.registry, lines.toSpliced(at, 1).join('\n'))
  },
  'put back from yesterday, in place': (home, yesterday) => writeFileSync(home.registry, yesterday),
  'put back from yesterday, by rename': (home, yesterday) => {
    writeFileSync(`${home.registry}.old`, yesterday)
    renameSync(`${home.registry}.old`, home.registry)
  },
}

for (const [what, fault] of Object.entries(faults)) {
  t.test(`a registry that was ${what}`, async (t) => {
    const home = newHome(t)
    const first = await newSession(home, { title: 'first' })
    await began(home, first.sessionId)
    const yesterday = readFileSync(home.registry)
    await repairRegistry(home)
    await newFleet(home)
    await ended(home, first.sessionId)
    await began(home, first.sessionId, 2)
    const { registry } = await repairRegistry(home)
    const before = shown(registry)
    fault(home, yesterday)
    t.same(shown(readComplete(home)).length, 4, 'whoever looks for a session finds it')
    const { rows, appended } = await repaired(home)
    t.same(rows, before, 'is what it was, in the same order')
    t.ok(appended > 0)
    rmSync(home.cache, { recursive: true })
    t.same(shown(readRegistry(home)), before, 'also without what was cached')
  })
}

t.test('two repairs at once append nothing twice', async (t) => {
  const home = newHome(t)
  await newFleet(home)
  const before = shown(readRegistry(home))
  rmSync(home.registry)
  const script = await program(
    tempDir(t),
    `import { homePaths } from './src/base/paths.js'
    import { repairRegistry } from './src/session/repair.js'
    const all = await Promise.all([repairRegistry(homePaths()), repairRegistry(homePaths())])
    console.log(all.reduce((sum, { appended }) => sum + appended, 0))`,
  )
  const env = { AGENTZ_HOME: home.root }
  const runs = Array.from({ length: 4 }, () => start(t, [process.execPath, script], env))
  let appended = 0
  for (const { ended } of runs) {
    const { code, stdout, stderr } = await ended
    t.match({ code, stderr }, { code: 0, stderr: '' })
    appended += Number(stdout)
  }
  const lines = readFileSync(home.registry, 'utf8').split('\n').filter(Boolean)
  t.equal(lines.length, appended)
  t.equal(new Set(lines).size, appended, 'no line stands there twice')
  t.same(shown(readRegistry(home)), before)
})

t.test('where the registry cannot be written, the truth is shown all the same', async (t) => {
  const home = newHome(t)
  await newFleet(home)
  const before = shown(readRegistry(home))
  rmSync(home.registry)
  // No lock can be made here, as on a disk that takes nothing.
  writeFileSync(`${home.registry}.lock`, 'no directory')
  const { registry, unwritten, appended } = await repairRegistry(home)
  t.match({ unwritten, appended }, { unwritten: { name: 'AgentzError' }, appended: 0 })
  t.same(shown(registry), before)
  t.notOk(existsSync(home.registry))
})

t.test('a session whose file was removed', async (t) => {
  const home = newHome(t)
  const [waits = '', ends = '', runs = ''] = await newFleet(home)
  for (const id of [ends, runs]) rmSync(sessionLog(home, id))
  const { registry, appended } = await repairRegistry(home)
  t.equal(appended, 1)
  t.same([...registry.rows.ids()], [waits, runs], 'one that has ended is gone; of one that lives, its unit tells more')
})

t.test('files that are no sessions, and a session that is being made', async (t) => {
  const home = newHome(t)
  const [waits = ''] = await newFleet(home)
  writeFileSync(sessionLog(home, '00000000000a'), 'rubbish\n')
  writeFileSync(sessionLog(home, '00000000000b'), '')
  writeFileSync(`${home.sessions}/not-an-id.ndjson`, readFileSync(sessionLog(home, waits)))
  const made = await newSession(newHome(t))
  const line = JSON.stringify({ type: 'session_created', timestamp: made.createdAt, by: 'user', spec: made })
  writeFileSync(sessionLog(home, made.sessionId), `${line}\n`)
  const before = size(home)
  const { registry } = await repairRegistry(home)
  t.equal(registry.rows.size, 3)
  t.equal(size(home), before)
  const late = { ...made, createdAt: '2026-01-01T00:00:00.000Z' }
  writeFileSync(sessionLog(home, made.sessionId), `${line.replaceAll(made.createdAt, late.createdAt)}\n`)
  t.same(
    [...(await repairRegistry(home)).registry.rows.ids()][0],
    made.sessionId,
    'left behind, it is shown: the oldest',
  )
  t.equal(findSession(home, 'latest') === made.sessionId, false)
})

t.test('a file that went back behind the registry', async (t) => {
  const home = newHome(t)
  const { sessionId } = await newSession(home)
  const path = sessionLog(home, sessionId)
  await began(home, sessionId)
  copyFileSync(path, `${path}.old`)
  await began(home, sessionId, 2)
  await ended(home, sessionId, 2)
  renameSync(`${path}.old`, path)
  const { registry } = await repairRegistry(home, { thorough: true })
  t.match(registry.rows.get(sessionId), { status: 'running', epoch: 1 }, 'is the truth all the same')
  const account = new Account(home, sessionId)
  account.read()
  t.same(account.lacking(registry.rows.get(sessionId)), [])
})
