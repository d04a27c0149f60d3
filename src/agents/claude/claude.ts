/** The agent `claude`: Claude Code, by its native stream-json and control protocol. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ConversingAgent, Login } from '../agent.js'
import { ownProgram } from '../program.js'
import { claudeModes } from './wire.js'

const install = 'npm install -g @anthropic-ai/claude-code'

export const claude: ConversingAgent = {
  name: 'claude',
  title: 'Claude Code',
  install,
  converses: true,
  modes: claudeModes,
  keepsQuestions: false,
  // Several that refresh one login token at once have logged each other out.
  spacing: 300,
  login,
  check: (spec, env, workingDir) => ownProgram('claude', install, spec, env, workingDir),
  start: async (context) => {
    const { ClaudeRun } = await import('./run.js')
    return new ClaudeRun(context)
  },
}

function login(env: Readonly<Record<string, string>>): Login {
  for (const name of ['ANTHROPIC_API_KEY', 'ANTHROPIC_AUTH_TOKEN', 'CLAUDE_CODE_OAUTH_TOKEN']) {
    if (env[name]) return { state: 'yes', detail: name }
  }
  const file = join(env.CLAUDE_CONFIG_DIR ?? join(env.HOME ?? homedir(), '.claude'), '.credentials.json')
  if (existsSync(file)) return { state: 'yes', detail: file }
  // On macOS the keychain has it.
  if (process.platform === 'darwin') return { state: 'unknown', detail: 'the keychain may hold a login' }
  return { state: 'no', detail: 'run `claude` and /login, or set ANTHROPIC_API_KEY' }
}
