/**
 * The environment an agent gets: captured from the caller by an allow-list into sessions/<id>.env (0600), never in a
 * log, on argv or in a unit property. AGENTZ_HOME/env, for keys and additions to PATH of all sessions, wins.
 */
import { AgentzError, errno, reason } from '../base/errors.js'
import { type Home, sessionEnv } from '../base/paths.js'
import { readRegularFile } from '../base/read-file.js'

export type Environment = Record<string, string>

const name = /^[A-Za-z_][A-Za-z0-9_]*$/

/** What an agent needs to be itself: identity, locale, tools, its own settings, proxies. A trailing * matches any rest. */
const allowed = [
  ...['HOME', 'USER', 'LOGNAME', 'SHELL', 'PATH', 'TERM', 'COLORTERM', 'LANG', 'LANGUAGE', 'LC_*', 'TZ', 'TMPDIR'],
  ...['EDITOR', 'VISUAL', 'PAGER', 'NO_COLOR', 'CI', 'DISPLAY', 'WAYLAND_DISPLAY', 'XDG_*', 'DBUS_SESSION_BUS_ADDRESS'],
  ...['SSH_AUTH_SOCK', 'SSH_AGENT_PID', 'GIT_*', 'GH_TOKEN', 'GITHUB_TOKEN', 'GPG_TTY'],
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'no_proxy', 'all_proxy'],
  ...['SSL_CERT_FILE', 'SSL_CERT_DIR', 'NODE_EXTRA_CA_CERTS', 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE'],
  ...['ANTHROPIC_*', 'CLAUDE_*', 'OPENAI_*', 'CODEX_*', 'OPENCODE_*', 'GEMINI_*', 'GOOGLE_*', 'CEREBRAS_*'],
  ...['DISABLE_AUTOUPDATER', 'DISABLE_TELEMETRY', 'IS_SANDBOX', 'AWS_*', 'VERTEX_*', 'CLOUD_ML_REGION'],
  ...['NVM_DIR', 'VOLTA_HOME', 'PYENV_ROOT', 'VIRTUAL_ENV', 'CARGO_HOME', 'RUSTUP_HOME', 'GOPATH', 'JAVA_HOME'],
]

/** These belong to one process and would lie to another, or load code into it. */
const refused =
  /^(NOTIFY_SOCKET|WATCHDOG_|LISTEN_|INVOCATION_ID$|JOURNAL_STREAM$|MAINPID$|AGENTZ_|LD_|DYLD_|NODE_OPTIONS$|BASH_ENV$)/

/**
 * Picks from `env` what is allowed by the list, by `further` patterns (config.json) or named in `extra` (`run -e`).
 * @throws BAD_INPUT for an extra name that is none, or that is always refused
 */
export function captureEnvironment(
  env: NodeJS.ProcessEnv,
  further: readonly string[] = [],
  extra: readonly string[] = [],
): Environment {
  const captured: Environment = {}
  const patterns = [...allowed, ...further]
  for (const [key, value] of Object.entries(env)) {
    if (value !== undefined && name.test(key) && !refused.test(key) && matches(patterns, key)) captured[key] = value
  }
  for (const item of extra) {
    const at = item.indexOf('=')
    const key = at < 0 ? item : item.slice(0, at)
    if (!name.test(key))
      throw new AgentzError('BAD_INPUT', `${JSON.stringify(key)} is not a name of an environment variable`)
    if (refused.test(key)) throw new AgentzError('BAD_INPUT', `${key} is never handed to an agent`)
    const value = at < 0 ? env[key] : item.slice(at + 1)
    if (value !== undefined) captured[key] = value
  }
  return captured
}

const matches = (patterns: readonly string[], key: string): boolean =>
  patterns.some((pattern) => (pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : pattern === key))

/** KEY=value lines; a value that a plain line cannot hold is written as a JSON string. */
export function formatEnvironment(env: Environment): string {
  return Object.entries(env)
    .map(([key, value]) => `${key}=${/^\s|^"|[\n\r\0]|\s$/.test(value) ? JSON.stringify(value) : value}\n`)
    .join('')
}

/** Reads KEY=value lines, with # comments and empty lines. @throws CONFIG_INVALID naming file and line, never the value */
export function parseEnvironment(text: string, file: string): Environment {
  const env: Environment = {}
  text.split('\n').forEach((raw, index) => {
    const line = raw.trim().replace(/^export\s+/, '')
    if (line === '' || line.startsWith('#')) return
    const at = line.indexOf('=')
    const key = line.slice(0, Math.max(at, 0))
    const invalid = (why: string) => new AgentzError('CONFIG_INVALID', `cannot read ${file}, line ${index + 1}: ${why}`)
    if (!name.test(key)) throw invalid('it is not KEY=value')
    const value = line.slice(at + 1)
    if (!value.startsWith('"')) {
      env[key] = value
      return
    }
    try {
      env[key] = String(JSON.parse(value))
    } catch {
      throw invalid(`the quoted value of ${key} is not a JSON string`)
    }
  })
  return env
}

/** The whole environment of the agent of a session: what was captured, then AGENTZ_HOME/env, whose PATH may hold $PATH. */
export function agentEnvironment(home: Home, id: string): Environment {
  return withHomeEnvironment(home, readEnvironment(sessionEnv(home, id)))
}

/** `env` with AGENTZ_HOME/env over it. */
export function withHomeEnvironment(home: Home, env: Environment): Environment {
  const own = readEnvironment(home.env)
  if (own.PATH !== undefined) own.PATH = own.PATH.replace(/\$\{PATH\}|\$PATH/g, () => env.PATH ?? '')
  return { ...env, ...own }
}

function readEnvironment(path: string): Environment {
  try {
    return parseEnvironment(readRegularFile(path).toString(), path)
  } catch (error) {
    if (errno(error) === 'ENOENT') return {}
    if (error instanceof AgentzError) throw error
    throw new AgentzError('CONFIG_INVALID', `cannot read ${path}: ${reason(error)}`, { cause: error })
  }
}
