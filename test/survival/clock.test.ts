/** The clock of the machine is set back or forward under sessions that live: of the manager, its units and the command line (libfaketime). */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { sessionLog } from '../../src/base/paths.js'
import { cliPath, lines, requireManager } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { tempDir } from '../helpers/home.js'
import { Manager } from '../helpers/manager.js'
import { start } from '../helpers/program.js'
import { faketime } from './needs.js'
import { survives } from './row.js'
import { midTurn, ofType, settled } from './stage.js'

requireManager()

const HOUR = 3600

interface World {
  readonly a: Talk
  readonly manager: Manager
  /** Sets the clock, in seconds from what it really is. */
  set(seconds: number): void
}

async function newWorld(t: Test): Promise<World> {
  const file = join(tempDir(t), 'clock')
  // A time at which it stood before is written whole, and read at each look.
  const set = (seconds: number) => writeFileSync(file, `${seconds < 0 ? '' : '+'}${seconds}\n`)
  set(0)
  const clock = {
    LD_PRELOAD: faketime(),
    FAKETIME_TIMESTAMP_FILE: file,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    DONT_FAKE_MONOTONIC: '1',
  }
  const manager = new Manager(t)
  await manager.start()
  const a = new Talk(t)
  Object.assign(a.env, manager.env)
  const words = Object.entries(clock).map(([name, value]) => `${name}=${value}`)
  spawnSync('systemctl', ['--user', 'set-environment', ...words], { env: a.env })
  Object.assign(a.env, clock)
  return { a, manager, set }
}

/** @returns whether the clock was another one for the daemon: now and then libfaketime takes no hold of a process that it was loaded into */
async function jumps(t: Test, seconds: number): Promise<boolean> {
  const { a, manager, set } = await newWorld(t)
  const cli = (...args: string[]) => start(t, [process.execPath, cliPath, ...args], a.env)
  const asking = await a.asking('A')
  const { id, daemon, release } = await midTurn(a)
  const reader = cli('logs', '-f', '--raw', id)
  const waiting = cli('wait', id)
  await reader.said('"message_accepted"')
  // Its holder has died just before.
  mkdirSync(`${sessionLog(a.home, asking.id)}.lock`)
  const before = Date.parse(String(a.events(id).at(-1)?.timestamp))
  set(seconds)

  const statuses = Object.fromEntries(a.ls().map(({ sessionId, status }) => [sessionId, status]))
  t.strictSame(statuses, { [asking.id]: 'waiting_approval', [id]: 'running' })
  t.equal(a.do('approve', asking.id).status, 0)
  t.equal(a.do('wait', '-t', '20', asking.id).status, 0)
  t.strictSame(a.said(asking.id), ['A: allow'])
  process.kill(daemon, 'SIGKILL')
  await a.until(id, (all) => all.filter(({ type }) => type === 'daemon_started').length === 2, 'it is started again')
  t.equal(a.do('send', id, 'say after').status, 0)
  release()
  t.match(await waiting.ended, { code: 0 }, 'who waits goes on')
  const { code, stdout } = await reader.ended
  t.equal(code, 0)
  const types = lines(stdout).map((line) => JSON.parse(line).type)
  const order = ['message_accepted', 'daemon_exited', 'daemon_started', 'user_message', 'session_completed']
  t.strictSame(
    order.filter((type, at) => types.lastIndexOf(type) >= types.indexOf(order[at - 1] ?? type)),
    order,
  )
  const { timestamp } = ofType(a, id, 'session_completed')[0] ?? {}
  const gone = (Date.parse(String(timestamp)) - before) / 1000
  for (const each of [id, asking.id]) {
    const { status, metadata } = a.show(each)
    t.equal(status, 'completed')
    t.ok(Number((metadata as { durationMs?: number }).durationMs) >= 0)
    await settled(t, a, each)
  }

  const file = join(a.dir, 'never')
  const last = a.begin(`hold ${file}`)
  await a.untilType(last, 'message_accepted')
  const lost = cli('logs', '-f', '--raw', last)
  await lost.said('"message_accepted"')
  set(0)
  await manager.kill()
  t.match(await lost.ended, { signal: null }, 'nor does who follows what has been lost wait for it')
  return Math.abs(gone - seconds) < 120
}

const proof = (seconds: number) => async (t: Test) =>
  void t.ok(
    (await jumps(t, seconds)) || (await jumps(t, seconds)),
    `the clock went by ${seconds} s, or this test is blind`,
  )

survives('clock-back', { needs: ['root', 'faketime'], under: ['systemd'], proof: proof(-HOUR) })

survives('clock-forward', { needs: ['root', 'faketime'], under: ['systemd'], proof: proof(HOUR) })
