/** What agentz asks of an operating system: run a daemon, say how it is, end it. */
import type { Spec } from '../session/spec.js'

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

export interface Supervisor {
  readonly name: string
  unitName(id: string): string
  /** Makes ready what every session needs. @throws NO_MANAGER before anything is created */
  prepare(): Promise<void>
  /** Starts the daemon of a session; returns when the manager has taken the job, not when the agent runs. */
  start(spec: Spec): Promise<void>
  /** Ends the unit and everything in it; resolves when it is gone. Nothing to do is success. */
  stop(id: string): Promise<void>
  /** All units of sessions that are loaded, by session id, in one question. */
  list(): Promise<Map<string, UnitState>>
  /** What freezes one unit; undefined when it is not loaded. @throws UNSUPPORTED where nothing can be frozen */
  freezer(id: string): Promise<Freezer | undefined>
  /** One unit; undefined when it is not loaded. */
  show(id: string): Promise<UnitDetail | undefined>
}
