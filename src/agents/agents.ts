/** The agents there are, by name. */
import type { Config } from '../base/config.js'
import { AgentzError } from '../base/errors.js'
import type { Agent } from './agent.js'
import { claude } from './claude.js'
import { command } from './command.js'

const table: ReadonlyMap<string, Agent> = new Map([claude, command].map((agent) => [agent.name, agent]))

export const agentNames: readonly string[] = [...table.keys()]

/** An agent that a new session may use. @throws AGENT_UNKNOWN, AGENT_DISABLED */
export function allowedAgent(name: string, config: Config): Agent {
  const agent = agentByName(name)
  if (agent === command && config.agents.command?.enabled === false) {
    throw new AgentzError('AGENT_DISABLED', 'the command agent is switched off')
  }
  return agent
}

/** @throws AGENT_UNKNOWN */
export function agentByName(name: string): Agent {
  const agent = table.get(name)
  if (agent !== undefined) return agent
  throw new AgentzError('AGENT_UNKNOWN', `there is no agent ${JSON.stringify(name.slice(0, 64))}`, {
    hint: `Agents: ${agentNames.join(', ')}.`,
  })
}
