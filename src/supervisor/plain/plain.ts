/**
 * Sessions as processes of their own, on machines that have neither systemd nor launchd: containers, small distributions. It
 * promises less, and says so.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../../base/config.js'
import { AgentzError, reason } from '../../base/errors.js'
import { type Home, plainDirectory, plainLog, privateDirectory } from '../../base/paths.js'
import type { Member } from '../../base/proc.js'
import { programs } from '../../base/programs.js'
import { shellWords } from '../../base/shell.js'
import { killAll, killMarked, signalAll, treeOf } from '../../base/tree.js'
import { withLock } from '../../log/lock.js'
import type { Spec } from '../../session/spec.js'
import { refuseFleetCaps } from '../limits.js'
import type { Promises, Supervisor, UnitDetail, UnitState } from '../supervisor.js'
import { type Carrier, Claims } from './claims.js'
import { becomeOnly } from './only.js'

/** Between SIGTERM and SIGKILL, as TimeoutStopSec= of the systemd unit; and then for the last word. */
const STOP_MS = 20_000
const LAST_WORD_MS = 10_000
const LOOK_AGAIN_MS = 20

/** What a daemon needs to know of the place that it runs in; its agent has the environment of its session. */
const handedOn = /^(HOME|USER|LOGNAME|PATH|LANG|LC_.*|TZ|TMPDIR|XDG_RUNTIME_DIR)$/

const unitName = (id: string): string => `agentz-plain-${id}`

export class PlainSupervisor implements Supervisor {
  readonly name = 'plain'
  readonly promises: Promises = {
    restarts: false,
    limits: [],
    lastWord: false,
    caveat:
      'plain supervisor: a daemon that dies is not started again (`agentz recover` does it), memory, CPU and processes are not ' +
      'limited, and sessions end with this machine, maybe with your log-out',
  }
  readonly #home: Home
  readonly #claims: Claims
  readonly #stopMs: number

  constructor(home: Home, stopMs = STOP_MS) {
    this.#home = home
    this.#stopMs = stopMs
    this.#claims = new Claims(home)
  }

  unitName(id: string): string {
    return unitName(id)
  }

  async prepare(): Promise<void> {
    refuseFleetCaps(this, readConfig(this.#home).fleet)
    privateDirectory(plainDirectory(this.#home))
  }

  async start(spec: Spec): Promise<void> {
    const id = spec.sessionId
    privateDirectory(plainDirectory(this.#home))
    await withLock(plainDirectory(this.#home), async () => {
      const state = await this.show(id)
      if (state !== undefined)
        throw new AgentzError('UNIT_FAILED', `cannot start ${unitName(id)}: it is ${state.sub} already`, {
          hint: `\`agentz show ${id}\` shows it.`,
        })
      this.#claims.sweep()
      // Of a daemon that was killed together with its keeper, tools may be left.
      await killMarked(id)
      const { pid } = await this.#spawn(id)
      // Whoever looks now finds it; the daemon would say so too, some milliseconds later.
      if (pid !== undefined) this.#claims.make(id, 'keeper', pid)
    })
  }

  async #spawn(id: string): Promise<ChildProcess> {
    const log = openSync(plainLog(this.#home, id), 'a', 0o600)
    try {
      const [shell, ...args] = keeperArgv(id)
      const env = { ...environment(process.env), AGENTZ_HOME: this.#home.root, AGENTZ_SUPERVISOR: this.name }
      const child = spawn(shell, args, { detached: true, cwd: '/', env, stdio: ['ignore', log, log] })
      await new Promise((resolve, reject) => {
        child.once('spawn', resolve)
        child.once('error', reject)
      })
      child.unref()
      return child
    } catch (error) {
      throw new AgentzError('UNIT_FAILED', `cannot start ${unitName(id)}: ${reason(error)}`, {
        cause: error,
        hint: 'Look for limits of processes, files and memory (ulimit -a); then try again.',
      })
    } finally {
      closeSync(log)
    }
  }

  /** The daemon is asked, and after 20 s killed with all below it; its keeper stays, and has the last word written. */
  async stop(id: string): Promise<void> {
    const members = () => membersOf(this.#claims.carriers().get(id))
    const { keeper, daemon } = this.#claims.carriers().get(id) ?? {}
    const tree = treeOf(members().map(({ pid }) => pid))
    signalAll(membersOf({ keeper: daemon === undefined ? keeper : undefined, daemon }), 'SIGTERM')
    const gone = async (ms: number) => {
      for (const end = performance.now() + ms; members().length > 0 && performance.now() < end; ) {
        await delay(LOOK_AGAIN_MS)
      }
      return members().length === 0
    }
    if (!(await gone(this.#stopMs))) {
      await killAll(tree.filter(({ pid }) => pid !== keeper?.pid))
      await gone(LAST_WORD_MS)
    }
    await killAll([...members(), ...tree])
    await killMarked(id)
  }

  async list(): Promise<Map<string, UnitState>> {
    return new Map([...this.#claims.carriers()].map(([id, carrier]) => [id, stateOf(carrier)]))
  }

  async show(id: string): Promise<UnitDetail | undefined> {
    const carrier = this.#claims.carriers().get(id)
    return carrier && { ...stateOf(carrier), pid: carrier.daemon?.pid }
  }

  async freezer(id: string): Promise<undefined> {
    if ((await this.show(id)) === undefined) return
    throw new AgentzError('UNSUPPORTED', `cannot freeze ${unitName(id)}: it has no control group of its own`)
  }

  /** Its keeper's reaper was told, and nobody else. */
  async lastExit(): Promise<undefined> {}

  async isOnly(id: string): Promise<boolean> {
    return becomeOnly(this.#claims, id)
  }

  howToStart({ sessionId }: Spec): string {
    const detach = process.platform === 'darwin' ? 'nohup' : 'setsid'
    const variables = [`AGENTZ_HOME=${this.#home.root}`, `AGENTZ_SUPERVISOR=${this.name}`]
    const argv = [detach, 'env', '-u', 'AGENTZ_SESSION_ID', ...variables, ...keeperArgv(sessionId)]
    const directory = shellWords([plainDirectory(this.#home)])
    const log = shellWords([plainLog(this.#home, sessionId)])
    return `(umask 077; mkdir -p ${directory}; ${shellWords(argv)} < /dev/null >> ${log} 2>&1 &)`
  }

  howToLook(id: string): string {
    return `ps -axo pid,ppid,stat,etime,args | grep '[k]eep-session.*${id}\\|[d]aemon.cjs ${id}'\n${shellWords(['tail', plainLog(this.#home, id)])}`
  }
}

/** Of the session, nothing but its id: ps(1) shows arguments to everybody. */
const keeperArgv = (id: string): [string, ...string[]] => [
  '/bin/sh',
  programs.keeper,
  programs.node,
  programs.daemon,
  programs.reaper,
  id,
]

const environment = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => handedOn.test(name)))

const membersOf = ({ keeper, daemon }: Partial<Carrier> = {}): Member[] => [keeper ?? [], daemon ?? []].flat()

/** In systemd's words. A daemon whose keeper was killed runs on, and has nobody for the last word. */
function stateOf({ daemon, isOver }: Carrier): UnitState {
  if (daemon !== undefined) return { active: 'active', sub: 'running' }
  return isOver ? { active: 'deactivating', sub: 'stop-post' } : { active: 'activating', sub: 'start' }
}
