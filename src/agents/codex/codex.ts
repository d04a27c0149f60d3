/** The agent `codex`: Codex of OpenAI, by its app-server. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ConversingAgent, Login } from '../agent.js'
import { ownProgram } from '../program.js'
import { codexModes } from './wire.js'

const install = 'npm install -g @openai/codex'

export const codex: ConversingAgent = {
  name: 'codex',
  title: 'Codex',
  install,
  converses: true,
  modes: codexModes,
  keepsQuestions: false,
  // As for claude: one login token, which each start may refresh.
  spacing: 300,
  login,
  check: (spec, env, workingDir) => ownProgram('codex', install, spec, env, workingDir),
  start: async (context) => {
    const { CodexRun } = await import('./run.js')
    return new CodexRun(context)
  },
}

/** Its own provider takes what `codex login` has stored, and no variable; other providers of its configuration take variables. */
function login(env: Readonly<Record<string, string>>): Login {
  const file = join(env.CODEX_HOME ?? join(env.HOME ?? homedir(), '.codex'), 'auth.json')
  if (existsSync(file)) return { state: 'yes', detail: file }
  for (const name of ['OPENAI_API_KEY', 'CODEX_API_KEY']) {
    if (env[name]) return { state: 'unknown', detail: `${name} counts only if a provider in config.toml names it` }
  }
  return { state: 'no', detail: 'run `codex login`' }
}
