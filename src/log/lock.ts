/**
 * A lock on a file, held for milliseconds, across processes. The only file that knows proper-lockfile, and where its
 * flaws are made up for:
 * - its `onCompromised` throws from a timer by default, which would end a daemon after a laptop's sleep: we note the
 *   loss and say so when the work returns (its append is idempotent by fold, see session/registry.ts);
 * - its retries start at 1 s: we bring our own schedule;
 * - it has no queue within a process: we line up;
 * - a writer killed inside it delays others by `stale`, so that is at its minimum; and by up to a second more in the first lock of a
 *   process, which is given a time to come, to see how precise times are: we give it the time it is.
 */
import fs, { rmSync, statSync } from 'node:fs'
import { AgentzError, errno, reason } from '../base/errors.js'

const STALE_MS = 2000
/** Longer than STALE_MS, so that a lock left by a killed process is outlived. About 15 s in all. */
const ATTEMPTS = 300
const FIRST_WAIT_MS = 2
const LONGEST_WAIT_MS = 60

/** A whole second and 5 ms: no other time that it sets has these. */
const isTrial = (time: number): boolean => time % 1000 === 5 && time > Date.now()

/** Not on the second, where a file system of whole seconds would have it. */
const justNow = (now = Date.now()): Date => new Date(now % 1000 === 0 ? now - 1 : now)

const ownFs = {
  ...fs,
  utimes: (path: string, atime: Date, mtime: Date, done: fs.NoParamCallback): void => {
    const time = isTrial(mtime.getTime()) ? justNow() : mtime
    fs.utimes(path, atime, time, done)
  },
}

interface Held {
  lost?: Error
  identity?: string
}

const queues = new Map<string, Promise<unknown>>()

/**
 * Runs `work` while no other process or caller runs under the lock of `path`; the file need not exist.
 * @throws LOCK_BUSY when it could not be had in about 15 s
 */
export function withLock<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  const before = queues.get(path) ?? Promise.resolve()
  const turn = before.then(
    () => locked(path, work),
    () => locked(path, work),
  )
  queues.set(path, turn)
  const leave = () => {
    if (queues.get(path) === turn) queues.delete(path)
  }
  turn.then(leave, leave)
  return turn
}

async function locked<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  const held: Held = {}
  const release = await obtain(path, held)
  try {
    return await work()
  } finally {
    // A lost lock was already taken over: there is nothing of ours to release, and what was written stays valid. After
    // a sleep we may be the first to notice, and a release would take the lock away from whoever has it now.
    if (held.lost === undefined && identity(path) === held.identity) await release().catch(() => undefined)
  }
}

async function obtain(path: string, held: Held): Promise<() => Promise<void>> {
  // Loaded with the first lock: a daemon starts its agent before it needs one.
  const { default: lockfile } = await import('proper-lockfile')
  for (let attempt = 0; ; attempt++) {
    try {
      const release = await lockfile.lock(path, {
        realpath: false,
        stale: STALE_MS,
        fs: ownFs,
        onCompromised: (error) => {
          held.lost = error
        },
      })
      held.identity = identity(path)
      return release
    } catch (error) {
      if (errno(error) !== 'ELOCKED') {
        throw new AgentzError('LOG_WRITE', `cannot make the lock ${path}.lock: ${reason(error)}`, { cause: error })
      }
      removeFuture(path)
      if (attempt >= ATTEMPTS) {
        throw new AgentzError('LOCK_BUSY', `cannot lock ${path}: held by another process for too long`, {
          cause: error,
        })
      }
      const longest = Math.min(FIRST_WAIT_MS * 1.3 ** attempt, LONGEST_WAIT_MS)
      await new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)))
    }
  }
}

/** A clock that went back leaves locks of a time to come, which would be held until it has come. */
function removeFuture(path: string): void {
  const lock = statSync(`${path}.lock`, { throwIfNoEntry: false })
  if (lock === undefined || lock.mtimeMs < Date.now() + 2 * STALE_MS) return
  rmSync(`${path}.lock`, { recursive: true, force: true })
}

/** Which directory the lock is. Inode numbers are used again at once, so its birth belongs to it. */
function identity(path: string): string | undefined {
  const stat = statSync(`${path}.lock`, { bigint: true, throwIfNoEntry: false })
  return stat && `${stat.ino} ${stat.birthtimeNs}`
}
