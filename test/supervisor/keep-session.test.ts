/** units/keep-session.sh: what its reaper is told of each end, and that no signal is lost on the way to the daemon. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { programs } from '../../src/base/programs.js'
import { isAlive, lines } from '../helpers/agentz.js'
import { tempDir, until } from '../helpers/home.js'
import { start } from '../helpers/program.js'

/** A keeper whose "node" is sh, with a daemon of these lines and a reaper that writes down what it is told. */
function stage(t: Test, daemon: string, reaper = '') {
  const dir = tempDir(t)
  const [file, reap, told] = ['daemon', 'reaper', 'told'].map((name) => join(dir, name)) as [string, string, string]
  writeFileSync(file, `cd '${dir}'\n${daemon}\n`)
  writeFileSync(reap, `env > '${told}.new'; mv '${told}.new' '${told}'; echo "reaper of $1"\n${reaper}\n`)
  const argv = ['/bin/sh', programs.keeper, '/bin/sh', file, reap, '0123456789ab']
  const words = () => {
    const all = lines(readFileSync(told, 'utf8'))
    const of = (name: string) => all.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1)
    return [of('SERVICE_RESULT'), of('EXIT_CODE'), of('EXIT_STATUS'), of('KEEPER_TOLD')]
  }
  return { dir, argv, told, words, of: (name: string) => readFileSync(join(dir, name), 'utf8') }
}

t.test('each end in the words of systemd', async (t) => {
  const ends: [string, (string | undefined)[]][] = [
    ['exit 0', ['success', 'exited', '0', undefined]],
    ['exit 70', ['exit-code', 'exited', '70', undefined]],
    ['exit 127', ['exit-code', 'exited', '127', undefined]],
    ['kill -KILL $$', ['signal', 'killed', 'KILL', undefined]],
    ['kill -SEGV $$', ['signal', 'killed', 'SEGV', undefined]],
    ['kill -TERM $$', ['success', 'killed', 'TERM', undefined]],
  ]
  for (const [daemon, expected] of ends) {
    const { argv, words } = stage(t, daemon)
    const { status, stdout } = spawnSync(argv[0]!, argv.slice(1), { encoding: 'utf8' })
    t.strictSame(words(), expected, daemon)
    t.equal(stdout, 'reaper of 0123456789ab\n')
    t.equal(status, 0, 'it ends with the status of its reaper')
  }
})

t.test('the status of the reaper is its own; of a daemon that steps back there is nothing to tell', async (t) => {
  const again = stage(t, 'exit 70', 'exit 1')
  t.equal(spawnSync(again.argv[0]!, again.argv.slice(1)).status, 1)
  const back = stage(t, 'exit 75')
  t.equal(spawnSync(back.argv[0]!, back.argv.slice(1)).status, 0)
  t.notOk(existsSync(back.told), 'no reaper was run')
})

t.test('both are told the same name of the run, and nothing of where it was started', async (t) => {
  const { argv, told, of } = stage(t, 'env > env; umask > umask; pwd > where')
  const env = {
    ...process.env,
    INVOCATION_ID: 'another',
    NOTIFY_SOCKET: '/x',
    WATCHDOG_USEC: '1',
    AGENTZ_SANDBOX: 'strict',
  }
  spawnSync(argv[0]!, argv.slice(1), { env, cwd: tempDir(t) })
  const run = /^INVOCATION_ID=([0-9a-f]{32})$/m
  t.match(of('env'), run)
  t.equal(run.exec(of('env'))?.[1], run.exec(readFileSync(told, 'utf8'))?.[1])
  t.notMatch(of('env'), /NOTIFY_SOCKET|WATCHDOG|AGENTZ_SANDBOX|NODE_OPTIONS/)
  t.match(of('umask'), /^0*77$/m)
})

t.test('told to end, it hands that on, however often, waits, and tells what really became of the daemon', async (t) => {
  for (const signals of [['SIGTERM'], ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGTERM']] as const) {
    const { argv, words, dir } = stage(
      t,
      `trap 'echo x >> told-daemon; [ -e go ] && exit 3' TERM; echo $$ > pid; while :; do sleep 0.01; done`,
    )
    const keeper = start(t, argv)
    await until(() => existsSync(join(dir, 'pid')), 'the daemon runs')
    const pid = Number(readFileSync(join(dir, 'pid'), 'utf8'))
    for (const signal of signals) {
      const before = existsSync(join(dir, 'told-daemon')) ? readFileSync(join(dir, 'told-daemon'), 'utf8').length : 0
      process.kill(keeper.pid, signal)
      await until(
        () => existsSync(join(dir, 'told-daemon')) && readFileSync(join(dir, 'told-daemon'), 'utf8').length > before,
        'the daemon was told',
      )
      t.ok(isAlive(pid), 'it is waited for')
    }
    writeFileSync(join(dir, 'go'), '')
    process.kill(keeper.pid, 'SIGTERM')
    t.match(await keeper.ended, { code: 0 })
    t.strictSame(words(), ['exit-code', 'exited', '3', '1'])
  }
})

t.test('a signal at any moment of a short daemon: its own status is told', async (t) => {
  for (let round = 0; round < 30; round++) {
    const { argv, words, dir, told } = stage(t, `trap '' TERM; : > ready; sleep 0.00${round % 10}; exit 5`)
    const keeper = start(t, argv)
    await until(() => existsSync(join(dir, 'ready')) || existsSync(told), 'it has begun')
    // It may have ended by now.
    keeper.process.kill('SIGTERM')
    await keeper.ended
    t.strictSame(words().slice(0, 3), ['exit-code', 'exited', '5'], `round ${round}`)
  }
})
