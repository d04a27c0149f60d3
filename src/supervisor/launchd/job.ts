/** What launchd is told of a session: a pure function of it. The keys are those of launchd.plist(5). */
import { type Home, launchdLog } from '../../base/paths.js'
import { programs } from '../../base/programs.js'
import type { Spec } from '../../session/spec.js'
import type { PlistValue } from './plist.js'

export const PREFIX = 'agentz.session.'

/** The label, which is unique among the jobs of a user: the lock that keeps two daemons of one session apart. */
export const labelOf = (id: string): string => `${PREFIX}${id}`

/** Seconds that a daemon has to stop, as TimeoutStopSec= of the systemd unit; and then its keeper, for the last word. */
export const STOP_SECONDS = 20
const EXIT_SECONDS = 2 * STOP_SECONDS

/** launchd(8) lets no job start more often by default; a daemon that ran for longer is started again at once. */
const THROTTLE_SECONDS = 10

export function sessionJob(spec: Pick<Spec, 'sessionId'>, home: Home, where: typeof programs = programs): PlistValue {
  const id = spec.sessionId
  const words = launchdLog(home, id)
  return {
    Label: labelOf(id),
    // Of the session, nothing but its id: ps(1) shows arguments to everybody.
    ProgramArguments: ['/bin/sh', where.keeper, where.node, where.daemon, where.reaper, id],
    EnvironmentVariables: { AGENTZ_HOME: home.root, AGENTZ_SUPERVISOR: 'launchd' },
    RunAtLoad: true,
    // The keeper ends with 0 where nothing is to be started again; after anything else, a signal too, it is started again.
    KeepAlive: { SuccessfulExit: false },
    ThrottleInterval: THROTTLE_SECONDS,
    ExitTimeOut: EXIT_SECONDS,
    // Every other type has its CPU and its disk throttled, and on battery may wait for hours.
    ProcessType: 'Interactive',
    // Of a login at the screen, and where there is none (ssh), of any other.
    LimitLoadToSessionType: ['Aqua', 'Background'],
    // What stays in the process group of a keeper that was killed goes with it: the daemon above all.
    AbandonProcessGroup: false,
    // 0077: property lists have no octal numbers.
    Umask: 0o077,
    StandardOutPath: words,
    StandardErrorPath: words,
  }
}
