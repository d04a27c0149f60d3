/** `agentz run`: prompts from everywhere, agents that are missing, attaching and detaching, the real Claude. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Agentz, lines, requireManager, root, systemctl } from '../helpers/agentz.js'
import { newHome, tempDir, until } from '../helpers/home.js'
import { startMockModel } from '../mock-model/start.js'

requireManager()
const cat = ['-a', 'command', '--', 'cat']

t.test('a prompt comes back as it was, from argument, file and standard input', async (t) => {
  const a = new Agentz(t)
  const hostile =
    'two\nlines, $HOME %h "quotes" \'single\' `ticks` \\ back $(id) ünï 🙂 --property=ExecStartPost=/bin/false'
  const long = `${'200 kB of text, '.repeat(12_500)}end`
  const file = join(tempDir(t), 'prompt')
  writeFileSync(file, long)
  const check = async (prompt: string, result: { status: number | null; stdout: string; stderr: string }) => {
    t.equal(result.status, 0, result.stderr)
    const { sessionId } = JSON.parse(result.stdout)
    await a.untilType(sessionId, 'session_completed')
    t.equal((a.events(sessionId)[0] as { spec?: { prompt: string } }).spec?.prompt, prompt)
    const said = a.events(sessionId).filter(({ type }) => type === 'text')
    t.equal(said.map(({ content }) => content).join('\n'), prompt, 'what the program read')
    return sessionId
  }
  await check(hostile, a.do('run', '--json', hostile, ...cat))
  await check(long, a.do('run', '--json', '-f', file, ...cat))
  const id = await check(hostile, a.with({ input: hostile }, 'run', '--json', '-', ...cat))
  await check(hostile, a.with({ input: hostile }, 'run', '--json', '-f', '-', ...cat))
  const unit = `agentz-session-${id}.service`
  t.notMatch(systemctl('show', unit), /quotes/)
})

t.test('what cannot be run: said before anything is created', async (t) => {
  const a = new Agentz(t)
  const nothing = () => t.strictSame([readdirSync(a.home.sessions), existsSync(a.home.registry)], [[], false])
  const refused = (args: string[], status: number, said: RegExp, input?: Buffer) => {
    const result = a.with({ input, env: { PATH: '/usr/bin:/bin' } }, 'run', '-d', ...args)
    t.equal(result.status, status, `${args.join(' ').slice(0, 80)}: ${result.stderr}`)
    t.match(result.stderr, said)
    t.equal(result.stdout, '')
    nothing()
  }
  refused(['-a', 'nobody', 'hello'], 2, /nobody[\s\S]*claude,.* command/)
  refused(['-a', 'claude', 'hello'], 1, /claude[\s\S]*npm install -g/)
  refused(['-a', 'claude', '  '], 2, /prompt is empty/)
  refused(['-a', 'claude'], 2, /prompt is empty/)
  refused(['-a', 'command'], 2, /needs a program/)
  refused(['-a', 'command', '--', 'no-such-program'], 1, /no-such-program/)
  refused(['-C', '/no/such/dir', '-a', 'command', '--', 'true'], 2, /no such directory/)
  refused(['-C', '/etc/passwd', '-a', 'command', '--', 'true'], 2, /not a directory/)
  refused(['-f', '/no/such/file', ...cat], 2, /cannot read the prompt/)
  refused(['-', ...cat], 2, /not UTF-8/, Buffer.from([0x66, 0xff, 0xfe]))
  refused(['-', ...cat], 2, /NUL/, Buffer.from('a\0b'))
  refused(['-', ...cat], 2, /900000 are the most/, Buffer.alloc(1_000_000, 'x'))
  refused(['--memory', 'lots', ...cat], 2, /: --memory: a size is a number with K, M, G or T/)
  refused(['--tasks', '5', ...cat], 2, /: --tasks: must be at least 64/)
  refused(['--memory', '4', ...cat], 2, /at least 256M/)
  refused(['--memory', `${'9'.repeat(20)}T`, ...cat], 2, /: --memory: must be less than 16777216T/)
  refused(['-C', '', ...cat], 2, /: -C: must not be empty/)
  refused(['--memory', '255M', ...cat], 2, /at least 256M/)
  refused(['--runtime', '0', ...cat], 2, /: --runtime: must be at least 1\n/)
  refused(['--cpu', 'x', ...cat], 2, /: --cpu: a CPU quota is per cent/)
  refused(['--max-turns', '9'.repeat(20), 'hello'], 2, /: --max-turns: /)
  refused(['--max-turns', '9', ...cat], 2, /: --max-turns and the like: a program has no turns/)
  for (const title of ['', ' \n']) refused(['--title', title, ...cat], 2, /: --title: must not be empty/)
  refused(['--title', 'x'.repeat(201), ...cat], 2, /: --title: must be at most 200 characters/)
  refused(['-m', '', ...cat], 2, /: --model: must not be empty/)
  refused(['-e', 'NODE_OPTIONS=--require x', ...cat], 2, /NODE_OPTIONS/)
  refused(['-e', '1BAD=x', ...cat], 2, /1BAD/)
  refused(['--max-turns', '0', 'hello'], 2, /--max-turns: "0" is not a whole number above 0/)
  refused(['--max-turns', '1.5', 'hello'], 2, /--max-turns: "1.5"/)
  refused(['--max-tokens=-1', 'hello'], 2, /--max-tokens: "-1"/)
  refused(['--max-cost', '0', 'hello'], 2, /--max-cost: "0" is not a number above 0/)
  refused(['--max-time', 'x', 'hello'], 2, /--max-time: "x"/)
  refused(['--stall-timeout', '', 'hello'], 2, /--stall-timeout: ""/)
  refused(['--max-turns', '1', '--max-turns', '2', 'hello'], 2, /more than once/)
  refused(
    ['--permission-mode', 'free', 'hello'],
    2,
    /no permission mode "free"[\s\S]*plan, dontAsk, default, acceptEdits/,
  )
  refused(['--permission-mode', 'plan', ...cat], 2, /no permission mode "plan"/)
  refused(['--max-time', '5', ...cat], 2, /--max-turns and the like: a program has no turns[\s\S]*--runtime/)
  refused(['--stall-timeout', '5', ...cat], 2, /: --stall-timeout: a program/)
  writeFileSync(a.home.config, '{"agents":{"command":{"enabled":false}}}')
  refused(cat, 1, /switched off/)
  writeFileSync(a.home.config, '{"agent": 7}')
  refused(cat, 1, /config\.json[\s\S]*agent/)
})

t.test('attached: output live, the exit status is the outcome, a signal only detaches', async (t) => {
  const a = new Agentz(t)
  const done = a.do('run', '-a', 'command', '--', 'sh', '-c', 'echo out; echo err >&2')
  t.match(done, { status: 0, stdout: /out\n/ })
  t.match(done.stderr, /session [0-9a-f]{12} {3}unit agentz-session-/)
  t.equal(a.do('run', '-a', 'command', '--', 'false').status, 10)

  const attached = a.spawn(['run', '-a', 'command', '--', 'sh', '-c', 'while :; do echo tick; sleep 0.05; done'])
  let out = ''
  let said = ''
  attached.stdout.on('data', (data) => {
    out += data
  })
  attached.stderr.on('data', (data) => {
    said += data
  })
  await until(() => out.split('tick').length > 3, 'it is seen working')
  const id = /session ([0-9a-f]{12})/.exec(said)?.[1] ?? ''
  attached.kill('SIGINT')
  const code = await new Promise((resolve) => attached.once('exit', resolve))
  t.equal(code, 0)
  t.match(said, `detached; it goes on. Come back: agentz logs -f ${id}`)
  t.equal(a.show(id).status, 'running')
  t.equal(a.do('cancel', id).status, 0)
})

t.test('the parent is recorded, and limits reach the unit', async (t) => {
  const a = new Agentz(t, newHome(t))
  const { sessionId, unit } = await a.ticking(
    '--memory',
    '300M',
    '--tasks',
    '100',
    '--cpu',
    '50%',
    '--runtime',
    '1000',
    '-l',
    'k=v',
  )
  t.match(
    systemctl('show', unit, '-p', 'MemoryMax,TasksMax,CPUQuotaPerSecUSec,RuntimeMaxUSec'),
    /CPUQuotaPerSecUSec=500ms[\s\S]*MemoryMax=314572800[\s\S]*TasksMax=100/,
  )
  const child = a.with({ env: { AGENTZ_SESSION_ID: sessionId } }, 'run', '--json', '-a', 'command', '--', 'true')
  t.equal(a.show(JSON.parse(child.stdout).sessionId).parent, sessionId)
  t.match(lines(a.do('ls', '-q', '-l', 'k=v').stdout), [sessionId])
})

t.test('the real Claude, under the real manager, against a model on loopback', async (t) => {
  const bin = join(root, 'test/agents/node_modules/.bin')
  const needed = process.env.CI || process.env.AGENTZ_REQUIRE_AGENTS
  if (!existsSync(join(bin, 'claude')) && !needed)
    return t.pass('left out', { skip: 'claude is not installed: npm ci --prefix test/agents' })
  const mock = await startMockModel()
  t.teardown(() => mock.stop())
  const dir = tempDir(t)
  mkdirSync(join(dir, 'work'))
  const a = new Agentz(t, undefined, {
    HOME: dir,
    PATH: `${bin}:${process.env.PATH}`,
    ANTHROPIC_BASE_URL: mock.url,
    ANTHROPIC_API_KEY: 'dummy',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
    // A trip-wire: whatever is not for this machine is refused.
    HTTPS_PROXY: 'http://127.0.0.1:9',
    NO_PROXY: '127.0.0.1',
  })
  const done = a.do('run', '-a', 'claude', '-C', join(dir, 'work'), 'Count for me. MOCK: slow 12 60')
  t.equal(done.status, 0, done.stderr)
  const sentence = 'tick4 tick5 tick6 tick7'
  t.match(done.stdout, sentence)
  const [id = ''] = lines(a.do('ls', '-q').stdout)
  const { log, unit } = a.show(id) as unknown as { log: string; unit: string }
  t.equal(execFileSync('grep', ['-c', sentence, log], { encoding: 'utf8' }), '1\n', 'grep finds a sentence once')
  t.ok(
    a.events(id).some(({ partial }) => partial === true),
    'it was streamed',
  )
  t.match(
    a.events(id).find(({ type }) => type === 'agent_session'),
    { nativeId: /^[0-9a-f-]{36}$/, permissionMode: 'default' },
  )
  t.match(a.show(id).metadata, { turns: 1, usage: { input: 120, output: 17 } })
  execFileSync('jq', ['-c', '.', log])
  t.ok(unit)

  const asking = JSON.parse(
    a.do('run', '--json', '-C', join(dir, 'work'), 'MOCK: bash touch made-by-claude ;; text all done').stdout,
  )
  await until(() => a.ls()[0]?.status === 'waiting_approval', 'it asks, and stands first')
  t.match(systemctl('status', asking.unit), /claude/)
  const { approvals } = a.show(asking.sessionId) as unknown as { approvals: { requestId: string }[] }
  t.equal(a.do('wait', asking.sessionId).status, 4, 'wait says that it needs an answer')
  const answer = JSON.stringify({
    type: 'approval_response',
    requestId: approvals[0]?.requestId,
    decision: 'allow',
    via: 'test',
  })
  t.equal(a.do('append', asking.sessionId, answer).status, 0)
  t.match(a.do('append', asking.sessionId, answer), { status: 3, stderr: /answered already/ })
  t.equal(a.do('wait', asking.sessionId).status, 0)
  t.ok(existsSync(join(dir, 'work', 'made-by-claude')))

  const failed = a.do('run', '-a', 'claude', '-C', join(dir, 'work'), 'MOCK: error 400')
  t.equal(failed.status, 10)
  await until(() => a.ls()[0]?.status === 'failed', 'the registry is told, too')
  t.match(a.ls()[0], { status: 'failed', cause: { result: 'agent' } })
  t.notMatch(readFileSync(log, 'utf8'), /dummy/)
})
