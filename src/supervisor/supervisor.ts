/** What agentz asks of an operating system: run a daemon, say how it is, end it. */
import type { SupervisorName } from '../base/config.js'
import type { Cause } from '../session/events.js'
import type { Spec } from '../session/spec.js'
import type { Consumption } from './consumption.js'

/** A unit as its manager sees it now. */
export interface UnitState {
  /** systemd's words: active, activating, deactivating, failed, inactive. */
  readonly active: string
  /** Such as running, auto-restart, stop-post. */
  readonly sub: string
}

/** More of one unit; what an absent one once was, only the log knows. */
export interface UnitDetail extends UnitState {
  readonly pid?: number
  readonly memoryBytes?: number
  readonly cpuSeconds?: number
  readonly tasks?: number
  /** Whether the operating system holds its processes still; undefined where that cannot be known. */
  readonly frozen?: boolean
}

/** Holds the processes of a unit still, and lets them go. */
export interface Freezer {
  /** Whether they were told to be still. */
  wanted(): boolean
  /** Resolves when it is so. @throws TIMED_OUT, UNSUPPORTED */
  set(frozen: boolean): Promise<void>
}

/** The limits that only a system can keep; for the time a session may run, its daemon has a clock. */
export type SystemLimit = 'memory' | 'cpu' | 'tasks'

/** How an earlier run of a unit has ended, in systemd's words. */
export type Exit = Pick<Cause, 'result' | 'code' | 'status'>

/** What a supervisor can be relied upon for. */
export interface Promises {
  /** A daemon that breaks is started again. */
  readonly restarts: boolean
  readonly limits: readonly SystemLimit[]
  /**
   * The system itself runs our reaper, whatever has ended the daemon, ends all processes of the session with it, counts the
   * starts, and keeps the time. Elsewhere the daemon does that as far as it can, and its next start makes up for the rest.
   */
  readonly lastWord: boolean
  /** What a person has to know before they rely on it: `run` says it. */
  readonly caveat?: string
}

/** What the system starts by itself, once it was installed. */
export interface Installed {
  /** What is enabled. */
  readonly unit: string
  /** @returns where the settings of it were written. @throws CONFLICT where another AGENTZ_HOME is installed; NO_MANAGER, UNIT_FAILED */
  install(): Promise<string>
  /** @returns whether there was anything to undo */
  uninstall(): Promise<boolean>
  /** Lines of a shell that do the same. */
  howToInstall(): string
  howToUninstall(): string
}

/** Has `agentz recover` run at each login or boot, by the system's own means. */
export interface AtLogin extends Installed {
  /** Has the server started by its first client; absent where nothing can hand it its sockets. */
  readonly server?: Installed
  /** Lets sessions outlive the last log-out; absent where nothing can. */
  readonly linger?: { enable(user: string): Promise<void>; how(user: string): string }
}

export interface Supervisor {
  readonly name: SupervisorName
  readonly promises: Promises
  unitName(id: string): string
  /** Absent where the system starts nothing of a user by itself. */
  readonly atLogin?: AtLogin
  /** Makes ready what every session needs. @throws NO_MANAGER before anything is created */
  prepare(): Promise<void>
  /** Tries whether a sandbox holds here; absent where there is none. @throws UNSUPPORTED */
  proveSandbox?(spec: Spec): Promise<void>
  /** Starts the daemon of a session; returns when the manager has taken the job, not when the agent runs. */
  start(spec: Spec): Promise<void>
  /** Ends the unit and everything in it; resolves when it is gone. Nothing to do is success. */
  stop(id: string): Promise<void>
  /** All units of sessions that are loaded, by session id, in one question. */
  list(): Promise<Map<string, UnitState>>
  /** What freezes one unit; undefined when it is not loaded. @throws UNSUPPORTED where nothing can be frozen */
  freezer(id: string): Promise<Freezer | undefined>
  /** What those of these sessions that run use, in one question; absent where nothing counts it. */
  consumption?(ids: readonly string[]): Promise<Map<string, Consumption>>
  /** One unit; undefined when it is not loaded. */
  show(id: string): Promise<UnitDetail | undefined>
  /** How the last run of a unit has ended, as far as the system still knows; what it told our reaper is in the log. */
  lastExit(id: string): Promise<Exit | undefined>
  /**
   * Asked by a daemon before anything else, where the system itself does not keep two of one session apart: whether it may run.
   * If not, nothing of it is to be told.
   */
  isOnly?(id: string): Promise<boolean>
  /**
   * Asked by a reaper whose keeper was told to end, where the system has a word on it: whether this session alone is, and not all of
   * them with the login or the machine.
   */
  isStoppedAlone?(id: string): Promise<boolean>
  /** Lines of a shell that do what `start` does. */
  howToStart(spec: Spec): string
  /** Lines of a shell that show a unit, and what its daemon has said. */
  howToLook(id: string): string
}
