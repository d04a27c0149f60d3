/** The reaper as the OS runs it, after what others have left undone: a reaper that died, a cancel that nobody heard, a disk without room. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import t from 'tap'
import { ensureHome, type Home, homePaths, sessionLog } from '../../src/base/paths.js'
import { programs } from '../../src/base/programs.js'
import { appendOnce } from '../../src/log/append.js'
import type { RegistryEvent } from '../../src/session/events.js'
import { frame } from '../../src/session/frame.js'
import type { LifeEvent } from '../../src/session/lifecycle.js'
import { appendRegistry, readRegistry } from '../../src/session/registry.js'
import { readSession } from '../../src/session/state.js'
import { Agentz, requireManager } from '../helpers/agentz.js'
import { isRoot, newHome, tempDir, until } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'
import { SmallDisk } from '../survival/soak/disk.js'

requireManager()

const PAGE = 4096
const unit = 'agentz-session-of-a-test.service'
const killed = { SERVICE_RESULT: 'signal', EXIT_CODE: 'killed', EXIT_STATUS: 'KILL' }
const left = { SERVICE_RESULT: 'success', EXIT_CODE: 'exited', EXIT_STATUS: '0' }

class Past {
  readonly id: string
  readonly #home: Home
  readonly #a: Agentz

  constructor(a: Agentz, id: string) {
    this.#a = a
    this.#home = a.home
    this.id = id
  }

  /** A session whose daemon has started once, and what follows stands in its file alone. */
  static async of(t: Test, home = newHome(t)): Promise<Past> {
    const a = new Agentz(t, home)
    const { sessionId } = await newSession(home, { prompt: 'hello' })
    const past = new Past(a, sessionId)
    const started: LifeEvent = { type: 'daemon_started', sessionId, unit, pid: 1, bootId: 'b', invocationId: 'one' }
    past.write(started)
    await appendRegistry(home, JSON.parse(frame(started, 'daemon', 1)) as RegistryEvent)
    return past
  }

  write(event: LifeEvent | { type: 'cancel_requested' }, epoch = 1): void {
    appendOnce(sessionLog(this.#home, this.id), frame(event, 'daemon', epoch))
  }

  /** @returns its file, whose last page has so much room */
  fillPage(room: number): string {
    const log = sessionLog(this.#home, this.id)
    const empty = JSON.stringify({ type: 'system', content: '' })
    const content = 'x'.repeat(2 * PAGE - room - ((statSync(log).size + empty.length + 2) % PAGE))
    appendOnce(log, JSON.stringify({ type: 'system', content }))
    return log
  }

  /** @returns its exit status */
  async reap(how: NodeJS.ProcessEnv, invocation: string, meanwhile = async () => {}): Promise<number> {
    const env = { ...this.#a.env, ...how, INVOCATION_ID: invocation }
    const reaper = spawn(programs.node, [programs.reaper, this.id], { env, stdio: 'ignore' })
    const ended = once(reaper, 'exit')
    await meanwhile()
    return (await ended)[0]
  }

  /** As OnFailure= runs it. @param invocation the run that has failed */
  async fail(invocation: string): Promise<number> {
    const env = { ...this.#a.env, MONITOR_SERVICE_RESULT: 'signal', MONITOR_INVOCATION_ID: invocation }
    return (await once(spawn(programs.node, [programs.reaper, 'failed', this.id], { env, stdio: 'ignore' }), 'exit'))[0]
  }

  get types(): unknown[] {
    return this.#a.events(this.id).map(({ type }) => type)
  }

  get exits(): unknown[] {
    return this.#a.events(this.id).flatMap(({ type, epoch }) => (type === 'daemon_exited' ? [epoch] : []))
  }

  get state() {
    return readSession(this.#home, this.id)
  }

  /** What its own file says, and what the registry does. */
  get statuses(): unknown[] {
    return [readSession(this.#home, this.id).status, readRegistry(this.#home).rows.status(this.id)]
  }
}

const completed = (past: Past): LifeEvent => ({ type: 'session_completed', sessionId: past.id, metadata: {} })

t.test('the reaper before it was killed: what that one has not told, the next one does', async (t) => {
  const past = await Past.of(t)
  past.write(completed(past))
  t.equal(await past.reap(left, 'two'), 0)
  t.strictSame(past.statuses, ['completed', 'completed'])
})

t.test('starts that died before they could say so: each has a number of its own', async (t) => {
  const past = await Past.of(t)
  for (const invocation of ['one', 'two', 'three']) t.equal(await past.reap(killed, invocation), 0)
  t.strictSame(past.exits, [1, 2, 3])
  t.match(past.state, { epoch: 1, exited: 3 }, 'and the next one has number 4')
})

t.test('its own attempt before this one got as far as the file of the session', async (t) => {
  const past = await Past.of(t)
  past.write({
    type: 'daemon_exited',
    sessionId: past.id,
    unit,
    invocationId: 'one',
    result: 'success',
    manager: 'running',
  })
  past.write({ type: 'session_interrupted', sessionId: past.id, cause: { result: 'stopped', message: 'stopped' } })
  const before = past.types
  t.equal(await past.reap(left, 'one'), 0)
  t.strictSame(past.types, before, 'nothing is told twice')
  t.strictSame(past.statuses, ['interrupted', 'interrupted'])
})

// With a hundred sessions to end, a manager takes seconds to say that it is stopping.
t.test('a log-out during which the manager answers slowly', async (t) => {
  const past = await Past.of(t)
  const bin = tempDir(t)
  const script =
    '#!/bin/sh\ncase "$*" in \'--user is-system-running\') sleep 2; echo stopping;; *) echo running;; esac\n'
  writeFileSync(join(bin, 'systemctl'), script, { mode: 0o755 })
  t.equal(await past.reap({ ...left, PATH: `${bin}:${process.env.PATH}` }, 'one'), 0)
  t.strictSame(past.types.slice(-2), ['daemon_exited', 'session_interrupted'])
  t.match(past.state, { cause: { result: 'log-out' } })
  t.strictSame(past.statuses, ['interrupted', 'interrupted'])
})

t.test('systemd has given up, and somebody has taken it up again meanwhile', async (t) => {
  const past = await Past.of(t)
  t.equal(await past.reap(killed, 'one'), 0)
  const started: LifeEvent = {
    type: 'daemon_started',
    sessionId: past.id,
    unit,
    pid: 1,
    bootId: 'b',
    invocationId: 'two',
  }
  past.write(started, 2)
  const before = past.types
  t.equal(await past.fail('one'), 0)
  t.strictSame(past.types, before, 'it lives, and is not told to have failed')
  t.equal(past.state.status, 'running')
  t.equal(await past.fail('two'), 0)
  t.strictSame(past.types, [...before, 'session_failed'])
})

t.test('systemd has given up, and it waits for its turn again', async (t) => {
  const past = await Past.of(t)
  t.equal(await past.reap(killed, 'one'), 0)
  past.write({ type: 'session_queued', sessionId: past.id })
  t.equal(await past.fail('one'), 0)
  t.equal(past.state.status, 'pending')
})

t.test('a cancel that the daemon did not live to hear', async (t) => {
  const past = await Past.of(t)
  past.write({ type: 'cancel_requested' })
  t.equal(await past.reap(left, 'one'), 0)
  t.strictSame(past.statuses, ['cancelled', 'cancelled'])
  t.strictSame(past.types.slice(-2), ['daemon_exited', 'session_cancelled'])
})

t.test(
  'a disk that is full for a moment',
  { skip: !isRoot && 'needs root, to mount a small file system' },
  async (t) => {
    const disk = new SmallDisk(t)
    const past = await Past.of(t, ensureHome(homePaths(join(disk.path, 'home'))))
    // Up to the end of the last page of a file there is room in any case: for the beginning of a line.
    const log = past.fillPage(100)
    disk.fill()
    const status = past.reap(killed, 'one', async () => {
      await until(() => statSync(log).size % PAGE === 0, 'it has tried')
      disk.free()
    })
    t.equal(await status, 0)
    t.equal(past.types.at(-1), 'daemon_exited')
    t.strictSame(past.statuses, ['interrupted', 'interrupted'])
  },
)
