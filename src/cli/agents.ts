import { execFile } from 'node:child_process'
import type { Agent, Login } from '../agents/agent.js'
import { agentList } from '../agents/agents.js'
import { findAgent, isEnabled } from '../agents/installed.js'
import type { Config } from '../base/config.js'
import { shellWords } from '../base/shell.js'
import { captureEnvironment, type Environment, withHomeEnvironment } from '../session/environment.js'
import { context, type Verb } from './context.js'
import { workingDirectory } from './cwd.js'
import { columns, harmless, oneLine, paint, print, say } from './terminal.js'

const VERSION_MS = 10_000
/** A last column narrower than this tells nothing. */
const REST_LEAST = 24

/** What can be said of an agent from here. */
export interface AgentRow {
  readonly name: string
  readonly title: string
  /** What `agentz run` takes without -a. */
  readonly default: boolean
  /** config.json may switch one off. */
  readonly enabled: boolean
  readonly found: boolean
  /** Absent where it has none of its own. */
  readonly program?: string
  readonly version?: string
  /** Empty where nothing is to be installed. */
  readonly install: string
  readonly login: Login
  /** Empty where it asks nothing; absent where it has names of its own for them. */
  readonly modes?: readonly string[]
}

export const verb: Verb<{ json?: boolean; how?: boolean }> = {
  command: 'agents',
  describe: 'List the agents: found or not, version, login, permission modes',
  build: (yargs) => yargs,
  handle: async ({ json, how }) => {
    const { home, config } = context()
    const env = withHomeEnvironment(home, captureEnvironment(process.env, config.environment))
    const agents = agentList(config)
    if (how) {
      const lines = agents.flatMap((agent) => {
        const { found, program } = findAgent(agent, env, config, workingDirectory())
        if (program !== undefined) return shellWords([program, '--version'])
        return found || agent.install === '' ? [] : `${agent.install}   # ${agent.name} is not found`
      })
      await print(lines.map((line) => `${line}\n`).join(''))
      return 0
    }
    const rows = await agentRows(agents, env, config)
    if (json) await print(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    else if (process.stdout.isTTY !== true) await print(rows.map((row) => `${plain(row)}\n`).join(''))
    else {
      await print(table(rows, columns()))
      say(paint('* what `agentz run` takes without -a', 'dim'))
    }
    return 0
  },
}

/** All of them are asked for their versions at once. */
export function agentRows(agents: readonly Agent[], env: Environment, config: Config): Promise<AgentRow[]> {
  return Promise.all(
    agents.map(async (agent) => {
      const { found, program } = findAgent(agent, env, config, workingDirectory())
      const version = program === undefined ? undefined : await versionOf(program, env)
      const modes = agent.converses ? agent.modes : []
      return {
        name: agent.name,
        title: agent.title,
        default: agent.name === config.agent,
        enabled: isEnabled(agent, config),
        found,
        ...(program !== undefined && { program }),
        ...(version !== undefined && { version }),
        install: agent.install,
        login: agent.login(env),
        ...(modes !== undefined && { modes }),
      }
    }),
  )
}

/** The first word of its `--version` that looks like one; undefined if it says none in time. */
function versionOf(program: string, env: Environment): Promise<string | undefined> {
  return new Promise((resolve) => {
    const options = { env, timeout: VERSION_MS, killSignal: 'SIGKILL' as const, maxBuffer: 64 * 1024 }
    // Whatever its status is: what it says is of interest, and what is no version is none.
    const child = execFile(program, ['--version'], options, (_error, stdout, stderr) => {
      resolve(/(?<![\w.])v?(\d+(?:\.\d+)+[\w.+-]*)/.exec(`${stdout}\n${stderr}`)?.[1])
    })
    child.stdin?.on('error', () => undefined).end()
  })
}

/** For programs: tabs, in an order that stays. */
function plain({ name, title, version = '', program = '', login, modes = [], install, ...row }: AgentRow): string {
  const state = row.enabled ? (row.found ? 'found' : 'missing') : 'disabled'
  const cells = [name, row.default ? 'default' : '', state, version, login.state, login.detail, modes.join(',')]
  return [...cells, program, install, title].map((cell) => harmless(cell).replace(/[\t\n]/g, ' ')).join('\t')
}

/** For people; a narrow terminal goes without the columns that tell the least. */
export function table(rows: readonly AgentRow[], width: number): string {
  const heads = ['AGENT', 'VERSION', 'LOGIN', 'PERMISSION MODES']
  const cells = rows.map((row) => [
    row.default ? `${row.name}*` : row.name,
    versionCell(row),
    row.found ? row.login.state : '',
    row.modes?.join(' ') ?? 'its own',
  ])
  const widths = heads.map((head, at) => Math.max(head.length, ...cells.map((line) => line[at]?.length ?? 0)))
  const room = () => width - widths.reduce((sum, each) => sum + (each < 0 ? 0 : each + 2), 0)
  for (const at of [3, 2, 1]) if (room() < REST_LEAST) widths[at] = -1
  const layout = (line: readonly string[]) =>
    line.map((cell, at) => ((widths[at] ?? -1) < 0 ? '' : `${harmless(cell).padEnd(widths[at] ?? 0)}  `))
  const rest = Math.max(1, room())
  const lines = rows.map((row, index) => {
    const [name = '', version = '', login = '', modes = ''] = layout(cells[index] ?? [])
    const isReady = row.enabled && row.found
    const needsLogin = isReady && row.login.state === 'no'
    return [
      paint(name, ...(row.default ? (['bold'] as const) : [])),
      isReady ? version : paint(version, 'yellow'),
      needsLogin ? paint(login, 'yellow') : login,
      paint(modes, 'dim'),
      oneLine(note(row), rest),
    ].join('')
  })
  return `${paint([...layout(heads), 'NOTE'].join(''), 'dim')}\n${lines.join('\n')}\n`
}

function versionCell({ enabled, found, program, version }: AgentRow): string {
  if (!enabled) return 'disabled'
  if (!found) return 'missing'
  return program === undefined ? 'built in' : (version ?? 'unknown')
}

/** What is to be done, or else where it is. */
function note({ enabled, found, install, login, program, title }: AgentRow): string {
  if (!enabled) return 'switched off in config.json'
  if (!found) return install === '' ? 'its program is missing' : `Install it: ${install}`
  if (login.state === 'no') return login.detail
  return program ?? title
}
