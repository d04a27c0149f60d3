/** The agents there are, by name: those that are built in, and ACP agents that config.json names. */
import type { Config } from '../base/config.js'
import { AgentzError } from '../base/errors.js'
import type { Spec } from '../session/spec.js'
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

/**
 * The specification with what only the agent and config.json know. @throws BAD_INPUT for a permission mode that the agent has not
 */
export function completed(agent: Agent, spec: Spec, config: Config): Spec {
  const mode = spec.permissionMode
  const modes = agent.converses ? agent.modes : []
  if (mode !== undefined && modes !== undefined && !modes.includes(mode)) {
    const hint = modes.length === 0 ? 'Leave --permission-mode out.' : `Modes: ${modes.join(', ')}.`
    throw new AgentzError('BAD_INPUT', `the agent ${agent.name} has no permission mode ${JSON.stringify(mode)}`, {
      hint,
    })
  }
  const command = programOf(agent, config)
  return command === undefined ? spec : { ...spec, command }
}

/** What config.json puts in the place of an agent's own program. */
function programOf(agent: Agent, config: Config): string[] | undefined {
  if (agent.name !== 'claude') return undefined
  const { program } = config.agents.claude ?? {}
  return program === undefined ? undefined : [program]
}

/** The agent of a session that exists. @throws AGENT_UNKNOWN */
export function agentByName(name: string): Agent {
  const agent = table.get(name)
  if (agent !== undefined) return agent
  throw new AgentzError('AGENT_UNKNOWN', `there is no agent ${JSON.stringify(name.slice(0, 64))}`, {
    hint: `Agents: ${agentNames.join(', ')}.`,
  })
}
