/** The agents there are, by name: those that are built in, and ACP agents that config.json names. */
import type { Config } from '../base/config.js'
import { AgentzError } from '../base/errors.js'
import type { Environment } from '../session/environment.js'
import type { Spec } from '../session/spec.js'
import { acpAgent, cerebras, demo, gemini, opencode } from './acp/profiles.js'
import type { Agent } from './agent.js'
import { claude } from './claude/claude.js'
import { codex } from './codex/codex.js'
import { command } from './command.js'

const table: ReadonlyMap<string, Agent> = new Map(
  [claude, codex, opencode, gemini, cerebras, demo, command].map((agent: Agent) => [agent.name, agent]),
)

/** All of them; those of config.json come last. */
export function agentList(config: Config): Agent[] {
  return [...table.values(), ...Object.entries(config.acp).map(([name, own]) => acpAgent(name, own))]
}

/** @throws AGENT_UNKNOWN */
export function knownAgent(name: string, config: Config): Agent {
  const agent = agentList(config).find((each) => each.name === name)
  if (agent === undefined) throw unknownAgent(name, agentList(config))
  return agent
}

/** An agent that a new session may use. @throws AGENT_UNKNOWN, AGENT_DISABLED */
export function allowedAgent(name: string, config: Config): Agent {
  const agent = knownAgent(name, config)
  if (agent === command && config.agents.command?.enabled === false) {
    throw new AgentzError('AGENT_DISABLED', 'the command agent is switched off')
  }
  return agent
}

/**
 * The specification with what only the agent and config.json know: so it is whole, and a later change of config.json changes nothing
 * in it. @throws BAD_INPUT for a permission mode that the agent has not
 */
export function completed(agent: Agent, spec: Spec, config: Config): Spec {
  const own = config.acp[agent.name]
  const permissionMode = spec.permissionMode ?? own?.mode
  const modes = agent.converses ? agent.modes : []
  if (permissionMode !== undefined && modes !== undefined && !modes.includes(permissionMode)) {
    const hint = modes.length === 0 ? 'Leave --permission-mode out.' : `Modes: ${modes.join(', ')}.`
    const message = `the agent ${agent.name} has no permission mode ${JSON.stringify(permissionMode)}`
    throw new AgentzError('BAD_INPUT', message, { hint })
  }
  const command = own?.command ?? replacement(agent.name, config) ?? spec.command
  return { ...spec, ...(command && { command }), ...(permissionMode && { permissionMode }) }
}

/** What config.json puts in the place of an agent's own program. */
function replacement(name: string, { agents }: Config): string[] | undefined {
  const { program } = agents[name as 'claude' | 'codex' | 'opencode' | 'gemini'] ?? {}
  return program === undefined ? undefined : [program]
}

/** What config.json adds to the captured environment of an agent; what the caller has set himself wins. */
export function configured(env: Environment, agent: Agent, { agents }: Config): Environment {
  if (agent !== cerebras) return env
  const { baseUrl, model } = agents.cerebras ?? {}
  return {
    ...(baseUrl === undefined ? {} : { CEREBRAS_BASE_URL: baseUrl }),
    ...(model === undefined ? {} : { CEREBRAS_MODEL: model }),
    ...env,
  }
}

/** The agent of a session that exists. One that config.json named is known by its command. @throws AGENT_UNKNOWN */
export function agentOf({ agentType, command }: Pick<Spec, 'agentType' | 'command'>): Agent {
  const agent = table.get(agentType) ?? (command === undefined ? undefined : acpAgent(agentType))
  if (agent !== undefined) return agent
  throw unknownAgent(agentType, [...table.values()])
}

const unknownAgent = (name: string, agents: readonly Agent[]): AgentzError =>
  new AgentzError('AGENT_UNKNOWN', `there is no agent ${JSON.stringify(name.slice(0, 64))}`, {
    hint: `Agents: ${agents.map((agent) => agent.name).join(', ')}.`,
  })
