/**
 * Sessions as jobs of launchd, in the domain of the login at the screen, or of the user where there is none. Each is a keeper, which runs
 * the daemon and behind it the reaper. Proved by a stand-in for launchd in the tests; never run on a Mac so far.
 */
import { closeSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { readConfig } from '../../base/config.js'
import { AgentzError } from '../../base/errors.js'
import { type Home, launchdDirectory, launchdLog, launchdPlist, privateDirectory } from '../../base/paths.js'
import { argumentsOf } from '../../base/proc.js'
import { programs } from '../../base/programs.js'
import { shellWords } from '../../base/shell.js'
import { killAll, killMarked, treeOf } from '../../base/tree.js'
import { withLock } from '../../log/lock.js'
import { isId } from '../../session/id.js'
import type { Spec } from '../../session/spec.js'
import { refuseFleetCaps } from '../limits.js'
import type { AtLogin, Exit, Promises, Supervisor, UnitDetail, UnitState } from '../supervisor.js'
import { launchdAtLogin } from './at-login.js'
import { labelOf, PREFIX, STOP_SECONDS, sessionJob } from './job.js'
import { bootout, bootstrap, domainsOf, kickstart, printDomain, printJob } from './launchctl.js'
import { plistText } from './plist.js'
import type { Job } from './print.js'

/** A label that was unloaded is free again after about 5 s. */
const PATIENCE_MS = 10_000
const LOOK_AGAIN_MS = 100

interface Loaded {
  readonly domain: string
  readonly job: Job
}

export class LaunchdSupervisor implements Supervisor {
  readonly name = 'launchd'
  readonly promises: Promises = {
    restarts: true,
    limits: [],
    lastWord: false,
    caveat: 'launchd: memory, CPU and processes are not limited, and a daemon that hangs is not noticed',
  }
  readonly atLogin: AtLogin
  readonly #home: Home
  readonly #domains: readonly string[]

  constructor(home: Home, uid: number = process.getuid?.() ?? 0) {
    this.#home = home
    this.#domains = domainsOf(uid)
    this.atLogin = launchdAtLogin(home, this.#domains)
  }

  unitName(id: string): string {
    return labelOf(id)
  }

  /** Also takes out the jobs that have ended: launchd keeps them until somebody does. */
  async prepare(): Promise<void> {
    refuseFleetCaps(this, readConfig(this.#home).fleet)
    privateDirectory(launchdDirectory(this.#home))
    for (const [id, pid] of await this.#jobs()) {
      if (pid === undefined) await this.#exclusively(() => this.#collect(id))
    }
  }

  async start(spec: Spec): Promise<void> {
    const id = spec.sessionId
    privateDirectory(launchdDirectory(this.#home))
    await this.#exclusively(async () => {
      const state = await this.#collect(id)
      if (state !== undefined)
        throw new AgentzError('UNIT_FAILED', `cannot start ${labelOf(id)}: it is ${state.sub} already`)
      // Of a daemon that was killed together with its keeper, tools may be left.
      await killMarked(id)
      this.#write(spec)
      const domain = await this.#load(id)
      // While a login comes up or ends, launchd loads jobs and does not start them.
      const job = (await this.#find(id))?.job
      if (job?.runs === 0 && stateOf(job) === undefined) await kickstart(domain, labelOf(id))
    })
  }

  /** The keeper stays until the last word is written: a daemon that does not end is killed alone. */
  async stop(id: string): Promise<void> {
    const loaded = await this.#find(id)
    const keeper = loaded?.job.pid
    // Before it ends: a tool in a process group of its own is below nothing any more once its parents are gone.
    const tree = keeper === undefined ? [] : treeOf([keeper]).filter(({ pid }) => pid !== keeper)
    if (loaded !== undefined) {
      await bootout(loaded.domain, labelOf(id))
      if (!(await this.#gone(id, STOP_SECONDS * 1000))) await killAll(tree)
      if (!(await this.#gone(id, STOP_SECONDS * 1000 + PATIENCE_MS))) throw notGone(id)
    }
    await killAll(tree)
    await killMarked(id)
  }

  async list(): Promise<Map<string, UnitState>> {
    const states = new Map<string, UnitState>()
    for (const [id, pid] of await this.#jobs()) {
      const state = pid === undefined ? await this.show(id) : { active: 'active', sub: 'running' }
      if (state !== undefined) states.set(id, { active: state.active, sub: state.sub })
    }
    return states
  }

  async show(id: string): Promise<UnitDetail | undefined> {
    const job = (await this.#find(id))?.job
    const state = job && stateOf(job)
    const keeper = job?.pid
    if (state === undefined || keeper === undefined) return state
    const isDaemon = (pid: number) => pid !== keeper && argumentsOf(pid).includes(programs.daemon)
    return { ...state, pid: treeOf([keeper]).find(({ pid }) => isDaemon(pid))?.pid }
  }

  /** launchd has nothing that holds a whole session still, and SIGSTOP does not reach a tool that hides. */
  async freezer(id: string): Promise<undefined> {
    if ((await this.show(id)) === undefined) return
    throw new AgentzError('UNSUPPORTED', `cannot freeze ${labelOf(id)}: launchd has no freezer`)
  }

  async lastExit(id: string): Promise<Exit | undefined> {
    return (await this.#find(id))?.job.exit
  }

  howToStart(spec: Spec): string {
    const directory = shellWords(['mkdir', '-p', '-m', '700', launchdDirectory(this.#home)])
    const path = launchdPlist(this.#home, spec.sessionId)
    const file = shellWords(['printf', '%s', this.#plist(spec)])
    const load = shellWords(['launchctl', 'bootstrap', this.#domains[0]!, path])
    return `${directory}\n(umask 077; ${file} > ${shellWords([path])})\n${load}`
  }

  /** At a log-out the domain goes away, and with it all that is known of the job. Never seen on a Mac so far. */
  async isStoppedAlone(id: string): Promise<boolean> {
    try {
      return (await this.#find(id)) !== undefined
    } catch (error) {
      if (error instanceof AgentzError && error.code === 'NO_MANAGER') return false
      throw error
    }
  }

  howToLook(id: string): string {
    const job = `${this.#domains[0]}/${labelOf(id)}`
    return `${shellWords(['launchctl', 'print', job])}\n${shellWords(['tail', launchdLog(this.#home, id)])}`
  }

  #plist(spec: Spec): string {
    return plistText(sessionJob(spec, this.#home))
  }

  /** The file that launchd reads; and its log, which launchd itself would make by the umask of the job at best. */
  #write(spec: Spec): void {
    const path = launchdPlist(this.#home, spec.sessionId)
    writeFileSync(`${path}.new`, this.#plist(spec), { mode: 0o600 })
    renameSync(`${path}.new`, path)
    closeSync(openSync(launchdLog(this.#home, spec.sessionId), 'a', 0o600))
  }

  /** @returns the domain that has taken it. @throws UNIT_FAILED, NO_MANAGER */
  async #load(id: string): Promise<string> {
    const plist = launchdPlist(this.#home, id)
    const end = performance.now() + PATIENCE_MS
    for (const domain of this.#domains) {
      for (;;) {
        const answer = await bootstrap(domain, plist)
        if (answer === 'loaded') return domain
        if (answer === 'no domain') break
        if (performance.now() > end) throw refused(domain, plist)
        const state = await this.#collect(id, false)
        if (state !== undefined)
          throw new AgentzError('UNIT_FAILED', `cannot start ${labelOf(id)}: it is ${state.sub} already`)
        await delay(LOOK_AGAIN_MS)
      }
    }
    throw noDomain(this.#domains)
  }

  /** Takes out the job of a session that has ended, its files too. @returns the state of one that runs, or will */
  async #collect(id: string, files = true): Promise<UnitState | undefined> {
    const loaded = await this.#find(id)
    if (loaded === undefined) return undefined
    const state = stateOf(loaded.job)
    if (state !== undefined) return state
    await bootout(loaded.domain, labelOf(id))
    if (!(await this.#gone(id, PATIENCE_MS))) throw notGone(id)
    if (files) this.#forget(id)
    return undefined
  }

  /** What a daemon has said stays, where it has said something. */
  #forget(id: string): void {
    rmSync(launchdPlist(this.#home, id), { force: true })
    const log = launchdLog(this.#home, id)
    if (statSync(log, { throwIfNoEntry: false })?.size === 0) rmSync(log, { force: true })
  }

  /** @returns whether it was within this time */
  async #gone(id: string, ms: number): Promise<boolean> {
    for (const end = performance.now() + ms; (await this.#find(id)) !== undefined; await delay(LOOK_AGAIN_MS)) {
      if (performance.now() > end) return false
    }
    return true
  }

  /** @throws NO_MANAGER if there is no domain to ask */
  async #find(id: string): Promise<Loaded | undefined> {
    let asked = false
    for (const domain of this.#domains) {
      const job = await printJob(domain, labelOf(id))
      if (job === 'no domain') continue
      if (job !== undefined) return { domain, job }
      asked = true
    }
    if (!asked) throw noDomain(this.#domains)
    return undefined
  }

  /** Our jobs in all domains, with the process of each that has one. @throws NO_MANAGER if there is no domain */
  async #jobs(): Promise<Map<string, number | undefined>> {
    const domains = (await Promise.all(this.#domains.map(printDomain))).filter((jobs) => jobs !== undefined)
    if (domains.length === 0) throw noDomain(this.#domains)
    const ours = domains.flatMap((jobs) => [...jobs]).filter(([label]) => label.startsWith(PREFIX))
    return new Map(ours.map(([label, pid]) => [label.slice(PREFIX.length), pid] as const).filter(([id]) => isId(id)))
  }

  /** Whoever takes out a job that has ended must not meet one that has just been loaded under the same label. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    return withLock(launchdDirectory(this.#home), work)
  }
}

/** In systemd's words; undefined for a job that has ended and stays loaded. */
function stateOf({ state, pid }: Job): UnitState | undefined {
  if (/^SIG[A-Z]+ed$/.test(state)) return { active: 'deactivating', sub: state }
  if (pid !== undefined) return { active: 'active', sub: state }
  return /^(spawn scheduled|throttled|xpcproxy|spawning)$/.test(state)
    ? { active: 'activating', sub: 'auto-restart' }
    : undefined
}

const refused = (domain: string, plist: string) =>
  new AgentzError('UNIT_FAILED', `launchd does not take ${plist} into ${domain}: error 5, which has many causes`, {
    hint: `\`plutil -lint ${plist}\` checks the file; it must belong to you, on a local disk.`,
  })

const notGone = (id: string) =>
  new AgentzError('UNIT_FAILED', `${labelOf(id)} does not go away after \`launchctl bootout\``, {
    hint: `\`launchctl print gui/$(id -u)/${labelOf(id)}\` shows what it waits for.`,
  })

const noDomain = (domains: readonly string[]) =>
  new AgentzError('NO_MANAGER', `launchd has neither of the domains ${domains.join(' and ')}`, {
    hint: 'Log in at the screen of this Mac, or through ssh, as the user whose sessions these are.',
  })
