/** What launchd is told of a session: a pure function of it. The keys are those of launchd.plist(5). */
import { type Home, launchdLog } from '../../base/paths.js'
import { programs } from '../../base/programs.js'
import type { Spec } from '../../session/spec.js'
import type { PlistValue } from './plist.js'

export const PREFIX = 'agentz.session.'

/** The label, which is unique among the jobs of a user: the lock that keeps two daemons of one session apart. */
export const labelOf = (id: string): string => `${PREFIX}${id}`

/** Seconds between SIGTERM and SIGKILL, as TimeoutStopSec= of the systemd unit. */
export const EXIT_SECONDS = 20

/** launchd(8) lets no job start more often by default; a daemon that ran for longer is started again at once. */
const THROTTLE_SECONDS = 10

export function sessionJob(spec: Pick<Spec, 'sessionId'>, home: Home, where: typeof programs = programs): PlistValue {
  const id = spec.sessionId
  const words = launchdLog(home, id)
  return {
    Label: labelOf(id),
    // Of the session, nothing but its id: ps(1) shows arguments to everybody.
    ProgramArguments: [where.node, where.daemon, id],
    EnvironmentVariables: { AGENTZ_HOME: home.root, AGENTZ_SUPERVISOR: 'launchd' },
    RunAtLoad: true,
    // A daemon that ends with 0 has written how its session ended; after anything else, a signal too, it is started again.
    KeepAlive: { SuccessfulExit: false },
    ThrottleInterval: THROTTLE_SECONDS,
    ExitTimeOut: EXIT_SECONDS,
    // Every other type has its CPU and its disk throttled, and on battery may wait for hours.
    ProcessType: 'Interactive',
    // Of a login at the screen, and where there is none (ssh), of any other.
    LimitLoadToSessionType: ['Aqua', 'Background'],
    // What stays in the process group of a daemon that was killed goes with it.
    AbandonProcessGroup: false,
    // 0077: property lists have no octal numbers.
    Umask: 0o077,
    StandardOutPath: words,
    StandardErrorPath: words,
  }
}
