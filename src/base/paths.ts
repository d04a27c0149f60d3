/** The one file that knows where things are. Nothing else joins names under AGENTZ_HOME or the runtime directory. */
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { AgentzError, errno, reason } from './errors.js'

export interface Home {
  readonly root: string
  readonly registry: string
  readonly sessions: string
  readonly cache: string
  readonly checkpoint: string
  readonly mark: string
  /** One-time codes for the browser, by their hashes. */
  readonly logins: string
  readonly env: string
  readonly config: string
  readonly token: string
  /** What the lock of those who start queued sessions is named after; the queue itself is in the registry. */
  readonly queue: string
  /** What the lock of a recover is named after. */
  readonly recover: string
}

/** AGENTZ_HOME, or ~/.agentz. Pure: creates nothing. */
export function homePaths(root = process.env.AGENTZ_HOME || join(homedir(), '.agentz')): Home {
  const home = resolve(root)
  return {
    root: home,
    registry: join(home, 'registry.ndjson'),
    sessions: join(home, 'sessions'),
    cache: join(home, 'cache'),
    checkpoint: join(home, 'cache', 'registry.json'),
    mark: join(home, 'cache', 'registry.mark'),
    logins: join(home, 'cache', 'logins'),
    env: join(home, 'env'),
    config: join(home, 'config.json'),
    token: join(home, 'token'),
    queue: join(home, 'cache', 'queue'),
    recover: join(home, 'cache', 'recover'),
  }
}

/** sessions/<id>.ndjson; the id must have passed the id schema. */
export const sessionLog = (home: Home, id: string): string => `${home.sessions}/${id}.ndjson`

/** sessions/<id>.env: the environment captured for the session. */
export const sessionEnv = (home: Home, id: string): string => join(home.sessions, `${id}.env`)

/** launchd/: the property lists of sessions, and what their daemons say besides their events. Never ~/Library/LaunchAgents. */
export const launchdDirectory = (home: Home): string => join(home.root, 'launchd')
export const launchdPlist = (home: Home, id: string): string => join(launchdDirectory(home), `${id}.plist`)
export const launchdLog = (home: Home, id: string): string => join(launchdDirectory(home), `${id}.log`)

/** plain/: which processes carry which sessions where no manager does, and what their daemons say besides their events. */
export const plainDirectory = (home: Home): string => join(home.root, 'plain')
export const plainLog = (home: Home, id: string): string => join(plainDirectory(home), `${id}.log`)

/** streams/: what clients keep here over HTTP. A key is the name of a stream, spelled so that it is the name of a file. */
export const streamsDirectory = (home: Home): string => join(home.root, 'streams')
/** Its bytes: lines of JSON, or as they came. */
export const streamData = (home: Home, key: string, json: boolean): string =>
  join(streamsDirectory(home), `${key}.${json ? 'ndjson' : 'bin'}`)
/** What it needs beside its bytes. */
export const streamMeta = (home: Home, key: string): string => join(streamsDirectory(home), `${key}.meta.ndjson`)

/**
 * Makes AGENTZ_HOME usable: own directories of mode 0700. One that is not ours, not a directory, or open to others, is
 * refused.
 * @throws HOME_UNUSABLE
 */
export function ensureHome(home: Home): Home {
  for (const path of [home.root, home.sessions, home.cache]) privateDirectory(path)
  return home
}

/** A directory of this user with mode 0700, made if absent. @throws HOME_UNUSABLE */
export function privateDirectory(path: string): string {
  const refuse = (why: string, cause?: unknown) =>
    new AgentzError('HOME_UNUSABLE', `cannot use ${path} as a private directory: ${why}`, { cause })
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw refuse(errno(error) === 'EEXIST' ? 'it is not a directory' : reason(error), error)
  }
  const stat = lstatSync(path)
  if (stat.isSymbolicLink()) throw refuse('it is a symbolic link')
  if (!stat.isDirectory()) throw refuse('it is not a directory')
  if (stat.uid !== process.getuid?.()) throw refuse(`it belongs to uid ${stat.uid}, not to you`)
  // Never changed by us: with AGENTZ_HOME mistyped, it could be anybody's /tmp.
  if ((stat.mode & 0o077) !== 0) throw refuse(`others may enter it; chmod 700 ${path}`)
  return path
}

/** $XDG_RUNTIME_DIR; a shell that was entered with su or from cron lacks the variable, the directory is there all the same. */
export function userRuntimeDirectory(): string | undefined {
  if (process.env.XDG_RUNTIME_DIR) return process.env.XDG_RUNTIME_DIR
  const usual = `/run/user/${process.getuid?.()}`
  return existsSync(join(usual, 'bus')) ? usual : undefined
}

/** $XDG_RUNTIME_DIR/agentz: sockets that live as long as the login. Without one, `run` under AGENTZ_HOME. */
export function runtimeDirectory(home: Home): string {
  const runtime = userRuntimeDirectory()
  return runtime ? join(runtime, 'agentz') : join(home.root, 'run')
}

/** The daemon's doorbell: a stream socket without data; the session file carries what was said. */
export const doorbell = (home: Home, id: string): string => join(runtimeDirectory(home), id)

/** The server's Unix socket; that of an AGENTZ_HOME of one's own has a name of its own. */
export function serverSocket(home: Home): string {
  const usual = home.root === join(homedir(), '.agentz')
  const mark = usual ? '' : `-${createHash('sha256').update(home.root).digest('hex').slice(0, 8)}`
  return join(runtimeDirectory(home), `server${mark}.sock`)
}
