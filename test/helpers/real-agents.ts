/**
 * The real agents for tests: each gets a fresh HOME with a configuration that knows no model but the mock, the switches that keep
 * it from calling anybody else, and a trip-wire that tells if it does.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const realAgents = ['claude', 'codex', 'opencode', 'gemini', 'cerebras'] as const
export type RealAgent = (typeof realAgents)[number]

export const agentBin = fileURLToPath(new URL('../agents/node_modules/.bin', import.meta.url))
const required = Boolean(process.env.CI || process.env.AGENTZ_REQUIRE_AGENTS)

/** Why tests of the agent are left out; false: they are not. In CI they fail where the agent is missing. */
export function skipOf(agent: RealAgent): false | string {
  if (agent === 'cerebras' || required || existsSync(join(agentBin, agent))) return false
  return `${agent} is not installed: run \`npm ci\` in test/agents`
}

export interface TripWire {
  readonly url: string
  /** Where somebody wanted to go. */
  readonly tripped: string[]
  close(): Promise<void>
}

/** A proxy that takes every connection, remembers where it was to lead, and hangs up. */
export async function startTripWire(): Promise<TripWire> {
  const tripped: string[] = []
  const server = createServer((socket) => {
    // Whoever hangs up first is of no interest here.
    socket.on('error', () => undefined)
    socket.once('data', (data) => {
      tripped.push(data.toString().split('\r\n')[0] ?? '')
      socket.destroy()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    tripped,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/**
 * Prepares a HOME for the agent in `dir`.
 * @param model where the mock model serves; a path may follow, by which its requests are told apart
 * @returns the whole environment that the agent needs
 */
export function prepareAgent(
  agent: RealAgent,
  dir: string,
  { model, proxy }: { model: string; proxy: string },
): Record<string, string> {
  const [home, temp] = [join(dir, 'home'), join(dir, 'tmp')]
  for (const path of [home, temp]) mkdirSync(path, { recursive: true })
  return {
    PATH: `${agentBin}:${process.env.PATH}`,
    HOME: home,
    // opencode leaves megabytes there at each start, gemini a report of each error.
    TMPDIR: temp,
    HTTPS_PROXY: proxy,
    HTTP_PROXY: proxy,
    NO_PROXY: '127.0.0.1,localhost',
    // The test runner's own would be loaded into agents that are Node programs.
    NODE_OPTIONS: '',
    ...prepare[agent](home, model),
  }
}

const prepare: Record<RealAgent, (home: string, model: string) => Record<string, string>> = {
  claude: (_home, model) => ({
    ANTHROPIC_BASE_URL: model,
    ANTHROPIC_API_KEY: 'mock',
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_AUTOUPDATER: '1',
  }),
  codex(home, model) {
    write(home, '.codex/config.toml', codexConfig(model))
    return { OPENAI_API_KEY: 'mock' }
  },
  opencode(home, model) {
    write(home, '.config/opencode/opencode.json', JSON.stringify(opencodeConfig(model)))
    // It installs a package of its own beside its configuration, unless that stands in a lock file there.
    write(home, '.config/opencode/package-lock.json', JSON.stringify(opencodeLock))
    mkdirSync(join(home, '.config/opencode/node_modules'))
    const off = ['MODELS_FETCH', 'DEFAULT_PLUGINS', 'AUTOUPDATE', 'LSP_DOWNLOAD', 'SHARE']
    return { OPENCODE_PURE: '1', ...Object.fromEntries(off.map((what) => [`OPENCODE_DISABLE_${what}`, '1'])) }
  },
  gemini(home, model) {
    write(home, '.gemini/settings.json', JSON.stringify(geminiSettings))
    return { GEMINI_API_KEY: 'mock', GOOGLE_GEMINI_BASE_URL: model, GEMINI_CLI_NO_RELAUNCH: 'true' }
  },
  cerebras: (_home, model) => ({
    CEREBRAS_API_KEY: 'mock',
    CEREBRAS_BASE_URL: `${model}/v1`,
    CEREBRAS_MODEL: 'mock-model',
  }),
}

function write(home: string, path: string, content: string): void {
  mkdirSync(join(home, path, '..'), { recursive: true })
  writeFileSync(join(home, path), content)
}

/** Retries are few, so that errors are seen soon; plugins would call three hosts. */
const codexConfig = (model: string) => `model = "mock-model"
model_provider = "mock"
check_for_update_on_startup = false

[features]
plugins = false

[analytics]
enabled = false

[model_providers.mock]
name = "mock"
base_url = "${model}/v1"
wire_api = "responses"
env_key = "OPENAI_API_KEY"
request_max_retries = 1
stream_max_retries = 1
`

/** The small model writes titles. */
const opencodeConfig = (model: string) => ({
  model: 'mock/mock-model',
  small_model: 'mock/mock-model',
  provider: {
    mock: {
      npm: '@ai-sdk/openai-compatible',
      name: 'mock',
      options: { baseURL: `${model}/v1`, apiKey: 'mock' },
      models: {
        'mock-model': {
          name: 'mock',
          tool_call: true,
          reasoning: true,
          cost: { input: 1, output: 2 },
          limit: { context: 100_000, output: 10_000 },
        },
      },
    },
  },
  permission: { bash: 'ask', edit: 'ask' },
})

const opencodeLock = { packages: { '': { dependencies: { '@opencode-ai/plugin': '*' } } } }

const geminiSettings = {
  security: { auth: { selectedType: 'gemini-api-key' }, folderTrust: { enabled: false } },
  privacy: { usageStatisticsEnabled: false },
  telemetry: { enabled: false },
  general: { enableAutoUpdate: false, enableAutoUpdateNotification: false },
  ide: { enabled: false },
  model: { name: 'gemini-2.5-flash' },
}
