/** The profile of OpenCode. Measured with 1.18.33. */
import { DEFAULT_MODE } from '../../session/mode.js'
import { object, parseObject, text } from '../json.js'
import type { Env, Profile } from './profile.js'

export const opencodeProfile: Profile = {
  name: 'opencode',
  argv: ({ command }) => [...(command ?? ['opencode']), 'acp'],
  env: ({ permissionMode }, env) => permissionEnv(permissionMode ?? DEFAULT_MODE, env),
  // It has two modes only; what they ask about is told by the environment.
  modes: { plan: 'plan', default: 'build', acceptEdits: 'build', bypassPermissions: 'build' },
  sketchesTools: true,
  recordsFirst: true,
  // It tells an editor of each file that it has written, and goes on whatever the answer is.
  vainRequests: ['fs/write_text_file'],
  mutters: true,
  // It has no word of its own for an unknown session.
  forgets: ({ message, data }) => object(data).service === 'session' && /service failure/.test(text(message)),
  loginHint: 'run `opencode auth login`',
}

/**
 * What it does without asking. Out of the box it asks for nothing. Rules that come later win, so the one for everything else
 * is the first.
 */
const harmless = { read: 'allow', glob: 'allow', grep: 'allow', list: 'allow', todowrite: 'allow', todoread: 'allow' }

type Rules = Record<string, string | Record<string, string>>

/**
 * Agents that it starts itself. Their questions do not come through the protocol, so that they would wait for ever: what is to be
 * asked about, they may not do. Others than these a project can define, with permissions of its own.
 */
const helpers = ['general', 'explore']

function rules(mode: string): Rules {
  if (mode === 'bypassPermissions') return { '*': 'allow' }
  // Plan mode alone does not hold: a rule for edits that comes from outside goes before its own.
  const edit = mode === 'acceptEdits' ? 'allow' : mode === 'plan' ? 'deny' : 'ask'
  const task = Object.fromEntries([['*', 'deny'], ...helpers.map((name) => [name, 'ask'])])
  return { '*': 'ask', ...harmless, edit, bash: 'ask', webfetch: 'ask', task }
}

function helperRules(mode: string): Rules {
  if (mode === 'bypassPermissions') return { '*': 'allow' }
  const edit = mode === 'acceptEdits' ? 'allow' : 'deny'
  return { '*': 'deny', ...harmless, edit, bash: 'deny', webfetch: 'deny', task: 'deny' }
}

/**
 * OPENCODE_PERMISSION is the documented way, and not enough: an opencode.json of the project that gives permissions to the
 * agent `build` wins over it. The text of OPENCODE_CONFIG_CONTENT is read last and wins over files; what a person has put there is
 * kept. No file is touched.
 */
function permissionEnv(mode: string, env: Env): Record<string, string> {
  const permission = rules(mode)
  const helping = helperRules(mode)
  const own = parseObject(env.OPENCODE_CONFIG_CONTENT?.trim() ?? '') ?? {}
  const agents = object(own.agent)
  const withRules = (names: readonly string[], permission: Rules) =>
    Object.fromEntries(names.map((name) => [name, { ...object(agents[name]), permission }]))
  const agent = { ...withRules(['build', 'plan'], permission), ...withRules(helpers, helping) }
  return {
    OPENCODE_PERMISSION: JSON.stringify(permission),
    OPENCODE_CONFIG_CONTENT: JSON.stringify({ ...own, permission, agent: { ...agents, ...agent } }),
  }
}
