/** One session of a real agent for the contract suite: agentz as people use it, and what its file, the mock and /proc say. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ensureHome, homePaths, sessionLog } from '../../../src/base/paths.js'
import type { EventOf, SessionEvent, SessionEventType } from '../../../src/session/events.js'
import { Agentz, cliPath, lines, type Result } from '../../helpers/agentz.js'
import { tempDir, until } from '../../helpers/home.js'
import { prepareAgent, type RealAgent, type TripWire } from '../../helpers/real-agents.js'
import type { MockModel, ModelRequest } from '../../mock-model/start.js'
import type { Abilities } from './abilities.js'

export interface Stage {
  readonly agent: RealAgent
  readonly can: Abilities
  readonly mock: MockModel
  readonly tripWire: TripWire
}

export interface Check {
  readonly name: string
  run(t: Test, stage: Stage): Promise<void>
}

/** opencode takes ten seconds to start where two others run beside it. */
const LIMIT_MS = 120_000
const ends = ['session_completed', 'session_failed', 'session_cancelled', 'session_interrupted'] as const
export type EndEvent = EventOf<(typeof ends)[number]>

/** What agentz itself needs; all else that the test's own environment holds is kept from the agents. */
const needed = /^(XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|AGENTZ_HOME|AGENTZ_SESSION_ID)$/

export class Play {
  readonly agentz: Agentz
  readonly workingDir: string
  readonly script: string
  readonly #stage: Stage
  readonly #tag = randomBytes(4).toString('hex')
  #id = ''
  #size = -1
  #events: SessionEvent[] = []

  private constructor(t: Test, stage: Stage, script: string) {
    this.#stage = stage
    this.script = script
    const dir = tempDir(t)
    this.workingDir = join(dir, 'work')
    mkdirSync(this.workingDir)
    const env = prepareAgent(stage.agent, dir, { model: `${stage.mock.url}/${this.#tag}`, proxy: stage.tripWire.url })
    this.agentz = new Agentz(t, ensureHome(homePaths(join(dir, 'agentz'))), env)
    for (const name of Object.keys(this.agentz.env)) {
      if (!(name in env) && !needed.test(name)) delete this.agentz.env[name]
    }
    t.teardown(async () => {
      if (this.#id !== '') await run('systemctl', ['--user', 'stop', `agentz-session-${this.#id}.service`])
    })
  }

  /** Starts a session whose prompt is a script of the mock model. */
  static async begin(t: Test, stage: Stage, script: string, ...flags: string[]): Promise<Play> {
    const play = new Play(t, stage, script)
    const prompt = `MOCK: ${script}`
    const { status, stdout, stderr } = await play.#agentz(
      'run',
      '--json',
      '-a',
      stage.agent,
      '-C',
      play.workingDir,
      ...flags,
      prompt,
    )
    if (status !== 0) throw new Error(`run failed (${status}): ${stderr}`)
    play.#id = JSON.parse(stdout).sessionId
    return play
  }

  get id(): string {
    return this.#id
  }

  /** Runs a verb on the session. Other checks go on meanwhile. */
  do(verb: string, ...args: string[]): Promise<Result> {
    return this.#agentz(verb, this.#id, ...args)
  }

