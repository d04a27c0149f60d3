import { allowedAgent, completed, configured } from '../agents/agents.js'
import type { Config } from '../base/config.js'
import { AgentzError } from '../base/errors.js'
import { sessionLog } from '../base/paths.js'
import { shellWords } from '../base/shell.js'
import { captureEnvironment, withHomeEnvironment } from '../session/environment.js'
import { isId } from '../session/id.js'
import type { Spec } from '../session/spec.js'
import { createdLine, specify } from '../session/store.js'
import { launch } from '../supervisor/launch.js'
import { attach } from './attach.js'
import { type Context, context, type Verb } from './context.js'
import { workingDirectory } from './cwd.js'
import { readText } from './input.js'
import { print, say } from './terminal.js'

interface Args {
  prompt?: string[]
  agent?: string
  directory?: string
  model?: string
  title?: string
  detach?: boolean
  json?: boolean
  how?: boolean
  file?: string
  env?: string[]
  label?: string[]
  permissionMode?: string
  restart?: 'mark' | 'rerun' | 'resume'
  memory?: string
  cpu?: string
  tasks?: string
  runtime?: string
  maxTurns?: string
  maxCost?: string
  maxTokens?: string
  maxTime?: string
  stallTimeout?: string
  sandbox?: 'strict' | 'none'
}

export const verb: Verb<Args> = {
  command: 'run [prompt..]',
  describe: 'Start a session and watch it; Ctrl-C only detaches',
  build: (yargs) =>
    yargs
      .positional('prompt', {
        type: 'string',
        array: true,
        describe: 'What the agent is to do; - reads it from standard input',
      })
      .option('agent', { alias: 'a', type: 'string', describe: 'The agent; `agentz agents` lists them' })
      .option('directory', { alias: 'C', type: 'string', describe: 'Where it works; here, if not given' })
      .option('model', { alias: 'm', type: 'string', describe: 'The model, as the agent names it' })
      .option('title', { type: 'string', describe: 'A name; the first line of the command or prompt, if not given' })
      .option('detach', { alias: 'd', type: 'boolean', describe: 'Return at once' })
      .option('file', { alias: 'f', type: 'string', describe: 'Read the prompt from a file' })
      .option('env', {
        alias: 'e',
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'Hand on a variable: NAME, or NAME=VALUE',
      })
      .option('label', { alias: 'l', type: 'string', array: true, nargs: 1, describe: 'A label, KEY=VALUE' })
      .option('permission-mode', {
        type: 'string',
        describe:
          'How freely it may act: plan, dontAsk, default, acceptEdits or bypassPermissions, as far as the agent has it',
      })
      .option('restart', { choices: ['resume', 'mark', 'rerun'] as const, describe: 'What a restarted daemon does' })
      .option('memory', {
        type: 'string',
        describe: 'The most memory, such as 4G (at least 256M); none lifts what config.json says',
      })
      .option('cpu', { type: 'string', describe: 'The most CPU, such as 150%' })
      .option('tasks', { type: 'string', describe: 'The most processes and threads (at least 64)' })
      .option('runtime', { type: 'string', describe: 'The most seconds it may run; the system ends it then' })
      .option('max-turns', {
        type: 'string',
        describe: 'Ask before more turns than these: a turn is a message and all that follows from it',
      })
      .option('max-cost', { type: 'string', describe: 'Ask when so many dollars are used up' })
      .option('max-tokens', { type: 'string', describe: 'Ask when so many tokens are used up' })
      .option('max-time', { type: 'string', describe: 'Ask after so many seconds of work' })
      .option('stall-timeout', { type: 'string', describe: 'Mark it when its agent is silent for so many seconds' })
      .option('sandbox', {
        choices: ['strict', 'none'] as const,
        describe: 'Whether the system keeps it in its directory',
      })
      .example('$0 run "fix the failing test"', 'Claude, here, watched')
      .example('$0 run -a command -d -- make -j4', 'Any program, in the background') as never,
  handle: async (args, rest) => {
    const ctx = context()
    const { home, supervisor } = ctx
    const asked = await request(args, rest, ctx)
    const agent = allowedAgent(asked.agentType, ctx.config)
    const spec = completed(agent, specified(asked, ctx.config), ctx.config)
    if (args.how) {
      const log = shellWords([sessionLog(home, spec.sessionId)])
      const line = shellWords([createdLine(spec)])
      await print(`(umask 077; printf '%s\\n' ${line} > ${log})\n${supervisor.howToStart(spec)}\n`)
      return 0
    }
    const captured = configured(captureEnvironment(process.env, ctx.config.environment, args.env), agent, ctx.config)
    agent.check(spec, withHomeEnvironment(home, captured), spec.workingDir)
    const { caveat } = supervisor.promises
    if (caveat !== undefined) say(`agentz: ${caveat}`)
    const place = await launch(home, supervisor, spec, captured)
    const { sessionId } = spec
    if (args.json) {
      await print(
        `${JSON.stringify({ sessionId, unit: supervisor.unitName(sessionId), log: sessionLog(home, sessionId), place })}\n`,
      )
      return 0
    }
    if (place !== undefined) say(`${sessionId} waits for its turn: place ${place} in the queue`)
    if (args.detach) {
      await print(`${sessionId}\n`)
      return 0
    }
    say(`session ${sessionId}   unit ${supervisor.unitName(sessionId)}\nlog ${sessionLog(home, sessionId)}`)
    return attach(ctx, sessionId)
  },
}

