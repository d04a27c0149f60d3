import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { sessionEnv, sessionLog } from '../../src/base/paths.js'
import { readRegistry } from '../../src/session/registry.js'
import { readSession } from '../../src/session/state.js'
import { createSession, specify } from '../../src/session/store.js'
import { newHome, tempDir } from '../helpers/home.js'
import { newSession } from '../helpers/session.js'

t.test('what is refused', async (t) => {
  const workingDir = tempDir(t)
  const file = join(workingDir, 'file')
  writeFileSync(file, '')
  const good = { agentType: 'claude', prompt: 'p', workingDir }
  const command = { agentType: 'command', command: ['true'], workingDir }
  const table: [string, unknown, string, RegExp][] = [
    ['nothing', undefined, 'BAD_INPUT', /./],
    ['a text', 'x', 'BAD_INPUT', /./],
    ['an unknown field', { ...good, permisionMode: 'x' }, 'BAD_INPUT', /^permisionMode: there is no such field/],
    ['an id of their own', { ...good, sessionId: '0123456789ab' }, 'BAD_INPUT', /sessionId/],
    ['no agent', { ...good, agentType: '' }, 'BAD_INPUT', /agentType/],
    ['an empty prompt', { ...good, prompt: '' }, 'BAD_INPUT', /the prompt is empty/],
    ['a blank prompt', { ...good, prompt: ' \n\t' }, 'BAD_INPUT', /the prompt is empty/],
    ['no prompt', { agentType: 'claude', workingDir }, 'BAD_INPUT', /the prompt is empty/],
    ['a prompt of another type', { ...good, prompt: 5 }, 'BAD_INPUT', /^prompt: /],
    ['a NUL in the prompt', { ...good, prompt: 'a\0b' }, 'BAD_INPUT', /NUL/],
    ['a NUL in the command', { ...command, command: ['a', 'b\0'] }, 'BAD_INPUT', /NUL/],
    // It goes on the argv of the agent, where it would end the daemon instead of the request.
    ['a NUL in the model', { ...good, model: 'm\0' }, 'BAD_INPUT', /NUL/],
    ['a huge prompt', { ...good, prompt: 'x'.repeat(1024 * 1024) }, 'BAD_INPUT', /1048576 bytes; 900000 are the most/],
    ['a huge prompt in bytes', { ...good, prompt: '€'.repeat(400_000) }, 'BAD_INPUT', /1200000 bytes; 900000 are/],
    ['no directory', { agentType: 'claude', prompt: 'p' }, 'BAD_INPUT', /^workingDir: /],
    ['an empty directory name', { ...good, workingDir: '' }, 'BAD_INPUT', /^workingDir: /],
    ['a missing directory', { ...good, workingDir: `${workingDir}/no` }, 'DIR_MISSING', /no such directory/],
    ['a file as directory', { ...good, workingDir: file }, 'DIR_MISSING', /not a directory/],
    ['a directory below a file', { ...good, workingDir: `${file}/x` }, 'DIR_MISSING', /ENOTDIR/],
    ['a NUL in the directory', { ...good, workingDir: 'a\0b' }, 'DIR_MISSING', /./],
    ['a long title', { ...good, title: 'x'.repeat(201) }, 'BAD_INPUT', /^title: must be at most 200 characters/],
    ['a mode that is no word', { ...good, permissionMode: '--yes' }, 'BAD_INPUT', /^permissionMode: /],
    [
      'a restart that is none',
      { ...good, restart: 'always' },
      'BAD_INPUT',
      /^restart: must be one of resume, mark, rerun/,
    ],
    ['memory in words', { ...good, limits: { memory: 'much' } }, 'BAD_INPUT', /^limits.memory: /],
    ['a limit with a further property', { ...good, limits: { cpu: '1%\nUser=root' } }, 'BAD_INPUT', /^limits.cpu: /],
    ['too few tasks', { ...good, limits: { tasks: 3 } }, 'BAD_INPUT', /^limits.tasks: must be at least 64/],
    ['an unknown limit', { ...good, limits: { disk: 3 } }, 'BAD_INPUT', /^limits.disk: there is no such/],
    ['a hostile parent', { ...good, parent: '../../x' }, 'BAD_INPUT', /^parent: /],
    ['no command', { agentType: 'command', prompt: 'p', workingDir }, 'BAD_INPUT', /needs a program/],
    ['an empty command', { ...command, command: [] }, 'BAD_INPUT', /^command: /],
    ['a command for an agent', { ...good, command: ['rm'] }, 'BAD_INPUT', /not a command/],
  ]
  for (const [what, input, code, message] of table) t.throws(() => specify(input), { code, message }, what)
})

