/**
 * `--sandbox strict`: the directives of a unit that bite in a user manager, and the proof that they do. A manager without user
 * namespaces drops some of them without a word, so nothing is believed that was not tried before the session is made.
 */
import { existsSync, mkdirSync, realpathSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { AgentzError, errno, reason } from '../base/errors.js'
import { ensureHome, type Home, userRuntimeDirectory } from '../base/paths.js'
import { writeNew } from '../base/private.js'
import { programs } from '../base/programs.js'
import { ensureToken } from '../base/token.js'
import type { Spec } from '../session/spec.js'
import { attempt } from './exec.js'
import { checkLimits } from './limits.js'
import type { Supervisor } from './supervisor.js'

/** Where an agent keeps its login, its settings and the conversations that it resumes: directories, and files of JSON. */
const states: Readonly<Record<string, readonly string[]>> = {
  claude: ['.claude', '.claude.json'],
  codex: ['.codex'],
  opencode: ['.config/opencode', '.local/share/opencode', '.local/state/opencode', '.cache/opencode'],
  gemini: ['.gemini'],
}

const statesOf = ({ agentType }: Pick<Spec, 'agentType'>): string[] =>
  (Object.hasOwn(states, agentType) ? (states[agentType] ?? []) : []).map((name) => join(homedir(), name))

const inQuotes = (path: string): string => `"${path.replace(/[\\"]/g, '\\$&')}"`

/** The properties of the unit. The working directory is among them: the one text of a person that a command line then holds. */
export function sandboxProperties(spec: Pick<Spec, 'agentType' | 'workingDir'>, home: Home): string[] {
  const runtime = userRuntimeDirectory()
  const own = [home.root, spec.workingDir].map(inQuotes)
  const kept = statesOf(spec).map((path) => `-${inQuotes(path)}`)
  const shown = [dirname(dirname(programs.daemon)), dirname(programs.node)].map((path) => `-${inQuotes(path)}`)
  return [
    'PrivateUsers=yes',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    // That leaves /home, /root and /run/user to this one.
    'ProtectHome=read-only',
    'ProtectControlGroups=yes',
    'PrivateDevices=yes',
    // What lies there are the sockets of managers, buses, containers, terminals, and of our own server: each a way out.
    'TemporaryFileSystem=/tmp:mode=1777',
    'TemporaryFileSystem=/var/tmp:mode=1777',
    'TemporaryFileSystem=/run',
    'BindReadOnlyPaths=-/run/systemd/resolve',
    ...(runtime === undefined
      ? []
      : [`TemporaryFileSystem=${inQuotes(runtime)}`, `BindPaths=${inQuotes(join(runtime, 'systemd', 'notify'))}`]),
    ...shown.map((path) => `BindReadOnlyPaths=${path}`),
    ...[...own, ...kept].flatMap((path) => [`BindPaths=${path}`, `ReadWritePaths=${path}`]),
    ...[home.config, home.env].map((path) => `ReadOnlyPaths=${inQuotes(path)}`),
    // InaccessiblePaths= fails for an ordinary user under systemd 252.
    `BindReadOnlyPaths=/dev/null:${inQuotes(home.token)}`,
    'RestrictSUIDSGID=yes',
    'RestrictNamespaces=yes',
    'LockPersonality=yes',
    'RestrictRealtime=yes',
    'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallErrorNumber=EPERM',
  ]
}

/** What must fail inside, and what must not; each line that it prints is a hole. */
const trial = `
touch "$HOLE" 2>/dev/null
[ -s "$AGENTZ_HOME/token" ] && echo "the token of the server can be read"
( : >> "$AGENTZ_HOME/config.json" ) 2>/dev/null && echo "config.json can be written"
[ -S "$BUS/bus" ] || [ -S "$BUS/systemd/private" ] && echo "the manager of the user can be reached"
grep -q '^NoNewPrivs:[[:space:]]*1$' /proc/self/status || echo "privileges can be gained"
grep -q '^Seccomp:[[:space:]]*2$' /proc/self/status || echo "system calls are not filtered"
unshare --user true 2>/dev/null && echo "namespaces can be made"
[ -w . ] || echo "the working directory cannot be written"
[ -w "$AGENTZ_HOME/sessions" ] || echo "the log of the session cannot be written"
exit 0`

/**
 * Runs a short unit with the same properties that tries to break out.
 * @throws UNSUPPORTED with what it could do, or with why it could not be run; nothing is created then but the files named below
 */
export async function proveSandbox(spec: Spec, home: Home): Promise<void> {
  checkDirectory(spec.workingDir, home)
  // What is bound or protected inside must be there: an agent could make what is absent, and bind mounts would.
  ensureHome(home)
  ensureToken(home)
  makeOnce(home.config, '{}\n')
  makeOnce(home.env, '')
  // An agent that cannot make these itself ends without a word.
  for (const path of statesOf(spec)) {
    if (path.endsWith('.json')) makeOnce(path, '{}\n')
    else makeDirectory(path)
  }
  const runtime = userRuntimeDirectory() ?? ''
  // Seen from outside: what is written inside may be on a file system that ends with the unit.
  const hole = join(dirname(home.root), `.agentz-hole-${spec.sessionId}`)
  const argv = [
    ...['systemd-run', '--user', '--quiet', '--collect', '--wait', '--pipe', '--property=TimeoutStartSec=20'],
    ...sandboxProperties(spec, home).map((property) => `--property=${property}`),
    `--working-directory=${spec.workingDir}`,
    `--setenv=AGENTZ_HOME=${home.root}`,
    `--setenv=BUS=${runtime}`,
    `--setenv=HOLE=${hole}`,
    ...['--', '/bin/sh', '-c', trial.replaceAll('$', '$$$$')],
  ] as [string, ...string[]]
  const { status, stdout, stderr } = await attempt(argv, 'prove the sandbox', 30_000)
  const holes = stdout.trim().split('\n').filter(Boolean)
  if (existsSync(hole)) {
    rmSync(hole)
    holes.push('files beside AGENTZ_HOME can be written')
  }
  if (status === 0 && holes.length === 0) return
  const why =
    holes.length > 0
      ? holes.join('; ')
      : `a unit with its settings ended with ${status}${stderr.trim() && `: ${stderr.trim()}`}`
  throw new AgentzError(
    'UNSUPPORTED',
    `cannot run a session with --sandbox strict: the system does not keep it in: ${why}`,
    {
      hint: 'It needs user namespaces and a user manager that may use them; without --sandbox the session would run unconfined.',
    },
  )
}

/** A directory that holds one of those that are closed would open them again. @throws BAD_INPUT */
function checkDirectory(directory: string, home: Home): void {
  const real = realpathSync(directory)
  const closed = [home.root, homedir(), userRuntimeDirectory() ?? '/run', '/run', '/tmp', '/var/tmp']
  const held = closed.find((path) => path === real || path.startsWith(real === '/' ? '/' : `${real}/`))
  if (held === undefined) return
  throw new AgentzError(
    'BAD_INPUT',
    `cannot keep a session in ${directory}: --sandbox strict closes ${held}, which it holds`,
    {
      hint: 'Give it a directory of its own, below: agentz run -C DIR --sandbox strict ...',
    },
  )
}

/** Starts a session, at its first start and at each later one only where its sandbox holds. @throws UNSUPPORTED */
export async function startConfined(supervisor: Supervisor, spec: Spec): Promise<void> {
  checkLimits(supervisor, spec)
  await checkSandbox(supervisor, spec)
  await supervisor.start(spec)
}

/** @throws UNSUPPORTED where a session asks for a sandbox that the supervisor does not have, or that does not hold */
export async function checkSandbox(supervisor: Supervisor, spec: Spec): Promise<void> {
  if (spec.sandbox === undefined) return
  if (supervisor.proveSandbox !== undefined) return supervisor.proveSandbox(spec)
  throw new AgentzError(
    'UNSUPPORTED',
    `cannot run a session with --sandbox strict under ${supervisor.name}: it has none`,
  )
}

function makeOnce(path: string, text: string): void {
  try {
    writeNew(path, text)
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw notMade(path, error)
  }
}

function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw notMade(path, error)
  }
}

const notMade = (path: string, cause: unknown): AgentzError =>
  new AgentzError('HOME_UNUSABLE', `cannot make ${path}, which a sandbox has to leave open: ${reason(cause)}`, {
    hint: 'See what is in its place, or keep the session in no sandbox.',
    cause,
  })
