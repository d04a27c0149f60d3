/**
 * The agents that speak the Agent Client Protocol: OpenCode, Gemini, our own for models behind an API, and those that a person
 * names in config.json. Light: what runs one of them is loaded when one starts.
 */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { AgentzError } from '../../base/errors.js'
import { programs } from '../../base/programs.js'
import type { ConversingAgent, Login } from '../agent.js'
import { ownProgram } from '../program.js'
import { geminiProfile } from './gemini.js'
import { opencodeProfile } from './opencode.js'
import type { Env, Profile } from './profile.js'

type Kind = Pick<ConversingAgent, 'title' | 'install' | 'login' | 'check'>

function acp(profile: Profile, kind: Kind & { readonly spacing: number }): ConversingAgent {
  return {
    ...kind,
    name: profile.name,
    converses: true,
    modes: profile.modes && Object.keys(profile.modes),
    keepsQuestions: profile.own === true,
    start: async (context) => {
      const { AcpRun } = await import('./run.js')
      return new AcpRun(context, profile)
    },
  }
}

/** An agent with a program of its own, that is to be on PATH. */
function installed(profile: Profile, title: string, install: string, login: (env: Env) => Login): ConversingAgent {
  return acp(profile, {
    title,
    install,
    login,
    check: (spec, env, workingDir) => ownProgram(profile.name, install, spec, env, workingDir),
    // They keep login tokens in files, which starts at once have been seen to spoil for each other.
    spacing: 300,
  })
}

export const opencode: ConversingAgent = installed(
  opencodeProfile,
  'OpenCode',
  'npm install -g opencode-ai',
  (env): Login => {
    const file = join(env.XDG_DATA_HOME ?? join(env.HOME ?? homedir(), '.local', 'share'), 'opencode', 'auth.json')
    if (existsSync(file)) return { state: 'yes', detail: file }
    return { state: 'unknown', detail: 'its configuration may hold keys; `opencode auth login` adds one' }
  },
)

export const gemini: ConversingAgent = installed(
  geminiProfile,
  'Gemini CLI',
  'npm install -g @google/gemini-cli',
  (env): Login => {
    for (const name of ['GEMINI_API_KEY', 'GOOGLE_GENAI_USE_VERTEXAI', 'GOOGLE_GENAI_USE_GCA']) {
      if (env[name]) return { state: 'yes', detail: name }
    }
    const file = join(env.GEMINI_CLI_HOME ?? env.HOME ?? homedir(), '.gemini', 'oauth_creds.json')
    if (existsSync(file)) return { state: 'yes', detail: file }
    return { state: 'no', detail: geminiProfile.loginHint }
  },
)

/** An agent that a person names in config.json: the command line is all that is known of it. */
export function acpAgent(name: string, { title }: { title?: string | undefined } = {}): ConversingAgent {
  const profile: Profile = {
    name,
    argv: ({ command }) => [...(command ?? [name])],
    loginHint: `log in with ${name} itself`,
  }
  return acp(profile, {
    title: title ?? `${name}, by the Agent Client Protocol`,
    install: '',
    login: () => ({ state: 'unknown', detail: profile.loginHint }),
    check: (spec, env, workingDir) => ownProgram(name, '', spec, env, workingDir),
    spacing: 0,
  })
}

export interface ChatAgent {
  readonly name: 'cerebras' | 'demo'
  readonly title: string
  readonly login: (env: Env) => Login
  /** @throws what is missing */
  readonly check: (env: Env) => void
  readonly env?: (model: string) => Record<string, string>
}

/** Our own agent: the same program in several roles. */
export function chatAgent({ name, title, login, check, env }: ChatAgent): ConversingAgent {
  const profile: Profile = {
    name,
    argv: () => [programs.node, programs.chat, name],
    ...(env && { env: ({ model }) => (model === undefined ? {} : env(model)) }),
    modes: { plan: 'plan', default: 'default', acceptEdits: 'acceptEdits', bypassPermissions: 'bypassPermissions' },
    modelAtStart: true,
    own: true,
    recordsFirst: true,
    loginHint: 'put the key into the file env of AGENTZ_HOME: CEREBRAS_API_KEY=...',
  }
  return acp(profile, {
    title,
    install: '',
    login,
    check: (_spec, env) => {
      check(env)
      return programs.chat
    },
    spacing: 0,
  })
}

const VENDOR = 'api.cerebras.ai'
const KEY_HINT = 'Put the line CEREBRAS_API_KEY=... into the file env of AGENTZ_HOME.'

/** Another server, a local one say, may do without a key. */
function needsKey(env: Env): boolean {
  const url = env.CEREBRAS_BASE_URL
  return !env.CEREBRAS_API_KEY && (!url || (URL.canParse(url) && new URL(url).hostname === VENDOR))
}

export const cerebras: ConversingAgent = chatAgent({
  name: 'cerebras',
  title: 'Cerebras, or any other API that speaks chat completions',
  env: (model) => ({ CEREBRAS_MODEL: model }),
  login: (env) => {
    if (needsKey(env)) return { state: 'no', detail: 'CEREBRAS_API_KEY is not set' }
    return env.CEREBRAS_API_KEY
      ? { state: 'yes', detail: 'CEREBRAS_API_KEY' }
      : { state: 'not needed', detail: 'CEREBRAS_BASE_URL' }
  },
  check: (env) => {
    if (needsKey(env)) throw new AgentzError('AGENT_MISSING', 'CEREBRAS_API_KEY is not set', { hint: KEY_HINT })
  },
})

export const demo: ConversingAgent = chatAgent({
  name: 'demo',
  title: 'a demonstration that is built in: scripted, without a model',
  login: () => ({ state: 'not needed', detail: 'no model is behind it' }),
  check: () => undefined,
})