const prompts = {
  newlines: 'first\nsecond\r\n\n  third\n',
  shell: '$HOME $(id) `id` %h %% %n \\ \\n ; && | > /dev/null',
  quotes: `'"'"' "double" \\" \u2028 {"type":"text"}`,
  'looks like an option': '--dangerously-skip -rf',
  'other scripts': 'größer 日本語 👩‍👩‍👧 \u202e \ud800',
  control: '\x1b[31m\x18\x07\x7f',
  '200 kB': 'line of a prompt\n'.repeat(12_500),
}

t.test('what is accepted comes back verbatim', async (t) => {
  const home = newHome(t)
  for (const [what, prompt] of Object.entries(prompts)) {
    const spec = await newSession(home, { prompt })
    const state = readSession(home, spec.sessionId)
    t.equal(state.spec.prompt, prompt, what)
    t.same(state.damaged, [])
    const row = readRegistry(home).rows.get(spec.sessionId)
    t.equal(row?.prompt, [...prompt].slice(0, 1000).join(''), `${what}: the registry has its beginning`)
    t.ok([...spec.title].length <= 80 && !spec.title.includes('\n'), `${what}: the title is one short line`)
  }
  t.equal(readRegistry(home).damaged, 0)
})

t.test('a command', async (t) => {
  const command = ['sh', '-c', 'echo "$1"\n', '--', '$HOME %h']
  const spec = specify({ agentType: 'command', command, workingDir: '.' })
  t.match(spec, {
    command,
    prompt: '',
    workingDir: process.cwd(),
    restart: 'resume',
    title: `sh -c 'echo "$1" ' -- '$HOME %h'`,
  })
})

t.test('what a new session leaves on disk', async (t) => {
  const home = newHome(t)
  const spec = specify({ agentType: 'claude', prompt: 'p', workingDir: tempDir(t), labels: { a: 'b' }, model: 'm' })
  await createSession(home, spec, { KEY: 'secret value' })
  const log = sessionLog(home, spec.sessionId)
  const env = sessionEnv(home, spec.sessionId)
  for (const path of [log, env, home.registry]) t.equal(lstatSync(path).mode & 0o777, 0o600, path)
  t.match(JSON.parse(readFileSync(log, 'utf8')), { type: 'session_created', by: 'user', spec })
  t.equal(readFileSync(env, 'utf8'), 'KEY=secret value\n')
  t.notMatch(readFileSync(log, 'utf8') + readFileSync(home.registry, 'utf8'), /secret/, 'no value is in a log')
  t.match(readRegistry(home).rows.get(spec.sessionId), {
    title: 'p',
    labels: { a: 'b' },
    model: 'm',
    status: 'pending',
  })
  await t.rejects(createSession(home, spec, {}), { code: 'LOG_WRITE' }, 'not twice')
  t.equal(readFileSync(env, 'utf8'), 'KEY=secret value\n', 'and the environment of the first one stands')
})

t.test('a session that could not be written leaves nothing behind', async (t) => {
  const home = newHome(t)
  // Within the limit of a prompt, and beyond that of a line: each quote takes two bytes in JSON.
  const spec = specify({ agentType: 'claude', prompt: '"'.repeat(800_000), workingDir: tempDir(t) })
  await t.rejects(createSession(home, spec, { KEY: 'secret' }), { code: 'LOG_TOO_LONG' })
  t.same(readdirSync(home.sessions), [])
  t.notOk(existsSync(home.registry))
  mkdirSync(sessionLog(home, spec.sessionId))
  await t.rejects(createSession(home, { ...spec, prompt: 'p' }, { KEY: 'secret' }), { code: 'LOG_WRITE' })
  t.notOk(existsSync(sessionEnv(home, spec.sessionId)))
})
