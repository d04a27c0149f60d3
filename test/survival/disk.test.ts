/** The disk is full, turns read-only, or loses its power in the middle of a turn. */

import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ensureHome, homePaths } from '../../src/base/paths.js'
import { requireManager, systemctl } from '../helpers/agentz.js'
import { Talk } from '../helpers/fake-claude.js'
import { until } from '../helpers/home.js'
import { Manager } from '../helpers/manager.js'
import { Ext4 } from './ext4.js'
import { place } from './place.js'
import { supervisors, survives } from './row.js'
import { SmallDisk } from './soak/disk.js'
import { midTurn, ofType, settled, unitOf } from './stage.js'
import { wordsOf } from './words.js'

requireManager()

const homeOn = (disk: SmallDisk) => ensureHome(homePaths(join(disk.path, 'home')))

/** Longer than what a full disk may have left in the last block of a file. */
const long = (word: string) => word.repeat(4000)

const messages = (a: Talk, id: string) => ofType(a, id, 'user_message').map(({ content }) => String(content))

/** Neither may be acknowledged; each says what failed, and what to do. */
function refuses(t: Test, a: Talk, id: string, why: RegExp): void {
  for (const args of [
    ['send', id, `say ${long('refused')}`],
    ['run', '-d', '-C', a.dir, `say ${long('refused')}`],
  ]) {
    const { status, stdout, stderr } = a.do(...args)
    t.match({ status, stdout, stderr }, { status: 1, stdout: '', stderr: why }, `${args[0]} refuses`)
    t.match(stderr, /\n[A-Z].*\.\n$/, 'and says what to do')
  }
}

/** How often a process has tried to write something. */
const writesOf = (pid: number): number => Number(/^syscw: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])

const isGone = (id: string) => systemctl('show', '-P', 'LoadState', unitOf(id)).trim() === 'not-found'

survives('disk-full', {
  needs: ['root', 'loop'],
  under: supervisors,
  proof: async (t, name) => {
    const tmpfs = new SmallDisk(t)
    // What kind of disk it is means nothing to a supervisor.
    const disks = name === 'systemd' ? { tmpfs, ext4: new Ext4(t) } : { tmpfs }
    for (const [what, disk] of Object.entries(disks)) {
      const { a } = await place(t, name, homeOn(disk))
      const { id, daemon, release } = await midTurn(a)
      const kept = [`say ${long('one')}`, `say ${long('two')}`]
      for (const text of kept) t.equal(a.do('send', id, text).status, 0)
      disk.fill()
      refuses(t, a, id, /ENOSPC|only \d+ of \d+ bytes/)
      const writes = writesOf(daemon)
      release()
      // Elsewhere its words go to a file, on the same disk.
      const isBlocked = () =>
        name === 'systemd' ? /blocked: .*ENOSPC/.test(wordsOf(a, name, id)) : writesOf(daemon) > writes + 10
      await until(isBlocked, `${what}: the daemon waits, and says why`)
      t.equal(a.show(id).status, 'running')
      t.match(a.ls(), [{ sessionId: id, status: 'running' }], 'who only looks needs no room')
      disk.free()
      await a.untilType(id, 'session_completed')
      t.strictSame(
        a.said(id),
        ['held', long('one'), long('two')],
        `${what}: all that was said is there, once, in order`,
      )
      t.strictSame(messages(a, id), kept, 'and nothing that was refused')
      t.equal(ofType(a, id, 'daemon_started')[0]?.pid, daemon)
      t.ok(Number(a.show(id).damaged) <= 3, 'a torn line for each write that found no room, at most')
      await settled(t, a, id)
      t.equal(a.ls().length, 1, 'nothing is left of the session that could not be made')
    }
  },
})

survives('read-only', {
  needs: ['root', 'loop'],
  under: ['systemd'],
  proof: async (t) => {
    const disk = new Ext4(t)
    const a = new Talk(t, homeOn(disk))
    const old = await a.over('say hello')
    await until(() => isGone(old), 'its reaper has nothing more to write')
    disk.remount('ro')
    refuses(t, a, old, /EROFS/)
    t.equal(a.show(old).status, 'completed')
    t.match(a.ls(), [{ sessionId: old, status: 'completed' }])
    t.match(a.do('logs', old), { status: 0, stdout: /hello/ })
    disk.remount('rw')
    t.equal(a.do('send', old, 'say again').status, 0)
    await until(() => a.said(old).includes('again'), 'it is taken up')
    await a.until(old, (all) => all.filter(({ type }) => type === 'daemon_exited').length === 2, 'it ends')

    const { id, release } = await midTurn(a)
    disk.turnReadOnly()
    refuses(t, a, id, /EROFS/)
    release()
    await until(() => isGone(id), 'it ends: it cannot be known whether what was written last is on the disk', 60_000)
    const lost = { status: 'interrupted', cause: { result: 'lost' } }
    t.match(a.show(id), lost, 'told truthfully also where nobody could write it down')
    disk.startAgain()
    t.match(a.show(id), lost)
    t.equal(a.do('send', id, 'say back').status, 0)
    await a.untilType(id, 'session_completed')
    t.equal(a.said(id).filter((text) => text === 'back').length, 1, 'it is taken up')
    t.strictSame(
      messages(a, id).filter((text) => text.startsWith('say')),
      ['say back'],
    )
  },
})

survives('power-loss', {
  needs: ['root', 'loop'],
  under: ['systemd'],
  proof: async (t) => {
    const disk = new Ext4(t)
    const manager = new Manager(t)
    await manager.start({ bootId: randomUUID() })
    const a = new Talk(t, homeOn(disk))
    Object.assign(a.env, manager.env)
    const { id } = await midTurn(a)
    const told = ['one', 'two', 'three'].map((word) => `say ${word}`)
    for (const text of told) t.equal(a.do('send', id, text).status, 0)
    const fresh = a.begin('say new')
    disk.cutPower()
    await manager.kill()
    disk.startAgain()
    await manager.start({ bootId: randomUUID() })
    t.strictSame(messages(a, id), told, 'what was acknowledged is there, once, in order')
    t.match(a.show(id), { status: 'interrupted', cause: { result: 'reboot' } })
    t.match(a.show(fresh), { prompt: 'say new' }, 'also a session that was just made')
    t.match(a.do('recover', '--json', '--spacing', '0.05'), { status: 0, stderr: '' })
    await a.untilType(id, 'input_request')
    t.match(a.show(id), { status: 'waiting_input', epoch: 2 }, 'it asks before it sends twice what was under way')
    t.equal(a.do('send', fresh, 'say more').status, 0)
    await until(() => a.said(fresh).includes('more'), 'the new one is taken up as well')
    t.strictSame(a.said(fresh), ['new', 'more'])
    for (const each of [id, fresh]) a.do('cancel', each)
    for (const each of [id, fresh]) await a.untilType(each, 'daemon_exited')
  },
})
