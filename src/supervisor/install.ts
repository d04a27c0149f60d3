/** Has recover run by systemd at each login or boot: the unit of ours, enabled, and a drop-in that says which AGENTZ_HOME and which programs. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AgentzError } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import { programs } from '../base/programs.js'
import { shellWords } from '../base/shell.js'
import { dropIn, dropInPath, ownLine } from './drop-in.js'
import { attempt, run } from './exec.js'
import { serverSockets } from './server-unit.js'
import { isInstalled } from './settings.js'
import type { AtLogin } from './supervisor.js'

const recoverUnit = 'agentz-recover.service'

export const systemdAtLogin = (home: Home): AtLogin => ({
  unit: recoverUnit,
  install: () => install(home),
  uninstall: () => uninstall(home),
  howToInstall: () => shellWords(['systemctl', '--user', 'enable', join(programs.units, recoverUnit)]),
  howToUninstall: () => shellWords(['systemctl', '--user', 'disable', recoverUnit]),
  server: serverSockets(home),
  linger: { enable: linger, how: (user) => shellWords(['loginctl', 'enable-linger', user]) },
})

async function install(home: Home): Promise<string> {
  const path = await dropInPath(recoverUnit)
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
  const path = await dropInPath(recoverUnit)
  if (!isInstalled(path, ownLine(home))) return false
  await run(['systemctl', '--user', 'disable', '--quiet', recoverUnit], `disable ${recoverUnit}`)
  rmSync(dirname(path), { recursive: true, force: true })
  await run(['systemctl', '--user', 'daemon-reload'], 'have the unit files read again')
  return true
}
