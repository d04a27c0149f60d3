/** Who creates, queues or says something is killed in the middle of it, and the queue loses manager and registry: nothing stays as it is for ever. */
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { lines, requireManager } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { holdLock } from '../helpers/held-lock.js'
import { until } from '../helpers/home.js'
import { Manager } from '../helpers/manager.js'
import { place } from './place.js'
import { type SupervisorName, supervisors, survives } from './row.js'
import { ofType, settled } from './stage.js'

requireManager()

const cap = (a: Talk, sessions: number) => writeFileSync(a.home.config, JSON.stringify({ fleet: { sessions } }))

const detached = ['run', '-d', '-a', 'command', '--', 'true']
const ids = (a: Talk) =>
  readdirSync(a.home.sessions).flatMap((name) => (name.endsWith('.ndjson') ? [name.slice(0, -'.ndjson'.length)] : []))

/** Leaves its name in a file when it runs. */
const named = (a: Talk, name: string) =>
  a.run('-a', 'command', '--', 'sh', '-c', `echo ${name} >> ${join(a.dir, 'ran')}`).sessionId
const ran = (a: Talk) => lines(readFileSync(join(a.dir, 'ran'), 'utf8'))

/** Kills what runs as soon as `now` holds. */
async function killed(a: Talk, args: string[], now: () => boolean, what: string): Promise<void> {
  const child = a.spawn(args)
  const gone = new Promise((resolve) => child.once('close', resolve))
  await until(now, what)
  child.kill('SIGKILL')
  await gone
}

survives('queue-creator-killed', {
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    cap(a, 1)
    const registry = holdLock(t, a.home.registry)
    // One that is killed between the file and its first line has made nothing.
    const isMade = () => ids(a).some((id) => readFileSync(sessionLog(a.home, id), 'utf8').endsWith('\n'))
    await killed(a, detached, isMade, 'its file is there, and the registry knows nothing of it')
    registry()
    const [first = ''] = ids(a)
    t.equal(a.show(first).status, 'pending', 'it might still be started')
    await until(() => a.show(first).status === 'interrupted', 'it is not pending for ever', 30_000)
    t.match(a.show(first), { cause: { result: 'lost' } })
    t.match(a.ls(), [{ sessionId: first, status: 'interrupted' }])

    const queue = holdLock(t, a.home.queue)
    const second = () => ids(a).find((id) => id !== first) ?? ''
    const isQueued = () => second() !== '' && a.events(second()).some(({ type }) => type === 'session_queued')
    await killed(a, detached, isQueued, 'it stands in the queue, and nobody has looked who is next')
    queue()
    t.match(a.show(second()), { status: 'pending', place: 1 })
    const third = named(a, 'third')
    for (const id of [second(), third]) await a.untilType(id, 'session_completed')
    t.equal(ofType(a, second(), 'daemon_started').length, 1, 'it has run, once')
  },
})

survives('queue-over-restart', {
  needs: ['root'],
  under: ['systemd'],
  proof: async (t) => {
    for (const how of ['end', 'kill'] as const) {
      const manager = new Manager(t)
      await manager.start()
      const a = new Talk(t)
      Object.assign(a.env, manager.env)
      cap(a, 1)
      const { id: busy, release } = await a.busy()
      const queued = ['one', 'two'].map((name) => named(a, name))
      await manager[how]()
      for (const id of queued) t.equal(a.show(id).status, 'pending', `${how}: it waits on`)
      await manager.start()
      t.notOk(existsSync(join(a.dir, 'ran')), 'nothing starts by itself')
      const recovered = a.do('recover', '--json', '--spacing', '0.05')
      t.match(
        lines(recovered.stdout).map((line) => JSON.parse(line)),
        [{ sessionId: busy, action: 'resumed' }],
      )
      release()
      for (const id of [...queued, busy]) await a.untilType(id, 'session_completed')
      t.strictSame(ran(a), ['one', 'two'], `${how}: each once, in their order`)
      const starts = a.registry().flatMap(({ type, sessionId }) => (type === 'daemon_started' ? [sessionId] : []))
      t.strictSame(starts, [busy, ...queued, busy], `${how}: one after the other`)
    }
  },
})

survives('queue-registry-deleted', {
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    cap(a, 1)
    const gate = await a.ticking()
    const queued = ['one', 'two', 'three'].map((name) => named(a, name))
    for (const path of [a.home.registry, a.home.cache]) rmSync(path, { recursive: true, force: true })
    for (const [at, id] of queued.entries()) t.match(a.show(id), { status: 'pending', place: at + 1 })
    t.equal(a.do('cancel', gate.sessionId).status, 0)
    for (const id of queued) await a.untilType(id, 'session_completed')
    t.strictSame(ran(a), ['one', 'two', 'three'], 'each once, in their order')
    for (const id of queued) await settled(t, a, id)
  },
})

/** Nothing can be started from now on. @returns how to let it be again */
function stuck(t: Test, a: Talk, name: SupervisorName): () => void {
  if (name !== 'systemd') return holdLock(t, join(a.home.root, name))
  const program = join(dirname(a.dir), 'bin', 'systemd-run')
  const pids = join(a.dir, 'pids')
  writeFileSync(program, `#!/bin/sh\necho $$ >> '${pids}'\nexec sleep 600\n`)
  chmodSync(program, 0o755)
  return () => {
    for (const pid of existsSync(pids) ? lines(readFileSync(pids, 'utf8')) : []) process.kill(Number(pid), 'SIGKILL')
    rmSync(program)
  }
}

survives('sender-killed', {
  under: supervisors,
  proof: async (t, name) => {
    const { a } = await place(t, name)
    const id = await a.over('say hello')
    const free = stuck(t, a, name)
    const isSaid = () => ofType(a, id, 'user_message').length === 1
    await killed(a, ['send', id, 'say first'], isSaid, 'the message is in the file, and its daemon about to start')
    free()
    t.equal(ofType(a, id, 'user_message').length, 1)
    t.equal(a.show(id).status, 'completed', 'nothing runs, and nothing else is said')
    t.equal(a.do('send', id, 'say second').status, 0)
    await until(() => a.said(id).includes('second'), 'both are said')
    t.strictSame(a.said(id), ['hello', 'first', 'second'], 'each once, in their order')
    await until(() => a.show(id).status === 'completed', 'it ends')
    await settled(t, a, id)
    const freeAgain = stuck(t, a, name)
    const isThird = () => ofType(a, id, 'user_message').length === 3
    await killed(a, ['send', id, 'say third'], isThird, 'another one is in the file')
    freeAgain()
    t.match(a.show(id), { status: 'completed', queued: 1 }, 'it has ended, and one message was not taken')
    t.match(a.do('show', id).stdout, /1 message that the agent has not taken yet/)
    const recovered = () => lines(a.do('recover', '--json', '--spacing', '0.05').stdout).map((line) => JSON.parse(line))
    t.match(recovered(), [{ sessionId: id, action: 'resumed', why: /after it had ended/ }])
    await until(() => a.said(id).includes('third'), 'recover has it said')
    await until(() => a.show(id).status === 'completed', 'it ends')
    t.strictSame(recovered(), [], 'once')
    t.strictSame(a.said(id), ['hello', 'first', 'second', 'third'])
    await settled(t, a, id)
  },
})
