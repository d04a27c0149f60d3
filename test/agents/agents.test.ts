import t from 'tap'
import { agentByName, agentNames } from '../../src/agents/agents.js'

t.test('each agent by its name', async (t) => {
  t.same([...agentNames].sort(), ['claude', 'command'])
  for (const name of agentNames) t.equal(agentByName(name).name, name)
})

t.test('an unknown one is refused, and the known ones are named', async (t) => {
  for (const name of ['klaude', '', '__proto__', 'x'.repeat(500)]) {
    t.throws(() => agentByName(name), { code: 'AGENT_UNKNOWN', hint: 'Agents: claude, command.' })
  }
})
