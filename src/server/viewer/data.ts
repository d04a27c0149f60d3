/** What the viewer asks for beside the rest of the API: a page of a log with addresses, and the agents that may be started. */
import { closeSync } from 'node:fs'
import { homedir } from 'node:os'
import type * as z from 'zod/mini'
import { agentList } from '../../agents/agents.js'
import { findAgent, isEnabled } from '../../agents/installed.js'
import { type Config, readConfig } from '../../base/config.js'
import { AgentzError } from '../../base/errors.js'
import { type Home, sessionLog } from '../../base/paths.js'
import { isAddress, openIfThere } from '../../log/read.js'
import { captureEnvironment, withHomeEnvironment } from '../../session/environment.js'
import type { Context } from '../context.js'
import type { PageOf } from '../declared.js'
import type { Part } from '../lazy.js'
import { type Addressed, pageAt } from './before.js'

/** What the schema of its route has let pass. */
interface Asked {
  readonly params: z.output<typeof PageOf.params>
  readonly query: z.output<typeof PageOf.querystring>
}

export function open({ home }: Context): Part {
  return {
    handle: ({ routeOptions, params, query }) =>
      routeOptions.url === '/v1/sessions/:id/page'
        ? page(home, params as Asked['params'], query as Asked['query'])
        : agents(home, readConfig(home)),
  }
}

function page(home: Home, { id }: Asked['params'], asked: Asked['query']): Addressed {
  const fd = openIfThere(sessionLog(home, id))
  if (fd === undefined) throw new AgentzError('NOT_FOUND', `there is no session ${id}`)
  try {
    const at = Object.entries(asked).map(([field, text]) => {
      if (isAddress(fd, Number(text))) return [field, Number(text)] as const
      throw new AgentzError('BAD_INPUT', `${field}: ${text} is not the end of a line of this log`, {
        hint: 'Send the offset of an event that you got from here, or none for the end.',
      })
    })
    return pageAt(fd, Object.fromEntries(at))
  } finally {
    closeSync(fd)
  }
}

function agents(home: Home, config: Config) {
  const env = withHomeEnvironment(home, captureEnvironment(process.env, config.environment))
  const all = agentList(config).filter((agent) => isEnabled(agent, config))
  return {
    agents: all.map((agent) => ({
      name: agent.name,
      title: agent.title,
      default: agent.name === config.agent,
      installed: findAgent(agent, env, config, homedir()).found,
      modes: agent.converses ? (agent.modes ?? []) : [],
    })),
  }
}
