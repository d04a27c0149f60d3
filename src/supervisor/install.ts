/** Has recover run by systemd at each login or boot: the unit of ours, enabled, and a drop-in that says which AGENTZ_HOME and which programs. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AgentzError } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import { programs } from '../base/programs.js'
import { shellWords } from '../base/shell.js'
import { attempt, run } from './exec.js'
import { isInstalled } from './settings.js'
import type { AtLogin } from './supervisor.js'

const recoverUnit = 'agentz-recover.service'

export const systemdAtLogin = (home: Home): AtLogin => ({
  unit: recoverUnit,
  install: () => install(home),
  uninstall: () => uninstall(home),
  howToInstall: () => shellWords(['systemctl', '--user', 'enable', join(programs.units, recoverUnit)]),
  howToUninstall: () => shellWords(['systemctl', '--user', 'disable', recoverUnit]),
  linger: { enable: linger, how: (user) => shellWords(['loginctl', 'enable-linger', user]) },
})

/** What a drop-in reads: quoted, and neither $ nor % mean anything. */
const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`

export function dropIn(home: Home, where: Pick<typeof programs, 'node' | 'cli'> = programs): string {
  const variables = { AGENTZ_HOME: home.root, AGENTZ_NODE: where.node, AGENTZ_CLI: where.cli }
  const lines = Object.entries(variables).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}\n`)
  return `[Service]\n${lines.join('')}`
}

async function install(home: Home): Promise<string> {
  if (/[\n\r]/.test(home.root))
    throw new AgentzError('BAD_INPUT', 'AGENTZ_HOME holds the end of a line, which no unit can')
  const path = await dropInPath()
  // What is another one's stays: this throws.
  isInstalled(path, ownLine(home))
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, dropIn(home))
  await run(['systemctl', '--user', 'enable', '--quiet', join(programs.units, recoverUnit)], `enable ${recoverUnit}`)
  await run(['systemctl', '--user', 'daemon-reload'], 'have the unit files read again')
  return path
}

/**
 * Lets the manager of this user run from boot on, and beyond the last log-out.
 * @throws UNSUPPORTED where there is no systemd-logind, or it refuses
 */
async function linger(user: string): Promise<void> {
  const { status, stderr } = await attempt(['loginctl', 'enable-linger', '--', user], 'enable lingering')
  if (status === 0) return
  throw new AgentzError('UNSUPPORTED', `cannot let the manager of ${user} outlive log-out: ${stderr.trim()}`, {
    hint: 'It needs systemd-logind, and where that asks for it an administrator: sudo loginctl enable-linger USER.',
  })
}

async function uninstall(home: Home): Promise<boolean> {
  const path = await dropInPath()
  if (!isInstalled(path, ownLine(home))) return false
  await run(['systemctl', '--user', 'disable', '--quiet', recoverUnit], `disable ${recoverUnit}`)
  rmSync(dirname(path), { recursive: true, force: true })
  await run(['systemctl', '--user', 'daemon-reload'], 'have the unit files read again')
  return true
}

/** The line of a drop-in that says which AGENTZ_HOME. */
const ownLine = (home: Home): string => `${dropIn(home).split('\n')[1]}\n`

/** Where this manager looks for the units of a person: it may have another HOME than we have. */
async function dropInPath(): Promise<string> {
  const text = await run(['systemctl', '--user', 'show', '--property=UnitPath', '--value'], 'ask for the unit path')
  const own = text
    .trim()
    .split(' ')
    .find((path) => path.endsWith('/systemd/user') && !/^\/(etc|run|usr)\//.test(path))
  if (own === undefined)
    throw new AgentzError('UNIT_FAILED', `the manager has no directory for units of one's own: ${text.trim()}`)
  return join(own, `${recoverUnit}.d`, 'home.conf')
}
