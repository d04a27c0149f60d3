/** Has the server of the HTTP API started by systemd, by whoever connects first: units/agentz-server.socket, and what it needs to know. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readConfig } from '../base/config.js'
import { AgentzError } from '../base/errors.js'
import { type Home, serverSocket } from '../base/paths.js'
import { programs } from '../base/programs.js'
import { shellWords } from '../base/shell.js'
import { presentLoopback } from '../sockets/loopback.js'
import { answers } from '../sockets/unix.js'
import { dropIn, dropInPath, ownLine } from './drop-in.js'
import { run } from './exec.js'
import { isInstalled } from './settings.js'
import type { Installed } from './supervisor.js'

const socketUnit = 'agentz-server.socket'
const serviceUnit = 'agentz-server.service'
const systemctl = (...words: string[]) => ['systemctl', '--user', ...words] as const
const files = [socketUnit, serviceUnit].map((unit) => join(programs.units, unit))

export const serverSockets = (home: Home): Installed => ({
  unit: socketUnit,
  install: () => install(home),
  uninstall: () => uninstall(home),
  howToInstall: () =>
    [systemctl('link', ...files), systemctl('enable', '--now', socketUnit)].map(shellWords).join('\n'),
  howToUninstall: () => shellWords(systemctl('disable', '--now', socketUnit, serviceUnit)),
})

/** Which addresses; % means something in a unit file. @throws CONFIG_INVALID */
export function socketDropIn(home: Home, addresses: readonly string[] = presentLoopback()): string {
  const { port } = readConfig(home).server
  if (port === 0) {
    throw new AgentzError(
      'CONFIG_INVALID',
      'cannot install the server: server.port is 0, which is another port each time',
      {
        hint: 'Name a port in config.json.',
      },
    )
  }
  const all = [
    serverSocket(home).replaceAll('%', '%%'),
    ...addresses.map((each) => `${each.includes(':') ? `[${each}]` : each}:${port}`),
  ]
  return ['[Socket]', 'ListenStream=', ...all.map((each) => `ListenStream=${each}`), ''].join('\n')
}

async function install(home: Home): Promise<string> {
  const path = await dropInPath(serviceUnit)
  // What is another one's stays: this throws.
  isInstalled(path, ownLine(home))
  const settings = { [path]: dropIn(home), [await dropInPath(socketUnit)]: socketDropIn(home) }
  const state = await run(systemctl('is-active', socketUnit), `ask for ${socketUnit}`, { anyStatus: true })
  if (state.trim() !== 'active' && (await answers(serverSocket(home)))) {
    throw new AgentzError('CONFLICT', `a server listens on ${serverSocket(home)} already, which was started by hand`, {
      hint: 'End it; the next request starts one.',
    })
  }
  const isNew = Object.entries(settings).filter(([file, text]) => write(file, text)).length > 0
  await run(systemctl('link', '--quiet', ...files), `link ${serviceUnit}`)
  await run(systemctl('enable', '--quiet', socketUnit), `enable ${socketUnit}`)
  await run(systemctl('daemon-reload'), 'have the unit files read again')
  await run(systemctl(isNew ? 'restart' : 'start', socketUnit), `start ${socketUnit}`)
  return path
}

/** @returns whether it says something else now */
function write(path: string, text: string): boolean {
  try {
    if (readFileSync(path, 'utf8') === text) return false
  } catch {
    // It is not there yet, or cannot be read; then writing says so.
  }
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  return true
}

async function uninstall(home: Home): Promise<boolean> {
  const path = await dropInPath(serviceUnit)
  if (!isInstalled(path, ownLine(home))) return false
  await run(systemctl('stop', socketUnit, serviceUnit), `stop ${socketUnit}`)
  await run(systemctl('disable', '--quiet', socketUnit, serviceUnit), `disable ${socketUnit}`)
  for (const file of [path, await dropInPath(socketUnit)]) rmSync(dirname(file), { recursive: true, force: true })
  await run(systemctl('daemon-reload'), 'have the unit files read again')
  return true
}
