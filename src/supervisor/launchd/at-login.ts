/** Has recover run by launchd at each login: a LaunchAgent of the person, the only one of ours that launchd loads by itself. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Home } from '../../base/paths.js'
import { programs } from '../../base/programs.js'
import { shellWords } from '../../base/shell.js'
import { isInstalled } from '../settings.js'
import type { AtLogin } from '../supervisor.js'
import { bootout, enable } from './launchctl.js'
import { type PlistValue, plistText } from './plist.js'

const LABEL = 'agentz.recover'

const agentPath = (): string => join(homedir(), 'Library', 'LaunchAgents', `${LABEL}.plist`)

export function recoverJob(home: Home, where: Pick<typeof programs, 'node' | 'cli'> = programs): PlistValue {
  return {
    Label: LABEL,
    ProgramArguments: [where.node, where.cli, 'recover'],
    EnvironmentVariables: { AGENTZ_HOME: home.root, AGENTZ_SUPERVISOR: 'launchd' },
    RunAtLoad: true,
    // What nobody waits for at a login may be slow, but not for hours.
    ProcessType: 'Standard',
    LimitLoadToSessionType: ['Aqua', 'Background'],
    Umask: 0o077,
  }
}

export const launchdAtLogin = (home: Home, domains: readonly string[]): AtLogin => ({
  unit: LABEL,
  install: async () => {
    const path = agentPath()
    // What is another one's stays: this throws.
    isInstalled(path, ownPart(home))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(`${path}.new`, plistText(recoverJob(home)), { mode: 0o600 })
    renameSync(`${path}.new`, path)
    // launchd remembers for ever that a label was disabled.
    for (const domain of domains) await enable(domain, LABEL)
    return path
  },
  uninstall: async () => {
    const path = agentPath()
    if (!isInstalled(path, ownPart(home))) return false
    rmSync(path, { force: true })
    for (const domain of domains) await bootout(domain, LABEL)
    return true
  },
  howToInstall: () => {
    const write = shellWords(['printf', '%s', plistText(recoverJob(home))])
    return `${write} > ${shellWords([agentPath()])}\n${shellWords(['launchctl', 'enable', `${domains[0]}/${LABEL}`])}`
  },
  howToUninstall: () =>
    `${shellWords(['rm', agentPath()])}\n${shellWords(['launchctl', 'bootout', `${domains[0]}/${LABEL}`])}`,
})

/** The part of a property list that says which AGENTZ_HOME. */
function ownPart(home: Home): string {
  const [part = ''] = /<key>AGENTZ_HOME<\/key>\s*<string>.*<\/string>/.exec(plistText(recoverJob(home))) ?? []
  return part
}
