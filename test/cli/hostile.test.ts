/** Sessions with hostile prompts, names, directories and environments: what systemd, the files and other users get to see of them. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as fc from 'fast-check'
import t, { type Test } from 'tap'
import { type Home, homePaths, sessionLog } from '../../src/base/paths.js'
import { parseEnvironment } from '../../src/session/environment.js'
import type { Spec } from '../../src/session/spec.js'
import { SystemdSupervisor } from '../../src/supervisor/systemd.js'
import { Agentz, cliPath, type Result, requireManager } from '../helpers/agentz.js'
import { isRoot, tempDir, until } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'
import { newServer, send } from '../server/helpers.js'

requireManager()

/** What systemd, a shell, a terminal or a parser of options would read as something else. */
const odd = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the text is meant as it stands
  '$HOME ${HOME} $$ $(id) `id` %h %% %n',
  '--property=ExecStartPost=/bin/false',
  '-rf',
  'two\nlines\r\n\n[Service]\nExecStart=/bin/false\n',
  '"double" \'single\' \\ back \\n \\x41 ; & | > < * ? ~ # !',
  '\u202eright\u202c \ufeff \u2028\u2029 \u0085 \x1b[2J\x07 \t',
  'e\u0301 ünï 🙂 \u{1f468}\u200d\u{1f469}',
]
const noNul = fc.string({ unit: 'binary', maxLength: 200 }).filter((text) => text.trim() !== '' && !text.includes('\0'))
const hostileText = fc.oneof(
  noNul,
  fc.array(fc.constantFrom(...odd), { minLength: 1, maxLength: 4 }).map((all) => all.join('')),
)

/** A systemd-run that starts nothing, and keeps what it was told. */
function recorder(t: Test) {
  const directory = tempDir(t)
  const program = join(directory, 'systemd-run')
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\0' "$@" > '${directory}/'"told-$$"\n`, { mode: 0o755 })
  const told = () => {
    const files = readdirSync(directory).filter((name) => name.startsWith('told-'))
    return files.map((name) => {
      const words = readFileSync(join(directory, name), 'utf8').split('\0').slice(0, -1)
      rmSync(join(directory, name))
      return words
    })
  }
  return { path: `${directory}:${process.env.PATH}`, told }
}

const withoutId = (words: string[]): string[] => words.map((word) => word.replaceAll(words.at(-1) ?? '', 'ID'))

/** Line 1, as it stands there. */
function firstLine(home: Home, id: string): Spec {
  const bytes = readFileSync(sessionLog(home, id))
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, bytes.indexOf('\n')))).spec
}

