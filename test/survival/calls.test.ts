/** Who writes is killed at each call by which it does: the next one goes on, and what was acknowledged is there once. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { cliPath, lines, requireManager, systemctl } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'
import { start } from '../helpers/program.js'
import { callsIn, firstUnder, hasKilled, killing, spelled, tracing } from './calls.js'
import { survives } from './row.js'
import { midTurn, ofType, settled, unitOf } from './stage.js'

requireManager()

/** As 2 s later: what a killed holder left is then no lock any more, which `lock-holder-killed` waits for. */
function outlive(lock: string): void {
  const before = new Date(Date.now() - 10_000)
  if (existsSync(lock)) utimesSync(lock, before, before)
}

/** @returns whether it was killed */
async function under(t: Test, strace: string[], a: Talk, ...args: string[]): Promise<boolean> {
  const { code, signal } = await start(t, [...strace, process.execPath, cliPath, ...args], a.env).ended
  if (signal !== 'SIGKILL' && code !== 0) throw new Error(`${args[0]} ended with ${code} ${signal}`)
  return signal === 'SIGKILL'
}

survives('sender-killed-at-each-call', {
  needs: ['strace'],
  under: ['systemd'],
  proof: async (t) => {
    const a = new Talk(t)
    const { id, release } = await midTurn(a)
    const log = sessionLog(a.home, id)
    const trace = join(a.dir, 'trace')
    t.notOk(await under(t, tracing(trace, [log, `${log}.lock`]), a, 'send', id, 'say first'))
    const calls = callsIn(trace, log)
    const told = ['first']
    for (const call of calls) {
      const word = spelled(call).replace(' ', '-')
      t.ok(
        await under(t, killing(call, '/dev/null', [log, `${log}.lock`]), a, 'send', id, `say killed-${word}`),
        `killed at ${word}`,
      )
      outlive(`${log}.lock`)
      t.equal(a.do('send', id, `say after-${word}`).status, 0)
      told.push(`after-${word}`)
    }
    release()
    await a.untilType(id, 'session_completed')
    const said = a.said(id)
    t.equal(new Set(said).size, said.length, 'nothing is said twice')
    t.strictSame(
      said.filter((text) => told.includes(text)),
      told,
      'what was acknowledged is there, in order',
    )
    const others = said.filter((text) => !told.includes(text) && text !== 'held')
    t.ok(others.every((text) => calls.some((call) => text === `killed-${spelled(call).replace(' ', '-')}`)))
    t.equal(a.show(id).damaged, 0)
    t.comment(`${calls.length} calls: ${calls.map(spelled).join(', ')}`)
    await settled(t, a, id)
  },
})

survives('creator-killed-at-each-call', {
  needs: ['strace'],
  under: ['systemd'],
  proof: async (t) => {
    const a = new Talk(t)
    const trace = join(a.dir, 'trace')
    const ran = join(a.dir, 'ran')
    const run = (word: string) => ['run', '-d', '-a', 'command', '--', 'sh', '-c', `echo ${word} >> ${ran}`]
    t.notOk(await under(t, tracing(trace), a, ...run('first')))
    const calls = callsIn(trace, a.home.root)
    for (const call of calls) {
      await under(t, killing(call, '/dev/null'), a, ...run(`killed-${spelled(call).replace(' ', '-')}`))
      outlive(`${a.home.registry}.lock`)
    }
    t.equal(a.do(...run('last')).status, 0)
    await until(() => lines(readFileSync(ran, 'utf8')).includes('last'), 'the next one runs')
    // One that was killed before it could write its first line has made nothing.
    const made = (name: string) => name.endsWith('.ndjson') && statSync(join(a.home.sessions, name)).size > 0
    const ids = readdirSync(a.home.sessions).flatMap((name) => (made(name) ? [name.slice(0, -'.ndjson'.length)] : []))
    const listed = () => new Map(a.ls().map(({ sessionId, status }) => [sessionId, status]))
    // One whose creator died between its two files is told of when it can no longer be on its way.
    await until(() => ids.every((id) => listed().has(id)), 'whose file is there is listed', 30_000)
    const isOver = (status: string) => status === 'completed' || status === 'interrupted'
    await until(() => [...listed().values()].every(isOver), 'none is pending for ever', 30_000)
    t.strictSame([...listed().keys()].sort(), ids.sort(), 'and nobody else')
    const all = lines(readFileSync(ran, 'utf8'))
    t.equal(new Set(all).size, all.length, 'none runs twice')
    t.comment(`${calls.length} calls: ${calls.map(spelled).join(', ')}; ${ids.length} of them made, ${all.length} run`)
    for (const id of ids) t.match(a.show(id), { damaged: 0 })
  },
})

