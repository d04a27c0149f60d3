/**
 * The registry is a cache, session files are the truth. Where it was deleted, damaged or put back from a copy, what it lacks is
 * appended to it from the session files, so that it says again what they say. Where it cannot be written, readers are shown the
 * truth all the same.
 */
import { closeSync, existsSync, readdirSync } from 'node:fs'
import { setImmediate as otherWork } from 'node:timers/promises'
import { AgentzError } from '../base/errors.js'
import { type Home, sessionLog } from '../base/paths.js'
import { Appender } from '../log/append.js'
import { withLock } from '../log/lock.js'
import { openIfThere } from '../log/read.js'
import { Account } from './account.js'
import { isId } from './id.js'
import type { Loose } from './life.js'
import { fits, loadMark, type Mark, saveMark, stampOf } from './mark.js'
import { applyRegistry, type Registry, readRegistry } from './registry.js'
import { isLive } from './status.js'

/** So many sessions are held against the registry under one lock, which others wait for. */
const CHUNK = 50

export interface Repair {
  readonly registry: Registry
  /** How many events were appended. */
  readonly appended: number
  /** Why the registry could not be written, if so. */
  readonly unwritten?: AgentzError
  /** Files of sessions that hold none, or cannot be read, and why. */
  readonly unread: ReadonlyMap<string, unknown>
}

/**
 * Reads the registry, and repairs it where it may say something else than the session files: cheap where all is well.
 * @param options.thorough opens every session file, whatever the registry looks like
 */
export async function repairRegistry(home: Home, options: { thorough?: boolean } = {}): Promise<Repair> {
  const doubts = doubtsOf(home, readRegistry(home), options.thorough)
  const work = new Work(home, doubts.registry)
  for (let at = 0; at < doubts.ids.length; at += CHUNK) await work.settle(doubts.ids.slice(at, at + CHUNK))
  if (work.unwritten === undefined) remember(home, work, doubts)
  return work
}

/** Reads the registry, with a row for each session that it does not know. Writes nothing. */
export function readComplete(home: Home): Registry {
  const { registry, ids } = doubtsOf(home, readRegistry(home))
  for (const id of ids) {
    if (registry.rows.has(id)) continue
    const account = new Account(home, id)
    if (account.read() && !account.isBeingCreated(Date.now())) apply(registry, account.lacking(undefined))
  }
  return registry
}

interface Doubts {
  readonly registry: Registry
  /** Sessions that have to be looked at. */
  readonly ids: string[]
  readonly mark: Mark | undefined
  readonly stamp: string | undefined
}

function doubtsOf(home: Home, registry: Registry, isThorough = false): Doubts {
  const mark = loadMark(home)
  const isDoubtful = isThorough || isOther(home, registry, mark)
  const stamp = stampOf(home.sessions)
  const known = { registry, mark, stamp }
  if (!isDoubtful && stamp !== undefined && mark?.sessions === stamp) return { ...known, ids: [] }
  const { rows } = registry
  const files = new Set(readdirSync(home.sessions).flatMap(idOfFile))
  const found = isDoubtful ? [...files] : [...files].filter((id) => !rows.has(id))
  // One that lives is shown as long as its unit carries it; the archive keeps files elsewhere.
  const isGone = (id: string) => !files.has(id) && !isLive(rows.status(id)!) && !rows.get(id)?.archived
  return { ...known, ids: [...found, ...[...rows.ids()].filter(isGone)] }
}

const idOfFile = (name: string): string[] => {
  const id = name.slice(0, -'.ndjson'.length)
  return name.endsWith('.ndjson') && isId(id) ? [id] : []
}

/** Whether the registry is another one than it was, or has lost lines since. */
function isOther(home: Home, registry: Registry, mark: Mark | undefined): boolean {
  if (registry.damaged > (mark?.damaged ?? 0)) return true
  return mark !== undefined && !(withRegistry(home, (fd) => fits(fd, mark)) ?? false)
}

function remember(home: Home, { registry, isUnfinished }: Work, { stamp, mark }: Doubts): void {
  withRegistry(home, (fd) => saveMark(home, fd, { ...registry, sessions: isUnfinished ? undefined : stamp }, mark))
}

function withRegistry<T>(home: Home, use: (fd: number) => T): T | undefined {
  const fd = openIfThere(home.registry)
  if (fd === undefined) return undefined
  try {
    return use(fd)
  } finally {
    closeSync(fd)
  }
}

class Work implements Repair {
  readonly #home: Home
  registry: Registry
  appended = 0
  unwritten: AgentzError | undefined
  readonly unread = new Map<string, unknown>()
  /** There was a session whose creation was not over yet. */
  isUnfinished = false

  constructor(home: Home, registry: Registry) {
    this.#home = home
    this.registry = registry
  }

  async settle(ids: string[]): Promise<void> {
    // Long files are read before the lock is taken, and what came meanwhile under it.
    const accounts = new Map<string, Account>()
    for (const id of ids) {
      const account = new Account(this.#home, id)
      if (this.#try(id, () => account.read())) accounts.set(id, account)
      await otherWork()
    }
    const lacking = (id: string): Loose[] => {
      const account = accounts.get(id)
      return account === undefined ? this.#farewell(id) : this.#lackingOf(account)
    }
    if (ids.every((id) => lacking(id).length === 0)) return
    try {
      if (this.unwritten === undefined) return await this.#write(ids, lacking)
    } catch (error) {
      if (!(error instanceof AgentzError) || !['LOG_WRITE', 'LOCK_BUSY'].includes(error.code)) throw error
      this.unwritten = error
    }
    for (const id of ids) apply(this.registry, lacking(id))
  }

  #write(ids: string[], lacking: (id: string) => Loose[]): Promise<void> {
    return withLock(this.#home.registry, () => {
      // Another repair, or the daemon itself, may have told it.
      this.registry = readRegistry(this.#home, this.registry)
      const appender = new Appender(this.#home.registry)
      try {
        for (const id of ids) {
          const lines = this.#try(id, () => lacking(id).map((event) => JSON.stringify(event))) ?? []
          const written = lines.length > 0 ? this.#try(id, () => appender.append(lines)) : undefined
          if (written?.error !== undefined) throw written.error
          this.appended += written?.lines ?? 0
        }
        appender.syncNow()
      } finally {
        appender.close()
      }
      this.registry = readRegistry(this.#home, this.registry)
    })
  }

  #lackingOf(account: Account): Loose[] {
    const row = this.registry.rows.get(account.id)
    const events = this.#try(account.id, () => {
      account.read()
      if (row === undefined && account.isBeingCreated(Date.now())) {
        this.isUnfinished = true
        return []
      }
      return account.lacking(row)
    })
    return events ?? []
  }

  /** One that has ended and whose file was removed is no session any more. */
  #farewell(sessionId: string): Loose[] {
    const status = this.registry.rows.status(sessionId)
    if (status === undefined || isLive(status) || existsSync(sessionLog(this.#home, sessionId))) return []
    return [{ type: 'session_deleted', timestamp: new Date().toISOString(), by: 'supervisor', sessionId }]
  }

  /** A file that nobody can make sense of keeps no other session from being shown. */
  #try<T>(id: string, work: () => T): T | undefined {
    try {
      return work()
    } catch (error) {
      this.unread.set(id, error)
      return undefined
    }
  }
}

function apply({ rows }: Registry, events: Loose[]): void {
  for (const event of events) applyRegistry({ rows, damaged: 0, ignored: 0 }, event)
}