t.test('whatever is asked for, systemd-run is told the same, and line 1 says it sign for sign', async (t) => {
  const { path, told } = recorder(t)
  const a = new Agentz(t, undefined, { PATH: path })
  const work = join(tempDir(t), odd[0]!.replaceAll('/', ''), '-n\nl')
  mkdirSync(work, { recursive: true })
  const made = (result: Result): Spec => {
    t.equal(result.status, 0, result.stderr)
    return firstLine(a.home, JSON.parse(result.stdout).sessionId)
  }
  t.equal(a.do('run', '-d', '-a', 'command', '--', 'true').status, 0)
  const [plain = []] = told()
  t.equal(plain.at(-3), process.execPath)
  t.match(plain.at(-1), /^[0-9a-f]{12}$/)
  const all = odd.join('|')
  const title = all.slice(0, 150)
  const words = [
    '--title',
    title,
    '-l',
    `k=${all}`,
    `--model=${all.slice(0, 100)}`,
    '-a',
    'command',
    '--',
    ...odd.slice(1),
    all,
  ]
  const spec = made(
    a.with({ cwd: work }, 'run', '--json', all, ...words.map((word) => (word === odd[1] ? 'sh' : word))),
  )
  t.match(spec, { prompt: all, title, labels: { k: all }, model: all.slice(0, 100), workingDir: work })
  t.strictSame(spec.command, ['sh', ...odd.slice(2), all])
  const long = `${all.repeat(Math.ceil(200_000 / all.length))}\n`
  const file = join(a.home.root, 'prompt')
  writeFileSync(file, long)
  const cat = ['-a', 'command', '--', 'cat']
  t.equal(made(a.do('run', '--json', '-f', file, ...cat)).prompt, long, 'from a file')
  t.equal(made(a.with({ input: long }, 'run', '--json', '-', ...cat)).prompt, long, 'from standard input')
  t.strictSame(told().map(withoutId), Array(3).fill(withoutId(plain)))

  const before = process.env.PATH
  process.env.PATH = path
  t.teardown(() => {
    process.env.PATH = before
  })
  const { socketPath } = await newServer(t, { home: a.home, supervisor: new SystemdSupervisor(a.home) })
  const asked = fc.record({
    prompt: hostileText,
    title: hostileText.map((text) => text.slice(0, 200)),
    label: hostileText,
    words: fc.array(hostileText),
  })
  await fc.assert(
    fc.asyncProperty(asked, async ({ prompt, title, label, words }) => {
      const body = {
        agentType: 'command',
        command: ['true', ...words],
        workingDir: work,
        prompt,
        title,
        labels: { [label]: label },
      }
      const answer = await send(socketPath, '/v1/sessions', JSON.stringify(body))
      if (answer.status !== 201) throw new Error(answer.body.toString())
      const spec = firstLine(a.home, JSON.parse(answer.body.toString()).sessionId)
      if (spec.prompt !== prompt || spec.title !== title || spec.labels?.[label] !== label)
        throw new Error('line 1 says something else')
      if (spec.command?.slice(1).join('\0') !== words.join('\0') || spec.workingDir !== work)
        throw new Error('line 1 says something else')
      const argv = told().map(withoutId)
      if (argv.length !== 1 || argv[0]?.join('\0') !== withoutId(plain).join('\0'))
        throw new Error(`systemd-run was told ${JSON.stringify(argv)}`)
    }),
    { numRuns: 12 },
  )
  const halves =
    '{"agentType":"command","command":["true"],"workingDir":"/","prompt":"\\ud800 \\udc00\\ud800","title":"\\udfff"}'
  const { sessionId } = JSON.parse((await send(socketPath, '/v1/sessions', halves)).body.toString())
  t.match(firstLine(a.home, sessionId), { prompt: '\ud800 \udc00\ud800', title: '\udfff' }, 'halves of signs too')

  const refused: [object, RegExp][] = [
    [{ model: '--yolo' }, /model: must not begin with -/],
    [{ env: { A: 'b' } }, /env/],
    [{ environment: { NODE_OPTIONS: '--require /x' } }, /environment/],
    [{ workingDir: 'relative' }, /workingDir: must be absolute/],
    [{ workingDir: `${work}\0/etc` }, /workingDir|null byte/],
    [{ permissionMode: '--yolo' }, /permissionMode/],
    [{ agentType: '../claude' }, /claude/],
    [{ parent: '../../etc' }, /parent/],
  ]
  for (const [fields, why] of refused) {
    const body = { agentType: 'command', command: ['true'], workingDir: work, ...fields }
    const answer = await send(socketPath, '/v1/sessions', JSON.stringify(body))
    t.match([answer.status, answer.body.toString()], [400, why], JSON.stringify(fields))
  }
  told()
  const cli: [string[], RegExp][] = [
    [['--model=--yolo'], /model: must not begin with -/],
    [['-l', '__proto__=x'], /__proto__=x/],
    [['-e', 'AGENTZ_HOME=/x'], /AGENTZ_HOME is never handed/],
    [['-C', join(work, 'loop')], /loop/],
  ]
  symlinkSync('loop', join(work, 'loop'))
  for (const [flags, why] of cli)
    t.match(a.do('run', '-d', ...flags, ...cat), { status: 2, stderr: why }, flags.join(' '))
  t.strictSame(told(), [], 'and nothing was started')
})

