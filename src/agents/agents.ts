/** The agents there are, by name: those that are built in, and ACP agents that config.json names. */
import type { Config } from '../base/config.js'
import { AgentzError } from '../base/errors.js'
import type { Agent } from './agent.js'
import { claude } from './claude/claude.js'
import { command } from './command.js'

const table: ReadonlyMap<string, Agent> = new Map([claude, command].map((agent: Agent) => [agent.name, agent]))

export const agentNames: readonly string[] = [...table.keys()]

/** An agent that a new session may use. @throws AGENT_UNKNOWN, AGENT_DISABLED */
export function allowedAgent(name: string, config: Config): Agent {
  const agent = agentByName(name)
  if (agent === command && config.agents.command?.enabled === false) {
    throw new AgentzError('AGENT_DISABLED', 'the command agent is switched off')
  }
  return agent
}

/** The agent of a session that exists. @throws AGENT_UNKNOWN */
export function agentByName(name: string): Agent {
  const agent = table.get(name)
  if (agent !== undefined) return agent
  throw new AgentzError('AGENT_UNKNOWN', `there is no agent ${JSON.stringify(name.slice(0, 64))}`, {
    hint: `Agents: ${agentNames.join(', ')}.`,
  })
}
