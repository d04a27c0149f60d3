/** The stand-in for launchd: its domains, and what launchctl(1) may ask of them. The error numbers are those of `launchctl error`. */
import { Job, type Surroundings } from './job.js'
import { readJob } from './keys.js'
import { ofDomain, ofJob } from './words.js'

export interface Answer {
  readonly status: number
  readonly stdout?: string
  readonly stderr?: string
}

export interface Setting {
  readonly uid: number
  /** Whether somebody is logged in at the screen. */
  readonly gui: boolean
  readonly around: Surroundings
  /** How long a second of its own waits lasts, in milliseconds: of ThrottleInterval, and of a label that is on its way out. */
  readonly secondMs: number
}

/** Told of each job that is loaded. */
export type OnLoaded = (label: string) => void

interface Domain {
  readonly name: string
  /** What LimitLoadToSessionType calls it. */
  readonly session: string
  readonly jobs: Map<string, Job>
  readonly disabled: Set<string>
  /** Labels that were just unloaded. */
  readonly leaving: Set<string>
}

const failed = (status: number, stderr: string): Answer => ({ status, stderr: `${stderr}\n` })
const done: Answer = { status: 0 }
const TAKEN_SECONDS = 5
/** bootout answers that it is on its way when the job is not gone by then. */
const PATIENCE_MS = 500

export class Launchd {
  readonly #setting: Setting
  readonly #onLoaded: OnLoaded
  readonly #domains = new Map<string, Domain>()

  constructor(setting: Setting, onLoaded: OnLoaded) {
    this.#setting = setting
    this.#onLoaded = onLoaded
    const { uid, gui } = setting
    const names: [string, string][] = [
      [`user/${uid}`, 'Background'],
      ...(gui ? [[`gui/${uid}`, 'Aqua'] as [string, string]] : []),
    ]
    for (const [name, session] of names)
      this.#domains.set(name, { name, session, jobs: new Map(), disabled: new Set(), leaving: new Set() })
  }

  async answer([verb = '', ...args]: readonly string[]): Promise<Answer> {
    const flags = args.filter((arg) => arg.startsWith('-'))
    const words = args.filter((arg) => !arg.startsWith('-'))
    const [first = ''] = words
    if (verb === 'bootstrap') return this.#bootstrap(first, words[1] ?? '')
    if (verb === 'bootout') return this.#bootout(first)
    if (verb === 'print') return this.#print(first)
    if (verb === 'kickstart') return this.#kickstart(first, flags)
    if (verb === 'kill') return this.#kill(first, words[1] ?? '')
    if (verb === 'enable' || verb === 'disable') return this.#able(first, verb === 'disable')
    return failed(64, `Unrecognized subcommand: ${verb}`)
  }

  /** A log-out, or a shutdown: all jobs are told to end at once, and then there is no domain any more. */
  async end(): Promise<void> {
    const jobs = [...this.#domains.values()].flatMap((domain) => [...domain.jobs.values()])
    this.#domains.clear()
    await Promise.all(jobs.map((job) => job.end()))
  }

  #bootstrap(name: string, path: string): Answer {
    const domain = this.#domains.get(name)
    if (domain === undefined) return failed(125, 'Bootstrap failed: 125: Domain does not support specified action')
    try {
      const keys = readJob(path)
      if (domain.leaving.has(keys.Label)) return failed(37, 'Bootstrap failed: 37: Operation already in progress')
      if (domain.jobs.has(keys.Label)) throw new Error('it is loaded')
      if (domain.disabled.has(keys.Label)) throw new Error('it is disabled')
      if (!keys.LimitLoadToSessionType.includes(domain.session)) throw new Error(`it is not for ${domain.session}`)
      const job = new Job(keys, path, this.#setting.around, this.#setting.secondMs)
      domain.jobs.set(keys.Label, job)
      this.#onLoaded(keys.Label)
      job.loaded()
      return done
    } catch (error) {
      // The one number that launchd has for all of these; what comes behind it here is for who reads a failing test.
      return failed(
        5,
        `Bootstrap failed: 5: Input/output error\nTry re-running the command as root for richer errors.\n(${error})`,
      )
    }
  }

  async #bootout(target: string): Promise<Answer> {
    const { domain, job, label } = this.#find(target)
    if (domain === undefined) return failed(125, 'Boot-out failed: 125: Domain does not support specified action')
    if (job === undefined) return failed(3, 'Boot-out failed: 3: No such process')
    const gone = job.end().then(() => {
      if (domain.jobs.get(label) !== job) return
      domain.jobs.delete(label)
      domain.leaving.add(label)
      setTimeout(() => domain.leaving.delete(label), TAKEN_SECONDS * this.#setting.secondMs).unref()
    })
    const late = new Promise<Answer>((resolve) => {
      setTimeout(() => resolve(failed(36, 'Boot-out failed: 36: Operation now in progress')), PATIENCE_MS).unref()
    })
    return Promise.race([gone.then(() => done), late])
  }

  #print(target: string): Answer {
    const whole = this.#domains.get(target)
    if (whole !== undefined) return { status: 0, stdout: ofDomain(target, [...whole.jobs.values()], whole.disabled) }
    const { domain, job, label } = this.#find(target)
    if (domain === undefined) return failed(112, `Bad request.\nCould not find domain for ${target}`)
    if (job !== undefined) return { status: 0, stdout: ofJob(target, domain.name, job) }
    return failed(113, `Bad request.\nCould not find service "${label}" in domain for ${domain.name}`)
  }

  #kickstart(target: string, flags: readonly string[]): Answer {
    const { job, label } = this.#find(target)
    if (job === undefined) return failed(113, `Could not find service "${label}" in domain for ${target}`)
    if (job.pid !== undefined) return failed(37, 'Operation already in progress')
    job.start()
    return { status: 0, stdout: flags.includes('-p') ? `service spawned with pid: ${job.pid}\n` : '' }
  }

  #kill(signal: string, target: string): Answer {
    const { job, label } = this.#find(target)
    if (job === undefined) return failed(113, `Could not find service "${label}" in domain for ${target}`)
    const name = signal.startsWith('SIG') ? signal : `SIG${signal}`
    return job.signal(name as NodeJS.Signals) ? done : failed(3, 'No process to signal.')
  }

  #able(target: string, isDisabled: boolean): Answer {
    const { domain, label } = this.#find(target)
    if (domain === undefined) return failed(125, 'Domain does not support specified action')
    if (isDisabled) domain.disabled.add(label)
    else domain.disabled.delete(label)
    return done
  }

  #find(target: string): { domain?: Domain | undefined; job?: Job | undefined; label: string } {
    const [kind = '', uid = '', ...rest] = target.split('/')
    const label = rest.join('/')
    const domain = this.#domains.get(`${kind}/${uid}`)
    return { domain, job: domain?.jobs.get(label), label }
  }
}
