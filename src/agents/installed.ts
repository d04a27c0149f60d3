/** Which agents this machine has, before anybody starts one. */
import type { Config } from '../base/config.js'
import { AgentzError } from '../base/errors.js'
import { programs } from '../base/programs.js'
import type { Environment } from '../session/environment.js'
import type { Spec } from '../session/spec.js'
import type { Agent } from './agent.js'
import { allowedAgent, completed } from './agents.js'

/** @returns whether it could be started, and its program unless that is ours */
export function findAgent(
  agent: Agent,
  env: Environment,
  config: Config,
  workingDirectory: string,
): { found: boolean; program?: string } {
  // Of a specification only what config.json adds to it is of interest here.
  const { command } = completed(agent, {} as Spec, config)
  try {
    const program = agent.check(command === undefined ? {} : { command }, env, workingDirectory)
    const isOurs = program === programs.node || program === programs.chat
    return isOurs ? { found: true } : { found: true, program }
  } catch (error) {
    if (!(error instanceof AgentzError)) throw error
    // USAGE: it runs whatever it is given, and needs nothing else.
    if (error.code !== 'USAGE' && error.code !== 'AGENT_MISSING') throw error
    // What is built in is there; a key that it lacks is told by its login.
    return { found: error.code === 'USAGE' || (agent.install === '' && command === undefined) }
  }
}

/** Whether config.json leaves it on. */
export function isEnabled(agent: Agent, config: Config): boolean {
  try {
    allowedAgent(agent.name, config)
    return true
  } catch (error) {
    if (error instanceof AgentzError && error.code === 'AGENT_DISABLED') return false
    throw error
  }
}
