/** What each door tells of a session is the same: show, ls, both with --json, HTTP and SSE; and who asks about what has ended asks no manager. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Test } from 'tap'
import t from 'tap'
import { AgentzError } from '../../src/base/errors.js'
import { byRoute } from '../../src/base/hints.js'
import { type Home, sessionLog } from '../../src/base/paths.js'
import { type CauseWord, causes } from '../../src/session/cause.js'
import type { Cause } from '../../src/session/events.js'
import type { Loose } from '../../src/session/life.js'
import { appendLifecycle, type LifeEvent } from '../../src/session/lifecycle.js'
import { sessionView } from '../../src/session/view.js'
import { readFleet, readTrue } from '../../src/supervisor/fleet.js'
import { Agentz, lines, root } from '../helpers/agentz.js'
import { tempDir } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'
import { get, newApp, newServer, SseClient } from '../server/helpers.js'
import { likely } from '../session/histories.js'

/** agentz where whoever asks systemd anything leaves a mark. */
function unasked(t: Test): { a: Agentz; isMarked: () => boolean } {
  const bin = tempDir(t)
  const mark = join(bin, 'asked')
  for (const name of ['systemctl', 'systemd-run', 'busctl']) {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "$0 $*" >> ${mark}\nexit 1\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const a = new Agentz(t)
  a.env.PATH = `${bin}:${process.env.PATH}`
  return { a, isMarked: () => existsSync(mark) }
}

/** Of each session what `show` prints, and prints as JSON, where there is no manager: it would be asked about the unit. */
function shows(a: Agentz, ids: readonly string[]): { page: string; json: Loose }[] {
  const env = {
    ...a.env,
    PATH: process.env.PATH,
    XDG_RUNTIME_DIR: '/nonexistent',
    DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nonexistent',
  }
  const argv = ['--import=tsx', `${root}test/helpers/shows.ts`, ...ids]
  const { stdout, stderr, status } = spawnSync(process.execPath, argv, { env, cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return lines(stdout).map((line) => JSON.parse(line))
}

/** With which fields each word stands in the files, in the event that it comes with; the words of systemd come with a bare exit. */
const failed: CauseWord[] = [
  ...(['start-limit-hit', 'permission-mode', 'not-found', 'not-started', 'login', 'quota', 'model'] as const),
  ...(['overloaded', 'unreachable', 'agent', 'unknown'] as const),
]
const interrupted: CauseWord[] = ['stopped', 'log-out', 'reboot', 'lost']
const cancelled: CauseWord[] = ['cancelled', 'budget']

function endOf(sessionId: string, unit: string, word: CauseWord): LifeEvent {
  const cause: Cause = { result: word, message: `because of ${word}` }
  if (failed.includes(word)) return { type: 'session_failed', sessionId, error: `it ended by ${word}`, cause }
  if (interrupted.includes(word)) return { type: 'session_interrupted', sessionId, cause }
  if (cancelled.includes(word)) return { type: 'session_cancelled', sessionId, cause }
  return { type: 'daemon_exited', sessionId, unit, result: word, code: 'killed', status: 'KILL', manager: 'running' }
}

const statusOf = (word: CauseWord) =>
  failed.includes(word) ? 'failed' : cancelled.includes(word) ? 'cancelled' : 'interrupted'

/** A session that has ended so. @returns its id and what every door has to tell */
async function endedBy(home: Home, word: CauseWord): Promise<{ id: string; word: CauseWord; cause: Loose }> {
  const { sessionId: id } = await newSession(home)
  const unit = `agentz-session-${id}.service`
  await appendLifecycle(home, { type: 'daemon_started', sessionId: id, unit, pid: 1, bootId: 'b' }, 'daemon', {
    epoch: 1,
  })
  const end = endOf(id, unit, word)
  await appendLifecycle(home, end, 'supervisor', { epoch: 1 })
  const cause = 'cause' in end ? end.cause : { result: word, code: 'killed', status: 'KILL' }
  return { id, word, cause: cause as Loose }
}

t.test('every cause at every door: the same word, the same fields, the same advice', async (t) => {
  const { a, isMarked } = unasked(t)
  const { home } = a
  const all: Awaited<ReturnType<typeof endedBy>>[] = []
  for (const word of Object.keys(causes) as CauseWord[]) all.push(await endedBy(home, word))
  const server = await newServer(t, { home })
  const sse = new SseClient(server.socketPath, '/v1/events')
  t.teardown(() => sse.close())
  await sse.count(3 * all.length)
  const http = async (path: string) => JSON.parse((await get(server.socketPath, path)).body.toString())
  const listed: Loose[] = (await http('/v1/sessions')).sessions
  const columns = lines(a.do('ls').stdout).map((line) => line.split('\t'))
  const rows = a.ls()
  const shown = shows(
    a,
    all.map(({ id }) => id),
  )
  for (const [at, { id, word, cause }] of all.entries()) {
    const status = statusOf(word)
    const { says, next } = causes[word]
    const advice = `${says} ${next.replace('UNIT', `agentz-session-${id}.service`)}`
    const { page = '', json = {} } = shown[at] ?? {}
    const told = { status, cause }
    const short = ({ status, cause }: Loose) => ({ status, cause })
    t.strictSame({ ...short(json), advice: json.advice }, { ...told, advice }, `show --json: ${word}`)
    t.ok(page.includes(`cause     ${Object.values(cause).join(', ')}\n`) && page.includes(advice), `show: ${word}`)
    t.strictSame(short(rows.find(({ sessionId }) => sessionId === id)!), told, `ls --json: ${word}`)
    const [, itsStatus, , , , itsCause] = columns.find(([sessionId]) => sessionId === id) ?? []
    const column = word === 'cancelled' ? '' : [word, cause.status].filter(Boolean).join(' ')
    t.strictSame([itsStatus, itsCause], [status, column], `ls: ${word}`)
    t.strictSame(short(listed.find(({ sessionId }) => sessionId === id)!), told, `HTTP, the list: ${word}`)
    const { advice: itsAdvice, ...one } = await http(`/v1/sessions/${id}`)
    t.strictSame({ ...short(one), advice: itsAdvice }, { ...told, advice: byRoute(advice) }, `HTTP, one: ${word}`)
    const event = sse.events.map(({ data }) => JSON.parse(data)).findLast(({ sessionId }) => sessionId === id)
    t.match(event.cause ?? event, cause, `SSE: ${word}`)
  }
  t.notOk(isMarked(), 'and nobody was asked about them')
})

t.test('1,000 sessions that have ended: ls starts no systemctl', async (t) => {
  const { a, isMarked } = unasked(t)
  mkdirSync(a.home.sessions, { recursive: true, mode: 0o700 })
  const frame = { timestamp: '2026-01-01T00:00:00.000Z', by: 'daemon' }
  const registry: string[] = []
  for (let n = 0; n < 1000; n++) {
    const sessionId = String(n).padStart(12, '0')
    const short = { sessionId, agentType: 'claude', prompt: 'p', title: `t${n}`, workingDir: '/' }
    const created = { type: 'session_created', ...frame, by: 'user' }
    const started = { type: 'daemon_started', ...frame, epoch: 1, sessionId, unit: 'u', pid: 1, bootId: 'b' }
    const ended = { type: 'session_completed', ...frame, epoch: 1, sessionId, metadata: {} }
    const events = [started, ended].map((event) => `${JSON.stringify(event)}\n`).join('')
    const spec = { ...short, restart: 'resume', umask: '0022', createdAt: frame.timestamp }
    writeFileSync(sessionLog(a.home, sessionId), `${JSON.stringify({ ...created, sessionId, spec })}\n${events}`)
    registry.push(`${JSON.stringify({ ...created, ...short })}\n${events}`)
  }
  appendFileSync(a.home.registry, registry.join(''), { mode: 0o600 })
  for (const words of [['ls'], ['ls', '--json'], ['ls', '-q']])
    t.equal(lines(a.do(...words).stdout).length, 1000, words.join(' '))
  t.notOk(isMarked(), 'nobody was asked')
  // The mark is one: of a session that lives, the manager is asked.
  appendFileSync(
    sessionLog(a.home, '000000000000'),
    `${JSON.stringify({ type: 'daemon_started', ...frame, epoch: 2 })}\n`,
  )
  appendFileSync(
    a.home.registry,
    `${JSON.stringify({ type: 'daemon_started', ...frame, epoch: 2, sessionId: '000000000000' })}\n`,
  )
  a.do('ls')
  t.ok(isMarked(), 'and would have been for one that lives')
})

/** What every door tells of a session's life; the rest is of lists alone, or of one session. */
const told = [
  'status',
  'cause',
  'error',
  'pid',
  'epoch',
  'restarts',
  'frozen',
  'queuedAt',
  'stalled',
  'bootId',
] as const
const lifeOf = (row: object) => JSON.stringify(told.map((key) => [key, (row as Loose)[key]]))

t.test('any history, with any unit or without a manager: list, show and HTTP say the same', async (t) => {
  const seed = Date.now() % 2 ** 31
  const units = fc.sample(fc.constantFrom(undefined, 'active', 'activating', 'deactivating', 'failed'), {
    seed,
    numRuns: 60,
  })
  const { app, home, supervisor } = await newApp(t, { guard: { kind: 'unix' } })
  for (const [at, records] of fc.sample(likely, { seed, numRuns: units.length }).entries()) {
    const { sessionId } = await newSession(home)
    const unit = units[at]
    if (unit !== undefined) supervisor.units.set(sessionId, { active: unit, sub: 'x' })
    const path = sessionLog(home, sessionId)
    for (const record of records) appendFileSync(path, `${JSON.stringify({ ...record, sessionId })}\n`)
  }
  const carried = new Map(supervisor.units)
  // It is made again, from the files.
  rmSync(home.registry)
  for (const manager of ['as it is', 'without units', 'away']) {
    supervisor.units.clear()
    if (manager === 'as it is') for (const [id, unit] of carried) supervisor.units.set(id, unit)
    if (manager === 'away') {
      const nobody = () => Promise.reject(new AgentzError('NO_MANAGER', 'nobody answers'))
      Object.assign(supervisor, { list: nobody, show: nobody })
    }
    const fleet = await readFleet(home, supervisor)
    const listed: Loose[] = (await app.inject('/v1/sessions')).json().sessions
    // One to which nothing has happened yet may still be about to be told to the registry.
    t.ok(listed.length > units.length / 2)
    for (const id of fleet.ids) {
      const state = await readTrue(home, supervisor, id)
      const one = sessionView(state, { log: sessionLog(home, id), unit: supervisor.unitName(id) })
      const doors = {
        show: lifeOf(one),
        'ls --json': lifeOf(JSON.parse(fleet.text(id))),
        'HTTP, one': lifeOf((await app.inject(`/v1/sessions/${id}`)).json()),
        'HTTP, the list': lifeOf(listed.find(({ sessionId }) => sessionId === id) ?? {}),
      }
      if (new Set(Object.values(doors)).size === 1 && fleet.status(id) === state.status) continue
      t.fail(`seed ${seed}, manager ${manager}: ${id}`, { doors, file: readFileSync(sessionLog(home, id), 'utf8') })
    }
  }
})
