import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { sessionEnv } from '../../src/base/paths.js'
import {
  agentEnvironment,
  captureEnvironment,
  formatEnvironment,
  parseEnvironment,
  withHomeEnvironment,
} from '../../src/session/environment.js'
import { newHome } from '../helpers/home.js'

const refused = [
  ...['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID', 'LISTEN_FDS', 'LISTEN_PID', 'INVOCATION_ID', 'JOURNAL_STREAM'],
  ...[
    'MAINPID',
    'AGENTZ_SESSION_ID',
    'AGENTZ_HOME',
    'AGENTZ_SANDBOX',
    'LD_PRELOAD',
    'LD_LIBRARY_PATH',
    'DYLD_INSERT_LIBRARIES',
  ],
  ...['NODE_OPTIONS', 'BASH_ENV'],
]

t.test('what is captured', async (t) => {
  const wanted = { HOME: '/h', PATH: '/p', LC_ALL: 'C', ANTHROPIC_API_KEY: 'k', XDG_CONFIG_HOME: '/x', http_proxy: '' }
  const other = { SECRET: 's', MY_TOKEN: 't', 'BASH_FUNC_x%%': '() { }', PATHS: 'x', PS1: '$', AGENTZ_HOME: '/a' }
  const lying = Object.fromEntries(refused.map((name) => [name, 'x']))
  t.same(captureEnvironment({ ...wanted, ...other, ...lying }), wanted)
  t.same(captureEnvironment(other, ['MY_*']), { MY_TOKEN: 't' }, 'further patterns')
  t.same(captureEnvironment(lying, ['*']), {}, 'what is refused, no pattern lets in')
  t.same(captureEnvironment(other, [], ['SECRET', 'MORE=a=b', 'EMPTY=', 'ABSENT']), {
    SECRET: 's',
    MORE: 'a=b',
    EMPTY: '',
  })
})

t.test('names that cannot be asked for', async (t) => {
  for (const name of refused) {
    t.throws(() => captureEnvironment({}, [], [`${name}=x`]), { code: 'BAD_INPUT', message: /never handed/ }, name)
  }
  for (const item of ['', '=x', '1A=x', 'A B=x', 'A-B', 'A\n', 'Ä=x', 'A\0=x']) {
    t.throws(() => captureEnvironment({}, [], [item]), { code: 'BAD_INPUT' }, JSON.stringify(item))
  }
})

t.test('format and parse are inverse', async () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/)
  const spaces = fc.constantFrom(
    ' a',
    'a ',
    '"a"',
    '"',
    '\n',
    'a\nB=c',
    'a\r',
    '\t',
    '#',
    '$PATH',
    'export A=1',
    '\u2028',
    '\ufeff',
    '',
  )
  const value = fc.oneof(fc.string({ unit: 'grapheme' }), spaces)
  fc.assert(
    fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (env) => {
      const back = parseEnvironment(formatEnvironment(env), 'x')
      return JSON.stringify(back) === JSON.stringify(env)
    }),
    { numRuns: 500 },
  )
})

t.test('a file written by hand', async (t) => {
  const text = '# keys\n\nA=1\n  export B = hunter2\nexport C="x\\ny"\r\nD=a # b\nA=2\nE="'
  t.same(parseEnvironment('A=1\n  export C="x\\ny"\r\n#B=2\nD=a # b\nA=2', 'x'), { A: '2', C: 'x\ny', D: 'a # b' })
  const error = t.throws(() => parseEnvironment(text, '/home/env'), {
    code: 'CONFIG_INVALID',
    message: /\/home\/env, line 4/,
  })
  t.notMatch(String(error), /hunter/, 'a value is never shown')
  t.throws(() => parseEnvironment('KEY="secret', 'f'), {
    code: 'CONFIG_INVALID',
    message: /line 1: the quoted value of KEY/,
  })
  t.throws(() => parseEnvironment('KEY', 'f'), { code: 'CONFIG_INVALID' })
})

t.test('AGENTZ_HOME/env wins, and its PATH may hold the captured one', async (t) => {
  const home = newHome(t)
  const id = '0123456789ab'
  t.same(agentEnvironment(home, id), {}, 'neither file need exist')
  writeFileSync(sessionEnv(home, id), 'PATH=/usr/bin:$HOME\nKEY=captured\nONLY=here\n')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is meant as it stands
  writeFileSync(home.env, 'PATH=/opt/bin:$PATH:${PATH}:/z\nKEY=own\n')
  // A dollar sign in the captured PATH is text: with a replacement string "$&" in it would be expanded.
  t.same(agentEnvironment(home, id), { PATH: '/opt/bin:/usr/bin:$HOME:/usr/bin:$HOME:/z', KEY: 'own', ONLY: 'here' })
  t.equal(withHomeEnvironment(home, { PATH: '$&$1' }).PATH, '/opt/bin:$&$1:$&$1:/z')
  t.equal(withHomeEnvironment(home, {}).PATH, '/opt/bin:::/z')
  writeFileSync(home.env, 'nonsense')
  t.throws(() => agentEnvironment(home, id), { code: 'CONFIG_INVALID', message: /env, line 1/ })
})