/** Starts a session as `run --how` says, with its daemon or its reaper under strace, the first time. @returns its id */
function begin(t: Test, a: Talk, who: 'daemon' | 'reap', strace: (paths: string[]) => string[], name: string): string {
  const { stdout } = a.do('run', '--how', '-C', a.dir, 'say hello')
  const [, id = ''] = /sessions\/([0-9a-f]{12})\.ndjson/.exec(stdout) ?? []
  t.teardown(() => spawnSync('systemctl', ['--user', 'stop', unitOf(id)], { stdio: 'ignore' }))
  const files = [sessionLog(a.home, id), a.home.registry]
  const wrapper = firstUnder(strace(files.flatMap((path) => [path, `${path}.lock`])), join(a.dir, name))
  const how =
    who === 'daemon'
      ? stdout.replace(/ -- (\S+ \S+daemon\.cjs)/, ` -- ${wrapper} $1`)
      : stdout.replace(/ExecStopPost=("\S+")/, `ExecStopPost="${wrapper}" $1`)
  if (how === stdout || spawnSync('sh', ['-c', how], { env: a.env }).status !== 0) throw new Error(`cannot run ${how}`)
  return id
}

/** One session for each call, all at once. @returns their ids, when none of them changes any more */
async function killedInUnit(t: Test, a: Talk, who: 'daemon' | 'reap'): Promise<string[]> {
  writeFileSync(a.home.env, `HOME=${a.env.HOME}\nPATH=${a.env.PATH}\n`)
  const rests = (id: string) => {
    const types = a.events(id).map(({ type }) => type)
    if (types.includes('input_request')) return true
    if (!types.includes('session_completed') || !types.includes('daemon_exited')) return false
    return systemctl('show', '-P', 'LoadState', unitOf(id)).trim() === 'not-found'
  }
  const trace = join(a.dir, 'trace')
  const first = begin(t, a, who, (paths) => tracing(trace, paths), 'first')
  await until(() => rests(first), 'it ends')
  const calls = callsIn(trace, a.home.root)
  const output = (at: number) => join(a.dir, `killed-${at}`)
  const ids = calls.map((call, at) => begin(t, a, who, (paths) => killing(call, output(at), paths), `at-${at}`))
  for (const [at, id] of ids.entries()) await until(() => rests(id), `it ends: ${spelled(calls[at]!)}`, 60_000)
  const killed = calls.filter((_, at) => hasKilled(output(at)))
  t.ok(killed.length > calls.length / 2, `killed at ${killed.length} of: ${calls.map(spelled).join(', ')}`)
  const listed = new Map(a.ls().map(({ sessionId, status }) => [sessionId, status]))
  for (const id of ids) {
    const { status, damaged } = a.show(id)
    t.match({ status, damaged }, { status: /^(completed|waiting_input)$/, damaged: 0 })
    t.equal(listed.get(id), status, 'the list says so too')
    const ends = ofType(a, id, 'daemon_exited').map(({ result }) => result)
    t.ok(ends.length > 0 || status === 'waiting_input', 'its end is told')
    t.strictSame(
      ends.filter((result) => result !== 'success' && result !== 'signal'),
      [],
      'truly',
    )
    t.equal(ofType(a, id, 'session_completed').length, status === 'completed' ? 1 : 0)
    t.equal(ofType(a, id, 'message_sent').filter(({ messageId }) => messageId === 'prompt').length, 1, 'sent once')
    // It asks where it cannot know whether a message has reached the agent.
    t.equal(ofType(a, id, 'input_request').length, status === 'waiting_input' ? 1 : 0)
  }
  return ids
}

survives('daemon-killed-at-each-call', {
  needs: ['strace'],
  under: ['systemd'],
  proof: async (t) => {
    const a = new Talk(t)
    for (const id of await killedInUnit(t, a, 'daemon'))
      t.ok(a.said(id).filter((text) => text === 'hello').length <= 1, 'answered once at most')
  },
})

survives('reaper-killed-at-each-call', {
  needs: ['strace'],
  under: ['systemd'],
  proof: async (t) => {
    const a = new Talk(t)
    for (const id of await killedInUnit(t, a, 'reap')) t.strictSame(a.said(id), ['hello'])
  },
})
