/** Which supervisor runs sessions on this machine, and which one runs a given session. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, type SupervisorName, supervisorNames } from '../base/config.js'
import { AgentzError } from '../base/errors.js'
import type { Home } from '../base/paths.js'
import type { Life } from '../session/life.js'
import { LaunchdSupervisor } from './launchd/launchd.js'
import { PlainSupervisor } from './plain/plain.js'
import type { Supervisor } from './supervisor.js'
import { SystemdSupervisor } from './systemd.js'

/**
 * The one that new daemons are started under: AGENTZ_SUPERVISOR, config.json, or what the machine has. A machine whose user manager
 * does not answer is still one of systemd: that is an error to be told, and no reason for a weaker promise.
 * @throws BAD_INPUT for a name that is none
 */
export function chooseSupervisor(home: Home, config: Pick<Config, 'supervisor'>): Supervisor {
  return supervisorNamed(nameOf(process.env.AGENTZ_SUPERVISOR) ?? config.supervisor ?? fitting(), home)
}

/** The one under which this process itself was started, as its environment says; what says nothing is systemd's. */
export const ownSupervisor = (home: Home): Supervisor =>
  supervisorNamed(nameOf(process.env.AGENTZ_SUPERVISOR) ?? 'systemd', home)

/** The one under which a session was started last, which may be another one than is chosen now. */
export function supervisorOf(
  home: Home,
  chosen: Supervisor,
  life: Partial<Pick<Life, 'epoch' | 'supervisor'>>,
): Supervisor {
  const name = life.epoch ? (life.supervisor ?? 'systemd') : chosen.name
  return name === chosen.name ? chosen : supervisorNamed(name, home)
}

const make: Record<SupervisorName, (home: Home) => Supervisor> = {
  systemd: (home) => new SystemdSupervisor(home),
  launchd: (home) => new LaunchdSupervisor(home),
  plain: (home) => new PlainSupervisor(home),
}

const supervisorNamed = (name: SupervisorName, home: Home): Supervisor => make[name](home)

function nameOf(text: string | undefined): SupervisorName | undefined {
  if (!text) return undefined
  const name = supervisorNames.find((known) => known === text)
  if (name !== undefined) return name
  throw new AgentzError(
    'BAD_INPUT',
    `AGENTZ_SUPERVISOR: ${JSON.stringify(text)} is none of ${supervisorNames.join(', ')}`,
  )
}

/** Whether systemd is installed or runs; that it answers is another question. */
export function fitting(
  platform: string = process.platform,
  path: string = process.env.PATH ?? '',
  exists: (path: string) => boolean = existsSync,
): SupervisorName {
  if (platform === 'darwin') return 'launchd'
  const directories = [...path.split(':'), '/usr/bin', '/bin'].filter((directory) => directory.startsWith('/'))
  const traces = ['/run/systemd/system', ...directories.map((directory) => join(directory, 'systemctl'))]
  return traces.some(exists) ? 'systemd' : 'plain'
}