/** The options of fields that are checked as those of the API are. */
const optionOf: ReadonlyMap<string, string> = new Map([
  ...['memory', 'cpu', 'tasks', 'runtime'].map((name) => [`limits.${name}`, `--${name}`] as const),
  ...['turns', 'cost', 'tokens', 'time'].map((name) => [`budget.${name}`, `--max-${name}`] as const),
  ['workingDir', '-C'],
  ['title', '--title'],
  ['model', '--model'],
  ['permissionMode', '--permission-mode'],
  ['stallTimeout', '--stall-timeout'],
  ['budget', '--max-turns and the like'],
])

/** @throws as specify(), in the words of this verb */
function specified(asked: Asked, config: Config): Spec {
  try {
    return specify(asked, config)
  } catch (error) {
    if (!(error instanceof AgentzError)) throw error
    const { code, message, hint } = error
    const said = message.replace(/^[\w.]+(?=: )/, (field) => optionOf.get(field) ?? field)
    throw new AgentzError(code, said, { hint, cause: error })
  }
}

type Asked = Awaited<ReturnType<typeof request>>

async function request(args: Args, rest: readonly string[], { config }: Context) {
  const agentType = args.agent ?? (rest.length > 0 ? 'command' : config.agent)
  const words = args.prompt ?? []
  const isCommand = agentType === 'command'
  if (isCommand && rest.length === 0) {
    throw new AgentzError('USAGE', 'the command agent needs a program to run', {
      hint: 'What is to be run goes behind two dashes: agentz run -a command -- CMD ARG...',
    })
  }
  if (!isCommand && rest.length > 0) words.push(...rest)
  const parent = process.env.AGENTZ_SESSION_ID
  const limits = {
    memory: lifted(args.memory),
    cpu: lifted(args.cpu),
    tasks: args.tasks === NONE ? null : number('tasks', args.tasks),
    runtime: args.runtime === NONE ? null : number('runtime', args.runtime),
  }
  const budget = {
    turns: positive('max-turns', args.maxTurns),
    cost: amount('max-cost', args.maxCost),
    tokens: positive('max-tokens', args.maxTokens),
    time: amount('max-time', args.maxTime),
  }
  return {
    agentType,
    prompt: await given(words, args.file, isCommand),
    ...(isCommand && rest.length > 0 ? { command: [...rest] } : {}),
    workingDir: args.directory ?? workingDirectory(),
    ...defined({ title: args.title, model: args.model, permissionMode: args.permissionMode, restart: args.restart }),
    ...defined({ sandbox: args.sandbox }),
    ...(args.label === undefined ? {} : { labels: labels(args.label) }),
    ...group('limits', limits),
    ...group('budget', budget),
    ...defined({ stallTimeout: amount('stall-timeout', args.stallTimeout) }),
    ...(isId(parent) ? { parent } : {}),
  }
}

/** Nothing is read from standard input unasked: a script's own would be taken from it. */
async function given(words: readonly string[], file: string | undefined, isCommand: boolean): Promise<string> {
  const prompt = await readText('prompt', words, file)
  if (isCommand || prompt.trim() !== '') return prompt
  throw new AgentzError('BAD_INPUT', 'the prompt is empty', {
    hint: 'agentz run "your prompt", or `agentz run -` to read it from standard input.',
  })
}

/** Lifts a limit that config.json has. */
const NONE = 'none'
const lifted = (text: string | undefined) => (text === NONE ? null : text)

const defined = <T extends object>(fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>

/** A group of which nothing was said is left out. */
const group = <T extends object>(name: string, fields: T) =>
  Object.values(fields).every((value) => value === undefined) ? {} : { [name]: defined(fields) }

function amount(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d*\.?\d+$/.test(text) && Number(text) > 0) return Number(text)
  throw new AgentzError('BAD_INPUT', `--${name}: ${JSON.stringify(text)} is not a number above 0`)
}

function number(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d+$/.test(text))
    throw new AgentzError('BAD_INPUT', `--${name}: ${JSON.stringify(text)} is not a whole number`)
  return Number(text)
}

function positive(name: string, text: string | undefined): number | undefined {
  const value = number(name, text)
  if (value === undefined || value > 0) return value
  throw new AgentzError('BAD_INPUT', `--${name}: ${JSON.stringify(text)} is not a whole number above 0`)
}

function labels(pairs: string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      // As a key of an object it would be lost.
      if (at < 1 || pair.startsWith('__proto__='))
        throw new AgentzError('BAD_INPUT', `--label: ${JSON.stringify(pair)} is not KEY=VALUE`)
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}
