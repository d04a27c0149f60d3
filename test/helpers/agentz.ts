/** The built command line and the real user manager, for tests that go the whole way. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type Home, sessionLog } from '../../src/base/paths.js'
import type { Loose } from '../../src/session/life.js'
import { newHome, until } from './home.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))
export const cliPath = `${root}dist/cli.cjs`

/** scripts/test brings a manager; without one these tests fail, since nothing else shows what they show. */
export function requireManager(): void {
  if (!existsSync(cliPath)) throw new Error('dist/ is not built: npm run build')
  // Its launchd always answers; what needs systemd is skipped there.
  if (process.platform === 'darwin') return
  const { stdout } = spawnSync('systemctl', ['--user', 'is-system-running'], { encoding: 'utf8' })
  if (!/running|degraded|starting/.test(stdout ?? '')) {
    throw new Error('no user manager answers: run the tests by scripts/test, or under scripts/with-user-manager')
  }
}

export interface Result {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly sessionId: string
  readonly unit: string
  readonly log: string
}

/** agentz with an AGENTZ_HOME of its own; its sessions end with the test, each by its unit. */
export class Agentz {
  readonly home: Home
  readonly env: NodeJS.ProcessEnv
  readonly #units = new Set<string>()

  constructor(t: Test, home: Home = newHome(t), env: NodeJS.ProcessEnv = {}) {
    this.home = home
    this.env = { ...process.env, NODE_OPTIONS: '', AGENTZ_SESSION_ID: '', AGENTZ_HOME: home.root, ...env }
    t.teardown(() => {
      // Also those whose unit nobody has printed, and what their failure has started: both still write into the home, which goes away now.
      const all = existsSync(home.sessions) ? readdirSync(home.sessions) : []
      const ids = all.flatMap((name) => (name.endsWith('.ndjson') ? [name.slice(0, -'.ndjson'.length)] : []))
      for (const id of ids) this.#units.add(`agentz-session-${id}.service`)
      for (const units of [
        [...this.#units],
        ids.flatMap((id) => [`agentz-failed@${id}.service`, `agentz-ended@${id}.service`]),
      ]) {
        if (units.length > 0) spawnSync('systemctl', ['--user', 'stop', ...units], { stdio: 'ignore', env: this.env })
      }
    })
  }

  /** Runs a verb to its end. */
  do(...args: string[]): Result {
    return this.with({}, ...args)
  }

  with(options: { input?: string | Buffer; cwd?: string; env?: NodeJS.ProcessEnv }, ...args: string[]): Result {
    const { status, stdout, stderr } = spawnSync(process.execPath, [cliPath, ...args], {
      input: options.input,
      cwd: options.cwd,
      env: { ...this.env, ...options.env },
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      timeout: 60_000,
    })
    const id = /"unit":"(agentz-session-[0-9a-f]{12}\.service)"/.exec(stdout)
    if (id?.[1]) this.#units.add(id[1])
    return { status, stdout, stderr }
  }

  /** Starts a verb and leaves it running. */
  spawn(args: string[]) {
    return spawn(process.execPath, [cliPath, ...args], { env: this.env, stdio: ['ignore', 'pipe', 'pipe'] })
  }

  /** Starts a server on a free port, which is killed with the test. */
  async serve(t: Test): Promise<{ child: ChildProcess; url: string; socketPath: string }> {
    const child = this.spawn(['serve', '--port', '0', '--json'])
    t.teardown(() => child.kill('SIGKILL'))
    child.stderr.resume()
    let out = ''
    child.stdout.on('data', (data) => {
      out += data
    })
    await until(() => out.includes('\n'), 'the server listens')
    return { child, ...JSON.parse(out) }
  }

  /** Starts a session. @throws what agentz said */
  run(...args: string[]): Running {
    const result = this.do('run', '--json', ...args)
    if (result.status !== 0) throw new Error(`run failed (${result.status}): ${result.stderr}`)
    return JSON.parse(result.stdout)
  }

  /** A `command` session that prints `tick` for ever, and has printed it once. */
  async ticking(...flags: string[]): Promise<Running> {
    const session = this.run(...flags, '-a', 'command', '--', 'sh', '-c', 'while :; do echo tick; sleep 0.05; done')
    await this.until(session.sessionId, (events) => events.some(({ content }) => content === 'tick'), 'it ticks')
    // The registry is told of a start while the agent runs already.
    const known = () => this.registry(session.sessionId).some(({ type }) => type === 'daemon_started')
    await until(known, 'the registry knows that it runs')
    return session
  }

  events(id: string): Loose[] {
    return records(sessionLog(this.home, id))
  }

  registry(id?: string): Loose[] {
    const all = existsSync(this.home.registry) ? records(this.home.registry) : []
    return id === undefined ? all : all.filter(({ sessionId }) => sessionId === id)
  }

  show(id: string): Loose & { status: string; pid?: number; cause?: Loose } {
    const { stdout, stderr } = this.do('show', id, '--json')
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout)
  }

  ls(): (Loose & { sessionId: string; status: string })[] {
    return lines(this.do('ls', '--json').stdout).map((line) => JSON.parse(line))
  }

  async until(id: string, condition: (events: Loose[]) => boolean, what: string, limitMs?: number): Promise<Loose[]> {
    await until(() => condition(this.events(id)), what, limitMs).catch((error) => {
      const told = this.events(id).map(({ type, timestamp, epoch, result }) =>
        [type, timestamp, epoch, result].join(' '),
      )
      throw new Error(`${error.message}; there is:\n${told.join('\n')}`)
    })
    return this.events(id)
  }

  /** Waits for a type of event in the session's file. */
  async untilType(id: string, type: string, limitMs?: number): Promise<Loose> {
    const events = await this.until(id, (all) => all.some((event) => event.type === type), `there is ${type}`, limitMs)
    return events.find((event) => event.type === type)!
  }
}

export const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

const records = (path: string): Loose[] =>
  lines(readFileSync(path, 'utf8'))
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line))

export const systemctl = (...args: string[]): string =>
  execFileSync('systemctl', ['--user', ...args], { encoding: 'utf8' })

export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
