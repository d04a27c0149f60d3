/** `agentz agents`: what is found, how it is asked, and how it looks. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Agent } from '../../src/agents/agent.js'
import { ownProgram } from '../../src/agents/program.js'
import { readConfig } from '../../src/base/config.js'
import { AgentzError } from '../../src/base/errors.js'
import { programs } from '../../src/base/programs.js'
import { type AgentRow, agentRows, table } from '../../src/cli/agents.js'
import { newHome, tempDir } from '../helpers/home.js'
import { program, start } from '../helpers/program.js'

const notStarted = () => Promise.reject(new Error('nobody starts it'))

const agentOf = (name: string, fields: Partial<Agent> = {}): Agent =>
  ({
    name,
    title: `The agent ${name}`,
    install: `npm install -g ${name}`,
    converses: true,
    modes: ['plan', 'default'],
    keepsQuestions: false,
    spacing: 0,
    login: () => ({ state: 'yes', detail: 'A_KEY' }),
    check: (spec, env, dir) => ownProgram(name, `npm install -g ${name}`, spec, env, dir),
    start: notStarted,
    ...fields,
  }) as Agent

/** A directory with programs that are scripts. */
function bin(t: Test, scripts: Record<string, string>): string {
  const dir = tempDir(t)
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`)
    chmodSync(join(dir, name), 0o755)
  }
  return dir
}

t.test('each is looked for and asked for its version, whatever it says', async (t) => {
  const dir = bin(t, {
    claude: 'echo "$1" > "$0.asked"; echo "2.1.197 (Claude Code)"',
    plain: 'echo v0.61.0-preview.1',
    loud: 'echo "warning: libfoo 3 is old" >&2; echo "loud-cli 0.169.0"; exit 3',
    mute: 'exit 0',
    odd: 'echo "build of 10.0.0.1:8080 or so"',
    gone: 'kill -9 $$',
  })
  const env = { PATH: `${dir}:/usr/bin:/bin` }
  const config = readConfig(newHome(t))
  const names = ['claude', 'plain', 'loud', 'mute', 'gone', 'absent']
  const rows = await agentRows(
    names.map((name) => ({ ...agentOf(name), name: 'claude' })),
    env,
    config,
  )
  t.match(rows[0], {
    name: 'claude',
    title: 'The agent claude',
    default: true,
    enabled: true,
    found: true,
    program: join(dir, 'claude'),
    version: '2.1.197',
    install: 'npm install -g claude',
    login: { state: 'yes', detail: 'A_KEY' },
    modes: ['plan', 'default'],
  })
  t.same(
    rows.map(({ version }) => version),
    ['2.1.197', '0.61.0-preview.1', '0.169.0', undefined, undefined, undefined],
  )
  t.same(
    rows.map(({ found }) => found),
    [true, true, true, true, true, false],
  )
})

t.test('one that is built in, and one that runs whatever it is given', async (t) => {
  const config = readConfig(newHome(t))
  const builtIn = agentOf('claude', { check: () => programs.node, install: '', modes: undefined } as Partial<Agent>)
  const any = agentOf('command', {
    converses: false,
    check: () => {
      throw new AgentzError('USAGE', 'what is to be run?')
    },
  } as Partial<Agent>)
  const rows = await agentRows([builtIn, any], { PATH: '/nowhere' }, config)
  t.match(rows, [{ found: true }, { found: true, modes: [] }])
  for (const row of rows) t.notOk('program' in row || 'version' in row)
  t.notOk('modes' in rows[0]!)
})

const row = (fields: Partial<AgentRow>): AgentRow => ({
  name: 'claude',
  title: 'Claude Code',
  default: false,
  enabled: true,
  found: true,
  program: '/usr/local/bin/claude',
  version: '2.1.197',
  install: 'npm install -g @anthropic-ai/claude-code',
  login: { state: 'yes', detail: 'ANTHROPIC_API_KEY' },
  modes: ['plan', 'default'],
  ...fields,
})

const rows = [
  row({ default: true }),
  row({ name: 'codex', login: { state: 'no', detail: 'run `codex login`' } }),
  row({ name: 'opencode', found: false, install: 'npm install -g opencode-ai' }),
  row({ name: 'mine', title: 'bad \x1b[2Jtitle', program: '/x\ny', version: '1.0\x07' }),
  row({ name: 'command', enabled: false, modes: [] }),
]

t.test('a table for each width', async (t) => {
  for (const width of [30, 40, 60, 80, 120, 200]) {
    const lines = table(rows, width).split('\n').slice(0, -1)
    t.equal(lines.length, rows.length + 1)
    for (const line of lines) t.ok([...line.trimEnd()].length <= width, `${width}: ${line}`)
    t.notMatch(lines.join('\n'), /[\x00-\x08\x0b-\x1f]/)
    t.match(lines[1], /^claude\*/)
    t.match(lines[3], /Install it: npm/)
  }
  const wide = table(rows, 120).split('\n')
  t.match(wide[0], /^AGENT +VERSION +LOGIN +PERMISSION MODES +NOTE$/)
  t.match(wide[1], /^claude\* +2\.1\.197 +yes +plan default +\/usr\/local\/bin\/claude$/)
  t.match(wide[2], /^codex .* no .*run `codex login`$/)
  t.match(wide[3], /^opencode +missing .*Install it: npm install -g opencode-ai$/)
  t.match(wide[5], /^command +disabled .*switched off in config\.json$/)
})

t.test('the verb: JSON, tabs, and the commands behind it', async (t) => {
  const home = newHome(t)
  writeFileSync(home.config, JSON.stringify({ agents: { command: { enabled: false } } }), { mode: 0o600 })
  const dir = bin(t, { claude: 'echo 2.1.197' })
  const empty = join(tempDir(t), 'home')
  mkdirSync(empty)
  // A program of agentz looks for the package that it belongs to.
  const place = tempDir(t)
  writeFileSync(join(place, 'package.json'), '{"version":"0.0.0"}')
  const path = await program(
    place,
    `import { verb } from './src/cli/agents.js'
    const [flag] = process.argv.slice(2)
    process.exitCode = await verb.handle({ [flag]: true }, [])`,
  )
  const env = { AGENTZ_HOME: home.root, HOME: empty, PATH: `${dir}:${process.env.PATH}`, ANTHROPIC_API_KEY: 'secret' }
  const run = (flag: string) => start(t, [process.execPath, path, flag], env).ended
  const json = await run('json')
  t.equal(json.code, 0, json.stderr)
  t.notMatch(json.stdout, 'secret')
  const all = json.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.match(
    all.find(({ name }) => name === 'claude'),
    { default: true, found: true, program: join(dir, 'claude'), version: '2.1.197', login: { state: 'yes' } },
  )
  t.match(
    all.find(({ name }) => name === 'command'),
    { enabled: false, found: true, modes: [] },
  )
  const tabs = (await run('none')).stdout.trimEnd().split('\n')
  t.equal(tabs.length, all.length)
  t.match(
    tabs
      .find((line) => line.startsWith('claude'))
      ?.split('\t')
      .slice(0, 5),
    ['claude', 'default', 'found', '2.1.197', 'yes'],
  )
  for (const line of tabs) t.equal(line.split('\t').length, 10)
  t.match((await run('how')).stdout.split('\n'), [`${join(dir, 'claude')} --version`])
})