  async show(): Promise<{ status: string; pid?: number }> {
    const { stdout, stderr } = await this.do('show', '--json')
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout)
  }

  #agentz(...args: string[]): Promise<Result> {
    // The test runner would put itself into the process by NODE_OPTIONS.
    return run('env', ['-u', 'NODE_OPTIONS', process.execPath, cliPath, ...args], this.agentz.env)
  }

  path(name: string): string {
    return join(this.workingDir, name)
  }

  get events(): SessionEvent[] {
    const file = sessionLog(this.agentz.home, this.#id)
    const { size } = statSync(file)
    if (size !== this.#size) {
      const records = lines(readFileSync(file, 'utf8')).filter((line) => line.startsWith('{') && line.endsWith('}'))
      this.#events = records.map((line) => JSON.parse(line) as SessionEvent)
      this.#size = size
    }
    return this.#events
  }

  all<T extends SessionEventType>(type: T): EventOf<T>[] {
    return this.events.filter((event): event is EventOf<T> => event.type === type)
  }

  /** What the agent has said, in whole blocks. */
  get texts(): string[] {
    return this.all('text').flatMap(({ content, partial }) => (content === undefined || partial ? [] : [content]))
  }

  /** The ends so far; a session that is sent a message has several. */
  get ends(): EndEvent[] {
    return this.events.filter((event): event is EndEvent => ends.some((type) => type === event.type))
  }

  /** Waits for an event that passes; if the session ends without it, it will not come. */
  async until<T extends SessionEventType>(
    type: T,
    test: (event: EventOf<T>) => boolean = () => true,
  ): Promise<EventOf<T>> {
    const found = () => this.all(type).find(test)
    const before = this.ends.length
    await this.wait(() => found() !== undefined || this.ends.length > before, `there is ${type}`)
    const event = found()
    if (event === undefined) throw new Error(`the session ended without ${type}:\n${this.story()}`)
    return event
  }

  /** Waits for the `n`th end. */
  async end(n = 1): Promise<EndEvent> {
    await this.wait(() => this.ends.length >= n, 'the session ends')
    return this.ends[n - 1]!
  }

  /** Says yes to all that is asked until the session ends. */
  async approveAll(): Promise<EndEvent> {
    const before = this.ends.length
    const tried = new Set<string>()
    await this.wait(async () => {
      for (const { requestId } of this.all('approval_request')) {
        if (tried.has(requestId) || this.isSettled(requestId)) continue
        tried.add(requestId)
        await this.do('approve', requestId)
      }
      return this.ends.length > before
    }, 'the session ends, with yes to all')
    return this.ends[before]!
  }

  isSettled(id: string): boolean {
    return [...this.all('approval_response'), ...this.all('approval_voided')].some(({ requestId }) => requestId === id)
  }

  async streams(): Promise<void> {
    await this.until('text', ({ partial }) => partial === true)
  }

  /** Waits for a condition, and tells the session's story if it does not come. */
  async wait(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
    await until(condition, what, LIMIT_MS).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.story()}`)
    })
  }

  appears(name: string): Promise<void> {
    return this.wait(() => existsSync(this.path(name)), `${name} is made`)
  }

  /** Turns of this session that the model was asked for; requests on the side are not among them. */
  async requests(): Promise<ModelRequest[]> {
    const all = await this.#stage.mock.requests()
    return all.filter(({ path, tools = [] }) => path.startsWith(`/${this.#tag}/`) && tools.length > 0)
  }

  /** The processes of the session, by the mark in their environment. */
  marked(): number[] {
    return processesWith('environ', `AGENTZ_SESSION_ID=${this.#id}\0`)
  }

  /** The file without its noise, for people who look at a failure. */
  story(): string {
    const told = this.events.filter((event) => !('partial' in event && event.partial))
    return told.map((event) => JSON.stringify(event).slice(0, 400)).join('\n')
  }
}

/** The agent has gone on with its own conversation; one that loses it begins anew, and says so. */
export function sameConversation(t: Test, play: Play, { can }: Stage): void {
  const sessions = play.all('agent_session')
  const lost = sessions.some(({ anew }) => anew)
  if (lost) t.ok(can.losesYoungHistory, `its history is lost:\n${play.story()}`)
  else t.equal(new Set(sessions.map(({ nativeId }) => nativeId)).size, 1, 'the same conversation')
}

/** Runs a program to its end. */
function run(program: string, args: string[], env?: NodeJS.ProcessEnv): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...(env && { env }), stdio: ['ignore', 'pipe', 'pipe'] })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (data) => {
      stdout += data
    })
    child.stderr.on('data', (data) => {
      stderr += data
    })
    child.once('error', reject)
    child.once('close', (status) => resolve({ status, stdout, stderr }))
  })
}

/** The processes in whose environment or arguments a text stands. */
export function processesWith(file: 'environ' | 'cmdline', text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && contentOf(`/proc/${name}/${file}`).includes(text))
    .map(Number)
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    // It has ended since it was listed, or it is somebody else's.
    return ''
  }
}
