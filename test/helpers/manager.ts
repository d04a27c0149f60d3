/** A user manager of a test's own, which can be ended, killed and started again over one AGENTZ_HOME (scripts/with-user-manager). */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { root } from './agentz.js'
import { tempDir, until } from './home.js'

/** Where hierarchies of cgroups may be mounted: the only one, or those of a hybrid. */
const mounts = ['', 'systemd', 'unified', 'memory', 'pids', 'cpu']

export class Manager {
  readonly runtime: string
  readonly #test: Test
  #ended: Promise<number | null> | undefined
  #holder: ChildProcess | undefined
  #pid = 0
  #cgroup = ''

  constructor(t: Test) {
    this.#test = t
    this.runtime = tempDir(t)
  }

  /** Needs root. Starts it, the first time or again; `bootId` is what it and all in it take for the boot of the machine. */
  async start({ bootId, home }: { bootId?: string; home?: string } = {}): Promise<void> {
    const boot: string[] = []
    if (bootId !== undefined) {
      const file = join(tempDir(this.#test), 'boot_id')
      writeFileSync(file, `${bootId}\n`)
      boot.push('--boot-id', file)
    }
    if (home !== undefined) boot.push('--home', home)
    // It lives until the standard input of `cat` ends.
    const hold = ['sh', '-c', 'echo "manager $MANAGER_PID $MANAGER_CGROUP"; exec cat']
    const argv = [join(root, 'scripts/with-user-manager'), '--new', '--runtime', this.runtime, ...boot, ...hold]
    const env = { ...process.env, NODE_OPTIONS: '' }
    const holder = spawn(argv[0]!, argv.slice(1), { env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#holder = holder
    this.#ended = new Promise((resolve) => holder.once('close', resolve))
    this.#test.teardown(() => this.end())
    let said = ''
    holder.stdout.on('data', (data) => {
      said += data
    })
    const told = () => /^manager (\d+) (\S+)$/m.exec(said)
    await until(() => told() !== null || holder.exitCode !== null, 'the manager is there')
    this.#pid = Number(told()?.[1])
    this.#cgroup = told()?.[2] ?? ''
    if (this.#cgroup === '') throw new Error(`no manager: exit status ${holder.exitCode}`)
  }

  /** What programs need to find it. */
  get env(): NodeJS.ProcessEnv {
    return { XDG_RUNTIME_DIR: this.runtime, DBUS_SESSION_BUS_ADDRESS: `unix:path=${this.runtime}/bus` }
  }

  /** What comes before a command line that is to see what the manager sees of the machine. */
  get inside(): readonly string[] {
    return ['nsenter', '-t', String(this.#pid), '-m', `--wd=${root}`, '--']
  }

  /** Ends it as a log-out does: by SIGTERM, upon which it stops its units. */
  async end(): Promise<void> {
    this.#holder?.stdin?.end()
    const status = await this.#ended
    if (status !== undefined && status !== 0) throw new Error(`the manager did not end well: ${status}`)
  }

  /** Kills it and all that it runs, as a crash does: nobody is left who could write a last word. */
  async kill(): Promise<void> {
    process.kill(this.#pid, 'SIGKILL')
    // Stopped first, so that none sees another one die.
    for (const signal of ['SIGSTOP', 'SIGKILL'] as const) for (const pid of this.#members()) send(pid, signal)
    await until(() => {
      const left = this.#members()
      for (const pid of left) send(pid, 'SIGKILL')
      return left.length === 0
    }, 'nothing of the manager is left')
    await this.end()
  }

  #members(): number[] {
    const pids = new Set<number>()
    const visit = (directory: string) => {
      for (const pid of readFileSync(join(directory, 'cgroup.procs'), 'latin1').split('\n')) pids.add(Number(pid))
      for (const entry of readdirSync(directory, { withFileTypes: true }))
        if (entry.isDirectory()) visit(join(directory, entry.name))
    }
    for (const mount of mounts) {
      const directory = join('/sys/fs/cgroup', mount, this.#cgroup)
      if (existsSync(directory)) visit(directory)
    }
    return [...pids].filter((pid) => pid > 0)
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It has ended meanwhile, which is what is wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