t.test('the environment: what is named is handed on as it is, and what loads code is not', async (t) => {
  const { path } = recorder(t)
  const loads = {
    LD_PRELOAD: '',
    LD_LIBRARY_PATH: '/x',
    DYLD_INSERT_LIBRARIES: '/x',
    BASH_ENV: '/x',
    NOTIFY_SOCKET: '/x',
  }
  const a = new Agentz(t, undefined, { PATH: path, ...loads, AGENTZ_LOG_LEVEL: 'info', UNNAMED: 'x', OWN: 'its own' })
  writeFileSync(a.home.config, '{"environment":["*"]}')
  const values = { lower: 'x', EMPTY: '', LINES: 'a\nB=c\r\n', EQUALS: 'A=B', SIGNS: odd.join('|'), PATH: '/nowhere' }
  const flags = Object.entries(values).flatMap(([name, value]) => ['-e', `${name}=${value}`])
  const { status, stdout } = a.do(
    'run',
    '--json',
    ...flags,
    '-e',
    'ABSENT_AT_ALL',
    '-a',
    'command',
    '--',
    process.execPath,
  )
  t.equal(status, 0)
  const file = join(a.home.sessions, `${JSON.parse(stdout).sessionId}.env`)
  const env = parseEnvironment(readFileSync(file, 'utf8'), file)
  t.match(env, { ...values, OWN: 'its own' })
  for (const name of [...Object.keys(loads), 'AGENTZ_HOME', 'AGENTZ_LOG_LEVEL', 'NODE_OPTIONS', 'ABSENT_AT_ALL'])
    t.notOk(name in env, name)
})

t.test('a home with an odd name, under any umask, and a command line that others read', async (t) => {
  for (const umask of ['0777', '0000']) {
    const root = join(tempDir(t), odd.slice(0, 3).join('|').replaceAll('/', ''), 'n\nl "q" \\')
    mkdirSync(dirname(root), { mode: 0o700 })
    const a = new Agentz(t, homePaths(root), { OWN: 'x' })
    const file = join(tempDir(t), 'go on')
    const script = 'umask; echo "$AGENTZ_HOME"; while ! [ -e "$0" ]; do sleep 0.02; done'
    const argv = [
      process.execPath,
      cliPath,
      'run',
      '-e',
      'CANARY=canary-of-a-flag',
      '-a',
      'command',
      '--',
      'sh',
      '-c',
      script,
      file,
    ]
    const run = start(t, ['sh', '-c', `umask ${umask}; exec "$@"`, 'sh', ...argv], a.env)
    await run.said('n\n')
    const own = readFileSync(`/proc/${run.pid}/cmdline`, 'latin1').replace(/\0+$/, '')
    t.equal(own, 'agentz run', 'what was asked for is not shown to others for as long as it is watched')
    writeFileSync(file, '')
    const { code, stdout } = await run.ended
    t.equal(code, 0)
    t.match(stdout, `${umask}\n${root}\n`, 'the agent has them as they are')
    const [{ sessionId = '' } = {}] = a.ls()
    await a.untilType(sessionId, 'daemon_exited')
    // Its reaper may be at work still, and a lock goes between its listing and the look at it.
    await until(() => !readdirSync(root, { recursive: true }).some((name) => `${name}`.endsWith('.lock')), 'no locks')
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      const mode = statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.mode
      if (mode !== undefined) t.equal(mode & 0o777, entry.isDirectory() ? 0o700 : 0o600, `${umask}: ${entry.name}`)
    }
    t.equal(statSync(root).mode & 0o777, 0o700)
    t.equal(a.do('show', sessionId).status, 0)
  }
})

t.test(
  'a directory that one may not enter is said so before anything is made',
  { skip: !isRoot && 'needs root' },
  async (t) => {
    const directory = tempDir(t)
    chmodSync(directory, 0o755)
    const closed = join(directory, 'closed')
    mkdirSync(closed, { mode: 0o700 })
    const path = await program(
      directory,
      `import { specify } from './src/session/store.js'
    try { specify({ agentType: 'command', command: ['true'], workingDir: process.argv[2] }) } catch (error) { console.log(error.code, error.message) }`,
    )
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const { stdout } = await start(t, [...nobody, process.execPath, path, closed]).ended
    t.match(stdout, /^DIR_MISSING cannot work in .*closed: EACCES/)
  },
)
