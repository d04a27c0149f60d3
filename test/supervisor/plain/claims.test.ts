import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { plainDirectory } from '../../../src/base/paths.js'
import { statOf } from '../../../src/base/proc.js'
import { Claims } from '../../../src/supervisor/plain/claims.js'
import { newHome } from '../../helpers/home.js'

const id = '0123456789ab'
const gone = 2 ** 22 + 1

function stage(t: Test) {
  const home = newHome(t)
  const directory = plainDirectory(home)
  mkdirSync(directory, { mode: 0o700 })
  const put = (name: string, text = '') => writeFileSync(join(directory, name), text)
  return { claims: new Claims(home), directory, put, files: () => readdirSync(directory).sort() }
}

t.test('a process that lives carries its session, and who else does is told', async (t) => {
  const { claims, directory } = stage(t)
  t.equal(claims.carriers().size, 0)
  const name = claims.make(id, 'keeper', process.pid)!
  t.equal(statSync(join(directory, name)).mode & 0o777, 0o600)
  t.equal(statSync(join(directory, name)).size, 0)
  const { start } = statOf(process.pid)!
  t.strictSame([...claims.carriers()], [[id, { isOver: false, keeper: { pid: process.pid, start } }]])
  t.equal(claims.hasOthers(id, [process.pid]), false)
  t.equal(claims.hasOthers(id, []), true)
  t.equal(claims.hasOthers('ffffffffffff', []), false)
  t.equal(claims.make(id, 'keeper', process.pid), name, 'told twice it is the same')
  claims.withdraw([name, 'absent'])
  t.equal(claims.carriers().size, 0)
})

t.test('without the directory there are none', async (t) => {
  const home = newHome(t)
  t.equal(new Claims(home).carriers().size, 0)
  new Claims(home).sweep()
  t.ok(new Claims(home).make(id, 'daemon', process.pid))
})

t.test('what does not live counts for nothing, and is swept', async (t) => {
  const { claims, put, files } = stage(t)
  const [, role, pid, world = '', start = ''] = claims.make(id, 'daemon', process.pid)!.split('.')
  const own = [id, role, pid, world, start].join('.')
  const other = 'ffffffffffff'
  const dead = [
    `${other}.daemon.${gone}.${world}.${start}`,
    `${other}.keeper.${process.pid}.${world}.${Number(start) + 1}`,
    `${other}.daemon.${process.pid}.${world.replace(/[0-9a-f]/g, '0')}.${start}`,
    `${other}.daemon.${process.pid}.${world}9.${start}`,
  ]
  const foreign = [
    'notes',
    `${other}.other.1.x.1`,
    `${other}.daemon.0.${world}.${start}`,
    'x.daemon.1.2.3',
    `${other}.log`,
  ]
  for (const name of [...dead, ...foreign]) put(name, name.endsWith('.log') ? 'words' : '')
  put(`${id}.log`)
  put('eeeeeeeeeeee.log')
  t.strictSame([...claims.carriers().keys()], [id])
  t.equal(claims.hasOthers(other, []), false)
  claims.sweep()
  t.strictSame(files(), [own, ...foreign, `${id}.log`].sort(), 'with the empty logs of those that are gone')
})

t.test('a keeper whose daemon is gone writes the last word; a daemon without keeper runs on', async (t) => {
  const { claims } = stage(t)
  const child = spawn('sleep', ['600'])
  await once(child, 'spawn')
  claims.make(id, 'daemon', child.pid!)
  t.match(claims.carriers().get(id), { daemon: { pid: child.pid }, keeper: undefined })
  claims.make(id, 'keeper', process.pid)
  t.match(claims.carriers().get(id), { daemon: { pid: child.pid }, keeper: { pid: process.pid } })
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.match(claims.carriers().get(id), { daemon: undefined, keeper: { pid: process.pid }, isOver: true })
  claims.sweep()
  t.match(claims.carriers().get(id), { isOver: true }, 'what says so stays as long as the keeper does')
  t.equal(claims.make(id, 'daemon', gone), undefined, 'one that is not there carries nothing')
})
