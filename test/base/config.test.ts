import { mkdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { readConfig } from '../../src/base/config.js'
import { AgentzError, errno, errorCodes, reason, toAgentzError } from '../../src/base/errors.js'
import { newHome } from '../helpers/home.js'

t.test('config.json', async (t) => {
  const home = newHome(t)
  const defaults = {
    ...{ agent: 'claude', agents: {}, acp: {}, environment: [], limits: {}, fleet: {} },
    server: { host: '127.0.0.1', port: 4201, maxStreams: 1000 },
  }
  t.same(readConfig(home), defaults, 'absent')
  const write = (value: unknown) =>
    writeFileSync(home.config, typeof value === 'string' ? value : JSON.stringify(value))
  write({})
  t.same(readConfig(home), defaults, 'empty')
  write({ agent: 'command', server: { port: 0 }, environment: ['MY_*'], agents: { command: { enabled: false } } })
  t.same(readConfig(home), {
    ...{ agent: 'command', environment: ['MY_*'], agents: { command: { enabled: false } }, acp: {} },
    ...{ limits: {}, fleet: {} },
    server: { host: '127.0.0.1', port: 0, maxStreams: 1000 },
  })
  const table: [unknown, RegExp][] = [
    ['', /config.json/],
    ['{"agent":', /config.json/],
    [null, /must be of type object/],
    [[], /must be of type object/],
    [{ agnet: 'x' }, /agnet: there is no such field/],
    [{ agent: 5 }, /agent: must be of type string/],
    [{ server: { prot: 1 } }, /server.prot: there is no such field/],
    [{ server: { port: 70_000 } }, /server.port: must be at most 65535/],
    [{ server: { port: '80' } }, /server.port: must be of type/],
    [{ server: { host: '0.0.0.0' } }, /server.host: must be one of 127.0.0.1, ::1, localhost/],
    [{ server: { maxStreams: 0 } }, /server.maxStreams: must be at least 1/],
    [{ agents: { copilot: {} } }, /agents.copilot: there is no such field/],
    [{ agents: { codex: { program: '' } } }, /agents.codex.program: must not be empty/],
    [{ agents: { gemini: { model: 'x' } } }, /agents.gemini.model: there is no such field/],
    [{ agents: { cerebras: { baseUrl: 'here' } } }, /agents.cerebras.baseUrl: /],
    [{ limits: { memory: '1M' } }, /limits.memory: must be at least 256M/],
    [{ limits: { memory: null } }, /limits.memory: must be of type string/],
    [{ limits: { disk: 1 } }, /limits.disk: there is no such field/],
    [{ fleet: { sessions: 0 } }, /fleet.sessions: must be at least 1/],
    [{ fleet: { tasks: '100' } }, /fleet.tasks: must be of type/],
    [{ acp: { mine: {} } }, /acp.mine.command: must be of type array/],
    [{ acp: { mine: { command: [] } } }, /acp.mine.command: must not be empty/],
    [{ acp: { mine: { command: ['x'], args: [] } } }, /acp.mine.args: there is no such field/],
    [{ acp: { Mine: { command: ['x'] } } }, /acp.Mine: /],
    [{ acp: { claude: { command: ['x'] } } }, /acp.claude: /],
  ]
  for (const [value, message] of table) {
    write(value)
    t.throws(() => readConfig(home), { code: 'CONFIG_INVALID', message }, JSON.stringify(value))
  }
})

t.test('agents in config.json', async (t) => {
  const home = newHome(t)
  const agents = {
    ...{ claude: { program: '/opt/claude' }, codex: { program: 'codex-next' }, opencode: {}, gemini: { program: 'g' } },
    cerebras: { baseUrl: 'http://127.0.0.1:8000/v1', model: 'small' },
  }
  const acp = { mine: { command: ['my-agent', '--acp'], title: 'My agent', mode: 'ask' }, other: { command: ['x'] } }
  writeFileSync(home.config, JSON.stringify({ agents, acp }))
  t.match(readConfig(home), { agents, acp })
})

t.test('a directory in its place', async (t) => {
  const home = newHome(t)
  mkdirSync(home.config)
  t.throws(() => readConfig(home), { code: 'CONFIG_INVALID', message: /not a regular file/ })
})

t.test('errors', async (t) => {
  for (const [code, { exit, http, hint }] of Object.entries(errorCodes)) {
    t.ok([1, 2, 3, 124].includes(exit), `${code}: exit status ${exit}`)
    t.ok(http >= 400 && http < 600, `${code}: HTTP status ${http}`)
    t.match(hint, /[.`]$/, `${code}: the hint is a sentence`)
  }
  const cause = new Error('why')
  const error = new AgentzError('DIR_MISSING', 'cannot work in /x', { cause })
  t.match(error, { code: 'DIR_MISSING', exit: 2, http: 400, hint: errorCodes.DIR_MISSING.hint, cause })
  t.equal(new AgentzError('DIR_MISSING', 'x', { hint: 'own' }).hint, 'own')
  t.equal(toAgentzError(error), error)
  t.match(toAgentzError('thrown text'), { code: 'INTERNAL', message: 'thrown text' })
  t.equal(
    reason(Object.assign(new Error('Unknown system error'), { errno: -122 })),
    'disk quota exceeded (Unknown system error)',
  )
  t.equal(errno(Object.assign(new Error(), { code: 'ENOENT' })), 'ENOENT')
  t.equal(errno({ code: 'ENOENT' }), undefined)
})
