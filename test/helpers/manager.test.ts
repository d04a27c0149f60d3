/** The private user manager of tests: it ends, is killed, and starts again over one runtime directory. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { requireManager, systemctl } from './agentz.js'
import { isRoot, until } from './home.js'
import { Manager } from './manager.js'

requireManager()

t.test('started, killed, started again in another boot, ended', { skip: !isRoot && 'needs root' }, async (t) => {
  const manager = new Manager(t)
  const env = { ...process.env, ...manager.env }
  const ask = () => spawnSync('systemctl', ['--user', 'is-system-running'], { env, encoding: 'utf8' }).stdout.trim()
  const start = (unit: string, ...argv: string[]) =>
    execFileSync('systemd-run', ['--user', '--quiet', `--unit=${unit}`, ...argv], { env })
  const last = join(manager.runtime, 'last')
  const stopPost = `--property=ExecStopPost=/bin/sh -c 'echo stopped > ${last}'`
  await manager.start()
  t.match(ask(), /running|degraded/)
  start('a', stopPost, 'sleep', '1000')
  await manager.kill()
  t.match(ask(), /^(offline|)$/)
  t.notOk(existsSync(last), 'nobody could write a last word')

  const bootId = '00000000-1111-2222-3333-444444444444'
  await manager.start({ bootId })
  const [program = '', ...args] = [...manager.inside, 'cat', '/proc/sys/kernel/random/boot_id']
  t.equal(execFileSync(program, args, { encoding: 'utf8' }).trim(), bootId)
  const seen = join(manager.runtime, 'seen')
  start('b', stopPost, 'sh', '-c', `cat /proc/sys/kernel/random/boot_id > ${seen}; exec sleep 1000`)
  await until(() => existsSync(seen), 'the unit runs')
  await manager.end()
  await until(() => existsSync(last), 'it was stopped as at a log-out')
  t.match(systemctl('is-system-running'), /running|degraded/, 'and it was not the manager of these tests')
  writeFileSync(last, '')
})
