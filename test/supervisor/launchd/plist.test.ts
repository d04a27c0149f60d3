/** Property lists, read again by two parsers that are not ours: the npm package plist, and plistutil of libplist. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, parseBinary } from 'plist'
import t from 'tap'
import { homePaths } from '../../../src/base/paths.js'
import { programs } from '../../../src/base/programs.js'
import { recoverJob } from '../../../src/supervisor/launchd/at-login.js'
import { sessionJob } from '../../../src/supervisor/launchd/job.js'
import { type PlistValue, plistText } from '../../../src/supervisor/launchd/plist.js'
import { tempDir } from '../../helpers/home.js'

const dir = tempDir(t)

/** libplist reads the text and writes what it has understood in the binary form. */
function byLibplist(text: string): unknown {
  const [file, binary] = [join(dir, 'job.plist'), join(dir, 'job.bin')]
  writeFileSync(file, text)
  execFileSync('plistutil', ['-i', file, '-f', 'bin', '-o', binary])
  return parseBinary(readFileSync(binary))
}

const values: PlistValue[] = [
  { text: 'a & b < c > d "e" \'f\' ]]> $HOME %h \\ ', empty: '', lines: 'one\ntwo\tthree', unicode: 'Zoë 日本 🙂' },
  { yes: true, no: false, zero: 0, negative: -5, large: 2 ** 40, list: ['x', ['y'], {}], nested: { a: { b: 'c' } } },
]

t.test('what is written is what both parsers read', async (t) => {
  for (const value of values) {
    const text = plistText(value)
    t.strictSame(parse(text), value)
    t.strictSame(byLibplist(text), value)
  }
  t.strictSame(parse(plistText({ return: 'one\rtwo' })), { return: 'one\rtwo' })
})

t.test('what XML cannot say is refused, with the text in question', async (t) => {
  for (const bad of ['a\u0000b', 'a\u001bb', 'a\uffff', 'a\ud800', '\udc00b']) {
    t.throws(() => plistText({ bad }), { code: 'BAD_INPUT', message: /cannot be said in a property list/ })
  }
  t.throws(() => plistText(1.5), RangeError)
})

t.test('the job of a session: its id and nothing else of it, whatever its home is called', async (t) => {
  for (const name of ['home', 'a place with $HOME, %h & <spaces>', 'Zoë "quoted"']) {
    const home = homePaths(join('/Users/ada', name))
    const text = plistText(sessionJob({ sessionId: '0123456789ab' }, home))
    const job = parse(text)
    t.strictSame(byLibplist(text), job)
    t.strictSame(job, {
      Label: 'agentz.session.0123456789ab',
      ProgramArguments: ['/bin/sh', programs.keeper, programs.node, programs.daemon, programs.reaper, '0123456789ab'],
      EnvironmentVariables: { AGENTZ_HOME: home.root, AGENTZ_SUPERVISOR: 'launchd' },
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
      ThrottleInterval: 10,
      ExitTimeOut: 40,
      ProcessType: 'Interactive',
      LimitLoadToSessionType: ['Aqua', 'Background'],
      AbandonProcessGroup: false,
      Umask: 63,
      StandardOutPath: join(home.root, 'launchd', '0123456789ab.log'),
      StandardErrorPath: join(home.root, 'launchd', '0123456789ab.log'),
    })
  }
})

t.test('the explained ones of units/ say what is written', async (t) => {
  const prefix = '/usr/local/lib/node_modules/agentz'
  const where = {
    ...programs,
    node: '/usr/local/bin/node',
    cli: `${prefix}/dist/cli.cjs`,
    daemon: `${prefix}/dist/daemon.cjs`,
    reaper: `${prefix}/dist/reap.cjs`,
    keeper: `${prefix}/units/keep-session.sh`,
  }
  const home = homePaths('/Users/YOU/.agentz')
  const made = { session: sessionJob({ sessionId: '0123456789ab' }, home, where), recover: recoverJob(home, where) }
  for (const [name, job] of Object.entries(made)) {
    const text = readFileSync(join(programs.units, `agentz.${name}.plist`), 'utf8')
    t.strictSame(parse(text), parse(plistText(job)), name)
    t.strictSame(byLibplist(text), parse(text), name)
  }
})
