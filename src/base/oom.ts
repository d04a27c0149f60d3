/**
 * Whether the kernel killed something in this process's cgroup for want of memory. The exit of the victim says only
 * SIGKILL; the counter of the cgroup tells. proc(5), cgroups(7): v2 `memory.events`, v1 `memory.oom_control`.
 */
import { readFileSync } from 'node:fs'
import { errno } from './errors.js'

/** OOM kills in our cgroup so far; 0 where nothing counts them. A hybrid hierarchy counts in its v1 half. */
export function oomKills(list = '/proc/self/cgroup', root = '/sys/fs/cgroup'): number {
  const cgroups = read(list).split('\n')
  const v1 = pathOf(cgroups, (controllers) => controllers.split(',').includes('memory'))
  const v2 = pathOf(cgroups, (controllers) => controllers === '')
  return Math.max(
    v1 === undefined ? 0 : count(`${root}/memory${v1}/memory.oom_control`),
    v2 === undefined ? 0 : count(`${root}${v2}/memory.events`),
  )
}

/** So long after it was chosen a victim may still be ending: its memory is given back first. */
const DYING_MS = 5_000

/** Follows the counter, so that whoever is killed long after something else was is not told to have been a victim too. */
export class OomCount {
  readonly #read: () => number
  readonly #now: () => number
  /** The newest one last. */
  #rises: { readonly at: number; readonly kills: number }[] = []
  /** As the counter stood before all of these. */
  #before = 0

  constructor(read: () => number = oomKills, now: () => number = () => performance.now()) {
    this.#read = read
    this.#now = now
  }

  /** Looks at the counter. @returns how it stands, if it has risen since the look before */
  look(): number | undefined {
    const kills = this.#read()
    if (kills <= (this.#rises.at(-1)?.kills ?? this.#before)) return undefined
    this.#rises.push({ at: this.#now(), kills })
    return kills
  }

  /** How it stood at the last look whose victims have ended by now. */
  settled(): number {
    while (this.#rises[0] !== undefined && this.#now() - this.#rises[0].at > DYING_MS)
      this.#before = this.#rises.shift()!.kills
    return this.#before
  }
}

/** Of the cgroup of this process. */
export const oomCount = new OomCount()

/** A line is `id:controllers:path`; the path may hold colons. */
function pathOf(cgroups: readonly string[], wanted: (controllers: string) => boolean): string | undefined {
  for (const line of cgroups) {
    const [, controllers = '', ...path] = line.split(':')
    if (path.length > 0 && wanted(controllers)) return path.join(':')
  }
  return undefined
}

function count(file: string): number {
  return Number(/^oom_kill (\d+)$/m.exec(read(file))?.[1] ?? 0)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ENODEV', 'EPERM'].includes(errno(error) ?? '')) return ''
    throw error
  }
}
