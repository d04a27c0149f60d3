/** A launchd of a test's own, and a `launchctl` to put before PATH that asks it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { shellWords } from '../../src/base/shell.js'
import { killAll, killMarked, treeOf } from '../../src/base/tree.js'
import { tempDir, until } from '../helpers/home.js'
import { program } from '../helpers/program.js'
import type { Setting } from './launchd.js'

export interface Options {
  /** Whether somebody is logged in at the screen. */
  readonly gui?: boolean
  /** How long a second lasts for which launchd itself waits, in milliseconds. */
  readonly secondMs?: number
  /** The HOME of its jobs. */
  readonly home?: string
}

/** The program that people and agentz run. Where nobody answers, the machine is about to go down. */
const launchctl = (socket: string): string => `#!/bin/sh
answer=$(printf '%s\\0' "$@" | curl -s --unix-socket ${shellWords([socket])} --data-binary @- http://launchd/) || {
  echo 'Could not contact launchd' >&2
  exit 112
}
eval "$answer"
`

export class StandIn {
  /** Where its `launchctl` is. */
  readonly bin: string
  readonly uid = process.getuid?.() ?? 0
  readonly #test: Test
  readonly #dir: string
  readonly #options: Options
  readonly #sessions = new Set<string>()
  #process: ChildProcess | undefined
  #ended: Promise<unknown> = Promise.resolve()

  constructor(t: Test, options: Options = {}) {
    this.#test = t
    this.#options = options
    this.#dir = tempDir(t)
    this.bin = join(this.#dir, 'bin')
    mkdirSync(this.bin)
  }

  /** What programs need to be its users: also its jobs get it, in so far as launchd hands anything on. */
  get env(): NodeJS.ProcessEnv {
    // A Mac has no such directory.
    return { PATH: `${this.bin}:${process.env.PATH}`, AGENTZ_SUPERVISOR: 'launchd', XDG_RUNTIME_DIR: '' }
  }

  get domain(): string {
    return `${this.#options.gui === false ? 'user' : 'gui'}/${this.uid}`
  }

  /** Starts it, the first time or again. */
  async start(): Promise<void> {
    const socket = join(this.#dir, 'launchd.sock')
    rmSync(socket, { force: true })
    const main = await program(this.#dir, "import './test/launchctl/main.ts'", 'main')
    writeFileSync(join(this.bin, 'launchctl'), launchctl(socket), { mode: 0o755 })
    const { username, shell } = userInfo()
    const setting: Setting = {
      uid: this.uid,
      gui: this.#options.gui ?? true,
      secondMs: this.#options.secondMs ?? 100,
      around: {
        HOME: this.#options.home ?? homedir(),
        LOGNAME: username,
        USER: username,
        SHELL: shell ?? '/bin/sh',
        TMPDIR: tmpdir(),
        // launchd's own, and where launchctl is; on a Mac that is /bin.
        PATH: `${this.bin}:/usr/bin:/bin:/usr/sbin:/sbin`,
      },
    }
    const argv = ['-u', 'NODE_OPTIONS', process.execPath, main, socket, JSON.stringify(setting)]
    const launchd = spawn('env', argv, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#process = launchd
    this.#ended = new Promise((resolve) => launchd.once('close', resolve))
    this.#test.teardown(() => this.end())
    let said = ''
    launchd.stdout.on('data', (data) => {
      said += data
      for (const [, id] of said.matchAll(/^loaded agentz\.session\.(\S+)$/gm)) this.#sessions.add(id!)
    })
    await until(() => said.startsWith('ready\n') || launchd.exitCode !== null, 'the stand-in for launchd is there')
    if (launchd.exitCode !== null) throw new Error(`the stand-in for launchd ended with ${launchd.exitCode}`)
  }

  /** Ends it as a log-out or a shutdown does: its jobs are told to end, and have their time for it. */
  async end(): Promise<void> {
    const tree = this.#tree()
    this.#process?.stdin?.end()
    await this.#ended
    await this.#sweep(tree)
  }

  /** Ends it and all its jobs as the loss of power does. */
  async kill(): Promise<void> {
    const tree = this.#tree()
    this.#process?.kill('SIGKILL')
    await this.#sweep(tree)
    await this.#ended
  }

  #tree() {
    return this.#process?.pid === undefined ? [] : treeOf([this.#process.pid])
  }

  /** launchd leaves a process that made a session of its own alone; no test may. */
  async #sweep(tree: ReturnType<typeof treeOf>): Promise<void> {
    await killAll(tree)
    for (const id of this.#sessions) await killMarked(id)
  }
}
