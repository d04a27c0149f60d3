/**
 * Who carries a session where no manager knows: an empty file for each keeper and each daemon, whose name says which process of
 * which boot it is. A file whose process does not live counts for nothing, so that nothing has to be cleaned up in time.
 */
import { closeSync, openSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AgentzError, errno, reason } from '../../base/errors.js'
import { type Home, plainDirectory, privateDirectory } from '../../base/paths.js'
import { lives, type Member, statOf, statsOf } from '../../base/proc.js'
import { bootId } from '../boot.js'

export type Role = 'keeper' | 'daemon'

interface Claim extends Member {
  readonly file: string
  readonly id: string
  readonly role: Role
  readonly lives: boolean
}

/** The processes of one session that live. */
export interface Carrier {
  readonly keeper?: Member
  readonly daemon?: Member
  /** A daemon has been there under this keeper, and is gone. */
  readonly isOver: boolean
}

const name = /^([0-9a-f]{12})\.(keeper|daemon)\.([1-9]\d*)\.([\w-]+)\.([\w-]+)$/

/** Numbers of processes mean nothing in another boot, nor in another container of the same one. */
function world(): string {
  return plain(`${bootId()}-${namespace()}`)
}

function namespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')
  } catch (error) {
    // Without /proc there are no namespaces either.
    if (errno(error) === 'ENOENT') return '0'
    throw error
  }
}

/** A date, as some systems name a start by, holds what a name of a file should not. */
const plain = (text: string): string => text.replace(/[^\w-]/g, '-')

export class Claims {
  readonly #directory: string

  constructor(home: Home) {
    this.#directory = plainDirectory(home)
  }

  /** Says that a process carries a session. @returns the name of the file; undefined if it has ended already */
  make(id: string, role: Role, pid: number): string | undefined {
    const stat = statOf(pid)
    if (stat === undefined || !lives(stat)) return undefined
    privateDirectory(this.#directory)
    const file = [id, role, pid, world(), plain(stat.start)].join('.')
    closeSync(openSync(join(this.#directory, file), 'a', 0o600))
    return file
  }

  withdraw(files: readonly string[]): void {
    for (const file of files) rmSync(join(this.#directory, file), { force: true })
  }

  /** What carries each session that anything carries. */
  carriers(): Map<string, Carrier> {
    const carriers = new Map<string, Carrier>()
    for (const { id, role, pid, start, lives } of this.#read()) {
      const known = carriers.get(id) ?? { isOver: false }
      if (lives) carriers.set(id, { ...known, [role]: { pid, start } })
      else if (role === 'daemon') carriers.set(id, { ...known, isOver: true })
    }
    for (const [id, { keeper, daemon }] of carriers) if (!keeper && !daemon) carriers.delete(id)
    return carriers
  }

  /** Whether processes other than these carry a session. */
  hasOthers(id: string, own: readonly number[]): boolean {
    return this.#read().some((claim) => claim.id === id && claim.lives && !own.includes(claim.pid))
  }

  /** Removes what counts for nothing, of sessions that nothing carries, and the logs of daemons that have said nothing. */
  sweep(): void {
    const claims = this.#read()
    const carried = new Set(claims.flatMap(({ id, lives }) => (lives ? [id] : [])))
    this.withdraw(claims.flatMap(({ id, file }) => (carried.has(id) ? [] : [file])))
    const isEmpty = (file: string) => statSync(join(this.#directory, file), { throwIfNoEntry: false })?.size === 0
    const logs = this.#names().filter((file) => file.endsWith('.log') && !carried.has(file.slice(0, -'.log'.length)))
    this.withdraw(logs.filter(isEmpty))
  }

  #read(): Claim[] {
    const here = world()
    const found = this.#names().flatMap((file) => {
      const [, id = '', role, pid, where, start = ''] = name.exec(file) ?? []
      return id === '' ? [] : [{ file, id, role: role as Role, pid: Number(pid), isHere: where === here, start }]
    })
    const stats = statsOf(found.flatMap(({ pid, isHere }) => (isHere ? [pid] : [])))
    return found.map(({ isHere, ...claim }) => {
      const stat = isHere ? stats.get(claim.pid) : undefined
      const isIt = stat !== undefined && lives(stat) && plain(stat.start) === claim.start
      return { ...claim, start: stat?.start ?? claim.start, lives: isIt }
    })
  }

  #names(): string[] {
    try {
      return readdirSync(this.#directory)
    } catch (error) {
      if (errno(error) === 'ENOENT') return []
      throw new AgentzError('HOME_UNUSABLE', `cannot see what carries sessions: ${reason(error)}`, { cause: error })
    }
  }
}
