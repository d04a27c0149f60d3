import t from 'tap'
import { agentList, agentOf, allowedAgent, completed, configured } from '../../src/agents/agents.js'
import { builtIn, readConfig } from '../../src/base/config.js'
import { newHome } from '../helpers/home.js'
import { newSpec } from './recorder.js'

const config = readConfig(newHome(t))
const own = { ...config, acp: { mine: { command: ['my-agent', '--acp'], title: 'Mine', mode: 'careful' } } }

t.test('each agent by its name', async (t) => {
  t.same(
    agentList(config)
      .map(({ name }) => name)
      .sort(),
    [...builtIn].sort(),
    'config.json knows which are built in',
  )
  for (const { name } of agentList(config)) {
    t.equal(allowedAgent(name, config).name, name)
    t.equal(agentOf({ agentType: name }).name, name)
  }
})

t.test('an unknown one is refused, and the known ones are named', async (t) => {
  for (const name of ['klaude', '', '__proto__', 'mine', 'x'.repeat(500)]) {
    t.throws(() => allowedAgent(name, config), { code: 'AGENT_UNKNOWN', hint: /^Agents: claude, codex, .*command\.$/ })
    t.throws(() => agentOf({ agentType: name }), { code: 'AGENT_UNKNOWN' })
  }
  t.throws(() => allowedAgent('klaude', own), { code: 'AGENT_UNKNOWN', hint: /command, mine\.$/ })
})

t.test('the command agent can be switched off', async (t) => {
  const off = { ...config, agents: { command: { enabled: false } } }
  t.throws(() => allowedAgent('command', off), { code: 'AGENT_DISABLED' })
})

t.test('one that config.json names: its command and mode become a part of the session', async (t) => {
  const agent = allowedAgent('mine', own)
  t.equal(agent.title, 'Mine')
  const spec = completed(agent, newSpec({ agentType: 'mine', prompt: 'hi' }), own)
  t.match(spec, { command: ['my-agent', '--acp'], permissionMode: 'careful' })
  t.equal(completed(agent, newSpec({ permissionMode: 'bold' }), own).permissionMode, 'bold', 'what was asked for wins')
  t.equal(agentOf(spec).name, 'mine', 'the session is enough to run it, whatever became of config.json')
})

t.test('a program of one’s own, and a permission mode that the agent has not', async (t) => {
  const claude = allowedAgent('claude', config)
  const replaced = { ...config, agents: { claude: { program: '/opt/claude' } } }
  t.same(completed(claude, newSpec(), replaced).command, ['/opt/claude'])
  t.same(completed(claude, newSpec(), config), newSpec())
  t.throws(() => completed(claude, newSpec({ permissionMode: 'yolo' }), config), {
    code: 'BAD_INPUT',
    hint: /plan, dontAsk, default/,
  })
  const command = allowedAgent('command', config)
  t.throws(() => completed(command, newSpec({ permissionMode: 'plan' }), config), { code: 'BAD_INPUT' })
})

t.test('settings of cerebras reach its environment; the caller’s own win', async (t) => {
  const set = { ...config, agents: { cerebras: { baseUrl: 'http://127.0.0.1:1/v1', model: 'm' } } }
  const cerebras = allowedAgent('cerebras', set)
  t.same(configured({ PATH: '/bin', CEREBRAS_MODEL: 'mine' }, cerebras, set), {
    PATH: '/bin',
    CEREBRAS_BASE_URL: 'http://127.0.0.1:1/v1',
    CEREBRAS_MODEL: 'mine',
  })
  t.same(configured({ PATH: '/bin' }, allowedAgent('claude', set), set), { PATH: '/bin' })
})
